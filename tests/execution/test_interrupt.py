"""Tests of `mnist_bench.execution.interrupt`."""

import signal

import pytest

from mnist_bench.execution.interrupt import remembered_interrupt


class Finalized:
    """Something during whose finalization the user presses Ctrl-C."""

    def __del__(self):
        signal.raise_signal(signal.SIGINT)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_that_python_drops_is_raised_at_the_next_check():
    """Ctrl-C while an object is finalized is lost by Python, and still stops what checks."""
    with remembered_interrupt() as check:
        check()
        thing = Finalized()
        del thing
        with pytest.raises(KeyboardInterrupt):
            check()


def test_an_interrupt_is_raised_at_once_and_the_handler_of_before_is_back_afterwards():
    """Ctrl-C elsewhere raises where it comes, and after the block it is what it was."""
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), remembered_interrupt():
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
