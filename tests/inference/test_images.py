"""Image files brought into MNIST's form: real test digits on canvases of all kinds, and files that are none."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from sklearn.neighbors import KNeighborsClassifier

from mnist_bench.data import load
from mnist_bench.errors import ImageError
from mnist_bench.inference.images import as_mnist, read_ink


def _strokes(height=60, width=40):
    """A made-up digit, 1 where it is inked: a slanted stroke with a foot."""
    ink = np.zeros((height, width))
    for row in range(10, 50):
        ink[row, 12 + (row - 10) // 4 : 18 + (row - 10) // 4] = 1
    ink[44:50, 10:30] = 1
    return ink


def _in_colours(ink, background, colour):
    return (np.array(background) + ink[..., None] * (np.array(colour) - np.array(background))).astype(np.uint8)


def _ink(path, image, **options):
    image.save(path, **options)
    return read_ink(path)


LIGHT_ON_DARK = _in_colours(_strokes(), (0, 0, 0), (255, 255, 255))
CANVASES = {
    "dark on light": Image.fromarray(255 - LIGHT_ON_DARK),
    "grey": Image.fromarray(LIGHT_ON_DARK[..., 0]),
    "colours of one brightness": Image.fromarray(_in_colours(_strokes(), (0, 128, 0), (250, 0, 0))),
    "black and white": Image.fromarray(LIGHT_ON_DARK[..., 0]).convert("1"),
    "palette": Image.fromarray(LIGHT_ON_DARK).convert("P"),
    "16 bits": Image.fromarray((_strokes() * 65535).astype(np.uint16)),
    "black on nothing": Image.fromarray(np.dstack([0 * LIGHT_ON_DARK, LIGHT_ON_DARK[..., :1]])),
    "white on nothing": Image.fromarray(np.dstack([255 + 0 * LIGHT_ON_DARK, LIGHT_ON_DARK[..., :1]])),
    "opaque, dark on light": Image.fromarray(np.dstack([255 - LIGHT_ON_DARK, 255 + 0 * LIGHT_ON_DARK[..., :1]])),
}


@pytest.mark.parametrize("image", CANVASES.values(), ids=CANVASES)
def test_ink_is_what_stands_out_whatever_the_colours(tmp_path, image):
    """The same strokes come out of every mode that a PNG file can have."""
    np.testing.assert_allclose(_ink(tmp_path / "a.png", image), _strokes(), atol=0.01)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_jpegs_artefacts_are_no_ink(tmp_path, mode):
    """In a JPEG what is inked keeps its bounds, though nothing of it is quite black or white."""
    ink = _ink(tmp_path / "a.jpg", Image.fromarray(255 - LIGHT_ON_DARK).convert(mode), quality=80)
    rows, columns = np.nonzero(ink > 0.3)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (10, 49, 10, 29)
    assert not ink[:5].any()


def test_a_photograph_lies_as_its_camera_was_held(tmp_path):
    """EXIF's orientation is heeded."""
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees
    turned = Image.fromarray(LIGHT_ON_DARK).rotate(90, expand=True)
    ink = _ink(tmp_path / "a.jpg", turned, exif=exif, quality=95)
    assert np.abs(ink - _strokes()).mean() < 0.02


@pytest.mark.parametrize("grain", [0, 6])
def test_a_shaded_background_is_no_ink(tmp_path, grain):
    """Neither a background that grows darker across the picture nor its grain moves the digit."""
    noise = np.random.default_rng(0).normal(0, grain, (60, 40, 1)) if grain else 0
    canvas = _in_colours(_strokes(), (220, 215, 200), (30, 30, 60)) + noise - np.linspace(0, 15, 40)[None, :, None]
    ink = _ink(tmp_path / "a.png", Image.fromarray(canvas.clip(0, 255).astype(np.uint8)))
    np.testing.assert_array_equal(ink > 0, _strokes() > 0)


@pytest.mark.parametrize(("height", "width"), [(28, 28), (14, 14), (28, 56)])
def test_the_digit_fills_its_box_and_lies_by_its_mass(height, width):
    """Its longer side takes 20 of 28 pixels, its aspect is kept, and its centre of mass is the field's."""
    image = as_mnist(_strokes().astype(np.float32), height, width)
    assert (image.shape, image.dtype, image.max()) == ((height, width), np.uint8, 255)
    rows, columns = np.nonzero(image)
    box = 20 * min(height, width) // 28
    assert np.ptp(rows) + 1 == box
    assert np.ptp(columns) + 1 == box // 2  # 40 by 20 pixels are inked
    for axis, field in enumerate((height, width)):
        mass = image.sum(axis=1 - axis, dtype=float)
        assert abs(mass @ np.arange(field) / mass.sum() - field / 2) <= 0.51


@pytest.mark.parametrize(
    "image", [LIGHT_ON_DARK[:, :, 0] * 0, LIGHT_ON_DARK[:, :, 0] // 20 + 100], ids=["even", "faint"]
)
def test_what_shows_nothing_is_refused(tmp_path, image):
    """An even picture, and one whose strokes hardly differ from the background."""
    with pytest.raises(ImageError, match="nothing stands out"):
        _ink(tmp_path / "a.png", Image.fromarray(image))


def _cut(content):
    return content[: len(content) // 2]


def _damaged(content):
    return content[:20] + bytes(len(content) - 20)


@pytest.mark.parametrize("spoil", [_cut, _damaged, lambda _: b"", lambda _: b"GIF89a and more", lambda c: c[1:]])
@pytest.mark.parametrize("kind", ["png", "jpg"])
def test_a_file_that_is_no_picture_is_refused(tmp_path, spoil, kind):
    """Cut off, damaged, empty, or of another kind: one line that names the file."""
    path = tmp_path / f"a.{kind}"
    noise = np.random.default_rng(0).integers(0, 256, (80, 80), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(ImageError, match=r"a\.(png|jpg): can't be read as PNG or JPEG") as refused:
        read_ink(path)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("times", [1.5, 3], ids=["Pillow warns", "Pillow raises"])
def test_an_enormous_picture_is_refused(tmp_path, monkeypatch, times):
    """What has more pixels than Pillow takes is not unpacked."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", int(60 * 40 / times))
    with pytest.raises(ImageError, match=r"has more than [0-9,]+ pixels"):
        _ink(tmp_path / "a.png", CANVASES["grey"])


def test_a_folder_is_refused(tmp_path):
    """So is whatever else can't be opened, with the reason."""
    with pytest.raises(ImageError, match="Is a directory"):
        read_ink(tmp_path)


def _pasted(digit, random, colours, kind, path):
    """A test digit, enlarged, somewhere on a large canvas in two colours, as a file."""
    side = int(28 * random.uniform(2, 7))
    large = np.asarray(Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC), float) / 255
    ink = np.zeros((side + int(random.integers(20, 300)), side + int(random.integers(20, 300))))
    top, left = random.integers(0, ink.shape[0] - side), random.integers(0, ink.shape[1] - side)
    ink[top : top + side, left : left + side] = large
    Image.fromarray(_in_colours(ink, *colours)).save(
        path.with_suffix(kind), **({"compress_level": 1} if kind == ".png" else {})
    )
    return path.with_suffix(kind)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("colours", "kind"),
    [
        (((0, 0, 0), (255, 255, 255)), ".png"),
        (((255, 255, 255), (0, 0, 0)), ".png"),
        (((250, 240, 200), (20, 40, 160)), ".png"),
        (((0, 120, 60), (250, 90, 40)), ".png"),
        (((235, 235, 225), (50, 50, 60)), ".jpg"),
    ],
    ids=["large", "inverted", "coloured", "coloured on coloured", "jpeg"],
)
def test_digits_on_canvases_are_recognised_as_the_digits_are(tmp_path, colours, kind):
    """200 test digits, enlarged and pasted, are classified as accurately as the test images themselves, within 2 pp.

    By their nearest neighbour among the training images, which takes a shift of one pixel amiss.
    """
    digits = load("mnist-5k")
    model = KNeighborsClassifier(1).fit(digits.train_images.reshape(len(digits.train_images), -1), digits.train_labels)
    images, labels, random = digits.test_images[:200], digits.test_labels[:200], np.random.default_rng(0)
    paths = (_pasted(image, random, colours, kind, tmp_path / "a") for image in images)
    read = np.stack([as_mnist(read_ink(path), 28, 28) for path in paths])
    as_they_are, pasted = (model.score(part.reshape(200, -1), labels) for part in (images, read))
    assert as_they_are > 0.9
    assert pasted > as_they_are - 0.02
