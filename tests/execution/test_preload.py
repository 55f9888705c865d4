"""What workers are forked with."""

from __future__ import annotations

import os
import subprocess
import sys
from multiprocessing import forkserver

import pytest

from mnist_bench.errors import SchedulerError
from mnist_bench.execution.local import load_ahead


def test_what_workers_need_is_loaded_without_a_word():
    """TensorFlow, scikit-learn's splits and Matplotlib are there, and nobody was greeted."""
    wanted = "{'tensorflow', 'sklearn.model_selection', 'matplotlib'}"
    code = f"import sys, mnist_bench.execution.preload; assert {wanted} <= sys.modules.keys()"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stderr) == (0, "")


INTERRUPTED = """
import os, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests may ignore it
from mnist_bench.execution.local import load_ahead
load_ahead()
try:
    time.sleep(float(sys.argv[1]))
    os.killpg(0, signal.SIGINT)  # as a terminal does: to all processes of the group
    time.sleep(60)
except KeyboardInterrupt:
    pass
"""


@pytest.mark.parametrize("seconds", [0, 0.2, 1])
def test_ctrl_c_while_it_loads_is_the_drivers_concern(seconds):
    """Whether Python starts there or TensorFlow is half read: nothing is said, and nothing is left of it."""
    command = [sys.executable, "-c", INTERRUPTED, str(seconds)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, start_new_session=True, timeout=60)
    assert (answer.returncode, answer.stderr) == (0, "")


def test_a_server_that_cannot_be_started_gets_one_line(monkeypatch):
    """With the reason, and where to look."""

    def full():
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(forkserver, "ensure_running", full)
    with pytest.raises(SchedulerError, match=r"the workers can't be started \(.*No space left.*\): `mnist-bench"):
        load_ahead()


def test_workers_have_the_environment_that_they_had_of_dask(engine, monkeypatch):
    """One hash of strings in all processes, one thread; what the user has set goes before what Dask would set."""
    assert set(engine._client.run(os.getenv, "PYTHONHASHSEED").values()) == {"6640"}
    assert set(engine._client.run(os.getenv, "OMP_NUM_THREADS").values()) == {"1"}
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")
    load_ahead()
    assert os.environ["OPENBLAS_NUM_THREADS"] == "3"
