"""Tests of `mnist_bench.execution.interrupt`."""

import signal

import pytest

from mnist_bench.execution.interrupt import remembered_interrupt


class Finalized:
    """Something during whose finalization a signal comes."""

    def __init__(self, number):
        self.number = number

    def __del__(self):
        signal.raise_signal(self.number)


BOTH = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])


@BOTH
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_that_python_drops_is_raised_at_the_next_check(number):
    """Ctrl-C or SIGTERM while an object is finalized is lost by Python, and still stops what checks."""
    with remembered_interrupt() as check:
        check()
        thing = Finalized(number)
        del thing
        with pytest.raises(KeyboardInterrupt):
            check()


@BOTH
def test_an_interrupt_is_raised_at_once_and_the_handler_of_before_is_back_afterwards(number):
    """Either elsewhere raises where it comes, and after the block it is what it was."""
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), remembered_interrupt():
        signal.raise_signal(number)
    assert signal.getsignal(number) is before
