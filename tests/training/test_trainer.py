"""One run, on made-up images: what it learns, leaves behind, and repeats."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import made_up
import numpy as np
import pytest

from mnist_bench.errors import ArchitectureError
from mnist_bench.training.compiled import _compiled, compiled_for
from mnist_bench.training.trainer import train

CNN = {"architecture": "convnet", "options": {"filters": [4], "widths": [8], "batch_norm": True, "dropout": 0.3}}
AUGMENT = {"rotation_degrees": 10, "shift_fraction": 0.1}


def run(dataset, start=None, **changes):
    return train(made_up.run_spec(dataset, **changes), dataset, start=start, on_epoch=lambda _: None)


def figures(result):
    """All that must repeat to the bit: not the seconds."""
    epochs = [{k: v for k, v in epoch.items() if k != "epoch_seconds"} for epoch in result.history]
    return epochs, {k: v for k, v in result.metrics.items() if k != "train_seconds"}


@pytest.mark.parametrize("architecture", [{}, CNN], ids=["mlp", "cnn"])
def test_it_learns(dataset, architecture):
    """Bands of brightness are told apart after a few epochs, in training, validation and test."""
    result = run(
        dataset, **(architecture or {"options": {"widths": [32]}}), epochs=30, learning_rate=0.01, batch_size=16
    )
    assert result.finished
    assert result.metrics["test_accuracy"] > 0.9
    assert result.history[-1]["val_accuracy"] > 0.9
    assert result.history[-1]["train_loss"] < result.history[0]["train_loss"] / 2


def test_tracing_is_no_training_time(dataset):
    """The epoch is traced, and run through TensorFlow's optimizers, before the first one's clock starts."""
    spec = made_up.run_spec(dataset, options={"widths": [5]})
    compiled = compiled_for(spec, dataset.image_shape, dataset.classes)
    before = compiled._epoch.experimental_get_tracing_count()
    train(spec, dataset, on_epoch=lambda _: None)
    assert before == compiled._epoch.experimental_get_tracing_count() == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"normalize": True, "epochs": 3, "validation": 0.2}, {"normalize": False, "learning_rate": 1e-4}),
        ({"augment": {"rotation_degrees": 40}}, {"augment": {"shift_fraction": 0.2, "shear_degrees": 9}}),
    ],
)
def test_runs_of_one_network_share_what_is_compiled(dataset, one, other):
    """What a recipe changes of pixels and rates alone is traced once, and gives what it gives by itself."""
    specs = [made_up.run_spec(dataset, **recipe) for recipe in (one, other)]
    assert len({compiled_for(spec, dataset.image_shape, dataset.classes) for spec in specs}) == 1
    shared = [figures(train(spec, dataset, on_epoch=lambda _: None)) for spec in specs]
    _compiled.cache_clear()
    alone = [figures(train(spec, dataset, on_epoch=lambda _: None)) for spec in reversed(specs)]
    assert shared == alone[::-1]
    assert shared[0] != shared[1]


def test_a_result_says_all_there_is_to_say(dataset):
    """Every epoch has its figures, the end has its own, and they agree with one another."""
    result = run(dataset, epochs=3)
    assert [set(epoch) for epoch in result.history] == 3 * [
        {"train_loss", "train_accuracy", "val_loss", "val_accuracy", "learning_rate", "epoch_seconds"}
    ]
    assert result.confusion.sum() == len(dataset.test_labels)
    assert np.trace(result.confusion) / 60 == pytest.approx(result.metrics["test_accuracy"])
    with np.load(io.BytesIO(result.artifacts["predictions.npz"])) as file:
        assert (file["predicted"] == dataset.test_labels).mean() == pytest.approx(result.metrics["test_accuracy"])
    assert result.metrics["parameters"] == 144 * 8 + 8 + 8 * 3 + 3
    assert result.metrics["epochs"] == 3
    assert result.environment["threads"] == "1"


@pytest.mark.parametrize(
    "recipe",
    [
        {},
        {"augment": AUGMENT},
        {"optimizer": "sgd", "schedule": "one_cycle"},
        {"optimizer": "adamw", "label_smoothing": 0.1},
        {"precision": "bfloat16"},
        {"normalize": False},
    ],
    ids=str,
)
def test_a_used_model_gives_the_same_bits(dataset, recipe):
    """After another seed was trained by the same compiled model, a run repeats to the last bit."""
    first = run(dataset, **CNN, **recipe)
    run(dataset, **CNN, **recipe, seed=1)
    again = run(dataset, **CNN, **recipe)
    assert figures(again) == figures(first)
    assert figures(run(dataset, **CNN, **recipe, seed=1)) != figures(first)


def test_a_fresh_process_gives_the_same_bits(dataset):
    """A run in a used process equals the same run in a process that has trained nothing before."""
    for seed in range(2):
        here = run(dataset, **CNN, augment=AUGMENT, seed=seed)
    code = (
        "import conftest, made_up, json; from mnist_bench.training.trainer import train; d = made_up.images();"
        f"r = train(made_up.run_spec(d, seed=1, augment={AUGMENT}, **{CNN}), d, on_epoch=lambda _: None);"
        "print(json.dumps([[*r.history], r.metrics]))"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[1], capture_output=True, text=True, check=True
    )
    history, metrics = json.loads(told.stdout.splitlines()[-1])
    assert figures(replace(here, history=tuple(history), metrics=metrics)) == figures(here)


def test_each_part_is_used_for_its_own(dataset):
    """Other test images change test figures alone: nothing was selected by them."""
    other = replace(dataset, test_images=dataset.test_images[::-1].copy())
    spec = made_up.run_spec(dataset, early_stopping={"patience": 1})
    one, two = (train(spec, data, on_epoch=lambda _: None) for data in (dataset, other))
    assert figures(one)[0] == figures(two)[0]
    assert one.metrics["test_loss"] != two.metrics["test_loss"]


def test_nothing_held_out(dataset):
    """With `validation = 0` all images are trained on, and no validation figure is made up."""
    result = run(dataset, validation=0)
    assert "val_loss" not in result.history[0]


def test_every_image_counts_once_an_epoch(dataset):
    """The last, smaller minibatch counts too: at a rate of almost nothing, batches of any size give the same loss."""
    losses = [
        run(dataset, validation=0, batch_size=size, epochs=1, learning_rate=1e-12).history[0]["train_loss"]
        for size in (240, 239, 100, 7)
    ]
    assert losses == pytest.approx([losses[0]] * 4, rel=1e-5)


def test_the_last_minibatch_is_trained_on(dataset):
    """An epoch of 240 images in batches of 100 is three steps of the optimizer, each with its own rate."""
    spec = made_up.run_spec(dataset, validation=0, batch_size=100, epochs=2)
    train(spec, dataset, on_epoch=lambda _: None)
    assert int(compiled_for(spec, dataset.image_shape, dataset.classes)._optimizer.iterations) == 6


def test_a_loss_that_is_not_finite_ends_the_run(dataset):
    """A diverged run says why and in which epoch, and has no test figures."""
    result = run(dataset, optimizer="sgd", learning_rate=1e30, normalize=False)
    assert not result.finished
    assert result.cause.startswith("diverged: train_loss is ")
    assert result.cause.endswith(" in epoch 1")
    assert result.metrics == {}
    assert result.model is None


@pytest.mark.parametrize(("validation", "cause"), [(0, "test_loss is nan after the last epoch"), (0.1, "val_loss is ")])
def test_a_run_that_diverges_in_its_last_step_is_failed(dataset, validation, cause):
    """Its training loss, taken before that step, was finite; the cause names the figure that was not."""
    sgd = {"optimizer": "sgd", "learning_rate": 1e38, "normalize": False}
    result = run(dataset, epochs=1, batch_size=240, validation=validation, **sgd)
    assert np.isfinite(result.history[0]["train_loss"])
    assert cause in result.cause
    assert result.model is None


def test_early_stopping_ends_the_run(dataset):
    """A rate that only harms stops the run after `patience` epochs beyond the best."""
    result = run(dataset, epochs=50, learning_rate=5.0, early_stopping={"watch": "val_loss", "patience": 2})
    losses = [epoch["val_loss"] for epoch in result.history]
    assert len(losses) < 50
    assert len(losses) - 1 - int(np.argmin(losses)) == 2
    assert result.metrics["kept_epoch"] == 1 + int(np.argmin(losses))


def test_a_run_starts_from_another_ones_weights(dataset):
    """Trained on from, the first epoch's loss is near the last one's of the run that it starts from."""
    first = run(dataset, options={"widths": [32]}, epochs=20, learning_rate=0.01)
    spec = made_up.run_spec(dataset, options={"widths": [32]}, epochs=20, learning_rate=0.01)
    onward = run(dataset, start=first.model, options={"widths": [32]}, epochs=1, learning_rate=1e-9, start_from=spec)
    assert onward.history[0]["val_loss"] == pytest.approx(first.history[-1]["val_loss"], rel=1e-4)


def test_weights_of_another_network_are_refused(dataset):
    """A run can't start from weights that fit only in part: it would be neither one thing nor the other."""
    options = CNN["options"] | {"batch_norm": False}
    model = run(dataset, **CNN).model
    with pytest.raises(ArchitectureError, match="convnet can't start from weights of other shapes"):
        run(dataset, start=model, architecture="convnet", options=options)


def test_checkpoints_are_kept(dataset):
    """Every second epoch's weights are among the run's files."""
    result = run(dataset, epochs=5, checkpoint_every=2)
    names = [name for name in result.artifacts if name.startswith("checkpoints/")]
    assert names == ["checkpoints/epoch_002.weights.h5", "checkpoints/epoch_004.weights.h5"]


def test_label_smoothing_changes_training_alone(dataset):
    """Validation loss is the plain cross-entropy, so that recipes compare; before any training it is the same."""
    plain, smooth = (run(dataset, epochs=1, learning_rate=1e-12, label_smoothing=s) for s in (0.0, 0.2))
    assert smooth.history[0]["val_loss"] == pytest.approx(plain.history[0]["val_loss"], rel=1e-5)
    assert smooth.history[0]["train_loss"] != pytest.approx(plain.history[0]["train_loss"], rel=1e-5)


def test_progress_is_told(dataset):
    """Whoever watches hears of the start and of each epoch's end."""
    heard = []
    train(made_up.run_spec(dataset, epochs=3), dataset, on_epoch=heard.append)
    assert heard == [0, 1, 2, 3]


def trial(dataset, prunes, **changes):
    return train(made_up.run_spec(dataset, **changes), dataset, on_epoch=lambda _: None, prunes=prunes)


def test_a_trial_is_a_run_without_its_test_figures(dataset):
    """It is trained to the same bits; the test part, the model and what is made of them are left out."""
    finished, tried = run(dataset, **CNN), trial(dataset, lambda *_: False, **CNN)
    assert figures(tried)[0] == figures(finished)[0]
    assert tried.finished
    assert set(tried.metrics) == {"parameters", "epochs", "kept_epoch", "train_seconds"}
    assert (tried.confusion, tried.model, dict(tried.artifacts)) == (None, None, {})


def test_a_trial_is_pruned_after_the_epoch_in_which_it_is_told(dataset):
    """It is asked after each epoch, with that epoch's figures, and keeps those that it got through."""
    asked = []

    def prunes(epoch, epochs_figures):
        asked.append((epoch, epochs_figures["val_accuracy"]))
        return epoch == 3

    result = trial(dataset, prunes, epochs=6)
    assert (result.pruned, result.finished, result.cause) == (True, False, None)
    assert asked == [(place, epoch["val_accuracy"]) for place, epoch in enumerate(result.history, start=1)]
    assert len(asked) == result.metrics["epochs"] == result.metrics["kept_epoch"] == 3


def test_a_trial_that_came_to_its_end_is_not_pruned(dataset):
    """Told so after the last epoch, or as early stopping ends it, it is finished nevertheless."""
    assert trial(dataset, lambda epoch, _: epoch == 2, epochs=2).finished
    stopping = {"early_stopping": {"watch": "val_loss", "patience": 1}, "learning_rate": 1e-30}
    stopped = trial(dataset, lambda epoch, _: epoch == 2, epochs=9, **stopping)
    assert (stopped.finished, len(stopped.history)) == (True, 2)


def test_a_trial_that_diverges_says_so(dataset):
    """As a run does; nobody is asked about it."""
    result = trial(dataset, lambda *_: pytest.fail("asked"), optimizer="sgd", learning_rate=1e30, normalize=False)
    assert result.cause.startswith("diverged: train_loss is ")
    assert not result.pruned
