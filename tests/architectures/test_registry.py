"""Every registered architecture, and how options are checked."""

from __future__ import annotations

import subprocess
import sys

import keras
import pytest

from mnist_bench import architectures
from mnist_bench.architectures.registry import architecture
from mnist_bench.errors import ArchitectureError

# Parameters on 28x28 images in 10 classes, with default options. A new architecture gets its row here.
PARAMETERS = {
    "batchnorm_cnn": 72_520,
    "convnet": 421_642,
    "deep_cnn": 5_259_594,
    "lenet5": 61_706,
    "logistic_regression": 7_850,
    "mlp": 244_522,
    "strided_cnn": 1_183_498,
    "three_conv_cnn": 103_786,
}


def build(name, options=None, shape=(28, 28, 1), classes=10):
    resolved = architectures.resolve_options(name, options or {}, "test")
    return architectures.build(name, resolved, shape, classes)


def test_every_architecture_has_its_row():
    """None is registered without a known number of parameters."""
    assert sorted(PARAMETERS) == architectures.names()


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameter_counts(name):
    """Each model is the published one, down to its number of parameters."""
    assert build(name).count_params() == PARAMETERS[name]


@pytest.mark.parametrize(
    ("name", "options", "parameters"),
    [
        ("mlp", {"widths": [128]}, 101_770),
        ("mlp", {"widths": []}, PARAMETERS["logistic_regression"]),
        ("batchnorm_cnn", {"batch_norm": False}, 72_520 - 3 * 4 * 100),
        ("batchnorm_cnn", {"pooling": "average"}, 72_520),
        ("convnet", {"filters": [], "widths": [128], "dropout": 0}, 101_770),
        ("convnet", {"pool_first": True}, 421_642),
    ],
)
def test_options_change_the_model(name, options, parameters):
    """An option does what it says, as far as the number of parameters tells."""
    assert build(name, options).count_params() == parameters


@pytest.mark.parametrize("name", PARAMETERS)
def test_every_architecture_takes_other_images(name):
    """Images need be neither square nor of ten classes."""
    assert build(name, shape=(32, 28, 1), classes=3).output_shape == (None, 3)


@pytest.mark.parametrize("name", PARAMETERS)
def test_every_architecture_says_what_it_is(name):
    """The first line of its docstring is what `list architectures` shows."""
    assert architectures.get(name).summary


@pytest.mark.parametrize("name", PARAMETERS)
def test_logits_are_float32_in_any_precision(name):
    """In bfloat16 near-equal logits would tie, and the lower class win."""
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        assert build(name).output.dtype == "float32"
    finally:
        keras.config.set_dtype_policy("float32")


def test_images_too_small_get_one_line():
    """A model that shrinks the image to nothing is refused with its name, the size and the reason."""
    with pytest.raises(ArchitectureError, match="three_conv_cnn can't be built for 8×8 images") as caught:
        build("three_conv_cnn", shape=(8, 8, 1))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("mpl", {}, "unknown architecture 'mpl'; did you mean 'mlp'?"),
        ("mlp", {"width": [3]}, "f: unknown key 'width'; did you mean 'widths'?"),
        ("mlp", {"widths": [3, 0]}, "f.widths.1: should be greater than or equal to 1, not 0"),
        ("mlp", {"widths": 3}, "f.widths: should be a list, not 3"),
        (
            "convnet",
            {"pooling": "avg"},
            "f.pooling: should be 'max', 'average' or 'none', not 'avg'; did you mean 'average'?",
        ),
        ("convnet", {"dropout": 1}, "f.dropout: should be less than 1, not 1"),
        ("convnet", {"batch_norm": 1}, "f.batch_norm: should be a boolean, not 1"),
    ],
)
def test_a_wrong_option_gets_one_line(name, options, message):
    """The line names the option, the fault, and for an unknown one the nearest right one."""
    with pytest.raises(ArchitectureError) as caught:
        architectures.resolve_options(name, options, "f")
    assert str(caught.value) == message


def test_two_of_one_name_are_refused():
    """A second function of a name is a mistake, not a replacement."""

    def mlp(images, classes):
        raise AssertionError

    with pytest.raises(ValueError, match="two architectures are named 'mlp'"):
        architecture(mlp)


def test_options_are_checked_without_tensorflow():
    """A suite is checked and planned without the seconds that TensorFlow takes to load."""
    code = (
        "import sys; from mnist_bench import architectures as a;"
        "[a.resolve_options(name, {}, '') for name in a.names()];"
        "sys.exit(any(m in sys.modules for m in ('keras', 'tensorflow')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
