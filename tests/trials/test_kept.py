"""Trials kept as they are done: an interruption costs one, and no other's are taken up."""

import json

import pytest

from dynparam.support.errors import DataError
from dynparam.support.sealed import seal
from dynparam.trials.kept import measured
from dynparam.trials.log import TrialLog

WORK = {("law", 8, 0): 1.0, ("law", 8, 1): 1.0, ("dense", 0.5, 0): 2.0}


def rows_of(point):
    return [{"point": str(point), "value": 0.1 + len(str(point)), "lacking": None}]


def run(log, measure=rows_of):
    return measured(log, "trials", WORK, measure)


def test_rows_stand_in_the_order_of_the_work(tmp_path):
    table = run(TrialLog(tmp_path / "t.csv", "t", "a"))
    assert table["point"].tolist() == [str(point) for point in WORK]
    assert table["lacking"].isna().all()


def test_finished_trials_are_not_measured_again(tmp_path):
    log = TrialLog(tmp_path / "t.csv", "t", "a")
    seen = []

    def interrupted(point):
        if len(seen) == 2:
            raise KeyboardInterrupt
        seen.append(point)
        return rows_of(point)

    with pytest.raises(KeyboardInterrupt):
        run(log, interrupted)
    again = []
    table = run(
        TrialLog(tmp_path / "t.csv", "t", "a"), lambda point: again.append(point) or rows_of(point)
    )
    assert again == [("dense", 0.5, 0)]
    whole = run(TrialLog(tmp_path / "t.csv", "t", "other"))
    assert table.equals(whole)


@pytest.mark.parametrize(
    "entry",
    [
        [["law", 9, 0], [{"value": 1}]],
        [["law", 8, 0], []],
        [["law", 8, 0], {"value": 1}],
        [["law", 8, 0], [1]],
        [["law", 8, 0]],
        {"law": 8},
        7,
    ],
)
def test_a_line_of_no_trial_is_refused(tmp_path, entry):
    log = TrialLog(tmp_path / "t.csv", "t", "a")
    run(log)
    first = json.loads(log.path.read_text().splitlines()[0])
    log.path.write_text(seal(entry, first["of"]) + "\n")
    with pytest.raises(DataError, match=r"line 1 is damaged.*delete the file"):
        run(log)
