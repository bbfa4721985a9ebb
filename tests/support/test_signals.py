"""Signals that ask a job to stop: noted within the block, and left to others after it."""

import os
import signal
from collections.abc import Iterator

import pytest

from dynparam.support.signals import stop_request


@pytest.fixture(autouse=True)
def others() -> Iterator[None]:
    """Handlers of their own before the block: the default one would hide that none is restored."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    for number in before:
        signal.signal(number, lambda *_, number=number: None)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_noted_and_its_handler_restored(number):
    before = signal.getsignal(number)
    with stop_request() as request:
        assert request.signal is None
        assert signal.getsignal(number) not in (before, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        assert request.signal is number
    assert signal.getsignal(number) is before


def test_handlers_are_restored_after_an_error():
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    with pytest.raises(ValueError, match="told"), stop_request():
        raise ValueError("told")
    assert {number: signal.getsignal(number) for number in before} == before
