"""Which GPU a worker is given; none is needed for that."""

from __future__ import annotations

import pytest

from mnist_bench.execution import gpus


@pytest.fixture
def three(tmp_path, monkeypatch):
    """A machine with three GPUs."""
    for number in range(3):
        (tmp_path / f"0000:0{number}:00.0").mkdir()
    monkeypatch.setattr(gpus, "_DRIVER", tmp_path)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def test_workers_take_the_gpus_in_turn(three):
    """One a GPU, and where there are more workers than GPUs they share them, each with no more memory than it needs."""
    given = [gpus.gpu_environment(number) for number in range(4)]
    assert [each["CUDA_VISIBLE_DEVICES"] for each in given] == ["0", "1", "2", "0"]
    assert {each["TF_FORCE_GPU_ALLOW_GROWTH"] for each in given} == {"true"}


def test_what_whoever_starts_a_worker_says_stands(three, monkeypatch):
    """A worker of a cluster, which has an address for a name, and one that has been given its GPU, are left alone."""
    assert "CUDA_VISIBLE_DEVICES" not in gpus.gpu_environment("tcp://10.0.0.1:40000")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2")
    assert "CUDA_VISIBLE_DEVICES" not in gpus.gpu_environment(0)


def test_without_gpus_nothing_is_set(tmp_path, monkeypatch):
    """Nor is anything where there is no driver."""
    monkeypatch.setattr(gpus, "_DRIVER", tmp_path / "nowhere")
    assert gpus.gpu_environment(0) == {}
