"""The stages of sharpness: what each writes, and from which files."""

from dataclasses import fields

import numpy as np
import pandas as pd
import pytest

from dynparam.experiments.sharpness import judge, measure, stages
from dynparam.support.tables import read_csv, write_csv
from tests.experiments.sharpness.small import (
    PAIR,
    normalization_part,
    rates_stage,
    verdicts,
    widths_stage,
)

ALONG = {"family": "constant", "parametrization": "ntk", "n": [64, 128]}
NORMALIZED = {"inputs": "fixed", "width": [12, 24], "trial": 0, "normalization": "none"}
TABLES = {
    "widths": {**ALONG, "n_min": 16, "trial": 0, "sharpness": [1.0, 2.0], "expected": 1.0},
    "limits": {"inputs": "pooled", **ALONG, "sharpness": [3.0, 4.0]},
    "normalization": {**NORMALIZED, "sharpness": [5.0, 6.0], "expected": 1.0},
    "rates": {**ALONG, "sharpness": [7.0, 8.0], "rate": 1.0, "product": 2.0},
}


def test_each_stage_writes_its_own_measurement(tmp_path, monkeypatch):
    """The wide limit is a second file of the first; images are those of the file that is given."""
    arrays = {f"{split}_images": PAIR.train_images for split in ("train", "test")}
    labels = {f"{split}_labels": PAIR.train_labels for split in ("train", "test")}
    images = tmp_path / "pair.npz"
    np.savez(images, allow_pickle=False, **arrays, **labels)
    settings = widths_stage(), rates_stage(), stages.NormalizationStage(sharpness=normalization_part())
    for name, of, table in (
        ("measure_widths", settings[0], "widths"),
        ("wide_limits", settings[0], "limits"),
        ("measure_rates", settings[1], "rates"),
        ("measure_normalization", settings[2].sharpness, "normalization"),
    ):

        def measured(given, *pairs, of=of, table=table):
            assert given == of
            assert all((one.train_images == PAIR.train_images).all() for one in pairs)
            return pd.DataFrame(TABLES[table])

        monkeypatch.setattr(measure, name, measured)
    made = [
        stages.sharpness_of_widths(settings[0], images, tmp_path / "widths.csv"),
        stages.sharpness_of_rates(settings[1], images, tmp_path / "rates.csv"),
        stages.sharpness_of_normalization(settings[2], (), tmp_path / "normalization.csv"),
    ]
    names = [[path.name for path in one.files] for one in made]
    assert names == [["widths.csv", "limits.csv"], ["rates.csv"], ["normalization.csv"]]
    for name, columns in TABLES.items():
        assert read_csv(tmp_path / f"{name}.csv")["sharpness"].tolist() == columns["sharpness"]


@pytest.fixture
def results(tmp_path):
    """Planted tables, each under its name."""
    for name, columns in TABLES.items():
        write_csv(pd.DataFrame(columns), tmp_path / "sharpness" / f"{name}.csv")
    return tmp_path


def test_verdicts_are_of_all_four_tables_and_slopes_of_the_thesis_lie_beside_them(results, monkeypatch):
    seen = []
    monkeypatch.setattr(judge, "judged", lambda found, given: seen.append(found) or judge.table([]))
    monkeypatch.setattr(
        judge, "thesis_slopes", lambda limits, given: limits[["sharpness"]].rename(columns=str.upper)
    )
    files = stages.judged_files(verdicts(), results)
    made = stages.judge_sharpness(verdicts(), files, results / "verdicts.csv")
    assert {"verdicts.csv", "verdicts.md", "thesis.csv"} <= {path.name for path in made.files}
    for name, columns in TABLES.items():
        assert getattr(seen[0], name)["sharpness"].tolist() == columns["sharpness"]
    assert read_csv(results / "thesis.csv")["SHARPNESS"].tolist() == TABLES["limits"]["sharpness"]


def test_what_is_drawn_needs_all_that_its_message_is_judged_by(results):
    files = stages.judged_files(verdicts(), results)
    assert set(files) == {field.name for field in fields(judge.Measured)}
    assert all(path.is_file() for path in files.values())
