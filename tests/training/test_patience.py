"""Waiting for runs that other processes train."""

import signal

import pytest

from dynparam.support.errors import InterruptedRunError
from dynparam.support.signals import StopRequest
from dynparam.training import patience as patience_module
from dynparam.training.patience import Patience


@pytest.fixture
def patience(tmp_path, monkeypatch):
    monkeypatch.setattr(patience_module, "SECONDS_BETWEEN_TRIES", 0)
    stop = StopRequest()
    return Patience(lambda seed: tmp_path / f"seed-{seed}.lock", stop), stop


def test_what_is_waited_for_is_said_once(patience, tmp_path, capsys):
    """Not at the first time, when somebody may only look at it."""
    waits, _ = patience
    (tmp_path / "seed-3.lock").write_text("process 7 on node1\n")
    said = []
    for seeds in ([3], [3, 5], [3, 5], [5, 3], [4], [3, 4]):
        waits.wait(seeds)
        said.append(capsys.readouterr().err)
    ending = "; this process waits, then takes the record or goes on from the checkpoint\n"
    assert said == [
        "",
        f"being trained elsewhere: seed 3 (process 7 on node1){ending}",
        f"being trained elsewhere: seed 5 (another process){ending}",
        "",
        "",
        f"being trained elsewhere: seed 4 (another process){ending}",
    ]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_wait(patience, number):
    waits, stop = patience
    waits.wait([3, 5])
    stop.signal = number
    with pytest.raises(
        InterruptedRunError, match=rf"{number.name} while waiting for seeds \[3, 5\]"
    ) as end:
        waits.wait([3, 5])
    assert end.value.exit_code == 128 + number


def test_what_another_wrote_into_it_stays_on_one_line(patience, tmp_path, capsys):
    waits, _ = patience
    (tmp_path / "seed-3.lock").write_text("process 7\n\x1b[31mon node1\n")
    waits.wait([3])
    waits.wait([3])
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert line.removesuffix("\n").isprintable()
