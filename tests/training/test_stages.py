"""The stages of training: what extending the archive says, and what of it is recorded."""

import pytest

from dynparam.training import archive
from dynparam.training.archive import CurveFile
from dynparam.training.stages import extend_archive
from tests.training.test_archive import curve_table, origin
from tests.training_runs import run_stage


@pytest.fixture
def tables(tmp_path, monkeypatch):
    """Archived curves of some seeds by the file's name, as if they had been read."""

    def put(name, seeds):
        known[tmp_path / name] = CurveFile(curve_table(seeds), (origin(seeds),))
        (tmp_path / name).touch()
        return tmp_path / name

    known = {}
    monkeypatch.setattr(archive, "read_archive", lambda csv, settings, images: known[csv])
    return put


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ((0, 1, 2), ((3,), (7, 5)), "6 seeds, 3 new"),
        ((), ((3, 4, 5),), "3 seeds, 3 new"),
        ((0, 1), (), "2 seeds, 0 new"),
    ],
)
def test_extending_the_archive_says_how_many_seeds_are_new(tmp_path, tables, old, new, said):
    csv = tables("dynamic.csv", old) if old else tmp_path / "dynamic.csv"
    added = [tables(f"{number}.csv", seeds) for number, seeds in enumerate(new)]
    made = extend_archive(run_stage(), tmp_path / "pair.npz", csv, added)
    assert made.said == f"{csv}: {said}"
    assert made.recorded == bool(new)
    assert list(made.files) == ([csv] if new else [])
    held = sorted(int(seed) for run in made.details.get("runs", ()) for seed in run["seeds"])
    assert held == (sorted([*old, *(seed for seeds in new for seed in seeds)]) if new else [])
