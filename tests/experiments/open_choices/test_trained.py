"""What alternatives change in training: planted curves with known differences, and real runs."""

import json
from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from typer.testing import CliRunner

from dynparam.cli import main
from dynparam.configuration.choices import chosen_config
from dynparam.experiments.open_choices.entries import DEFAULT
from dynparam.experiments.open_choices.settings import for_choice_curves, for_choice_run
from dynparam.experiments.open_choices.tables import CURVES as CURVES_FORM
from dynparam.experiments.open_choices.tables import TRAINED as TRAINED_FORM
from dynparam.experiments.open_choices.trained import (
    COLUMNS,
    Conclusion,
    Standing,
    all_trained,
    conclusion,
    standing,
)
from dynparam.statistics.estimates import Estimate
from dynparam.statistics.verdicts import Verdict
from dynparam.support.errors import DataError
from dynparam.support.tables import read_csv, write_csv
from tests import training_runs
from tests.findings_run import configured
from tests.open_choices import (
    BY_DEFAULT,
    CONFIG,
    OPEN_CHOICES,
    invented_curves,
    invented_trained,
)

SETTINGS = for_choice_curves(CONFIG)
CONTROL = "same_parametrization"
HOLDS, FAILS, NONE, OPEN = Standing
SAME, CHANGED, UNDECIDED = Conclusion


def rows_of(table, name):
    return table[table["alternative"] == name].set_index("endpoint")


def judged(curves):
    return all_trained(SETTINGS, OPEN_CHOICES, curves)


def test_shared_noise_cancels_and_the_change_is_that_planted():
    """All choices share a seed's noise, so that a change of 0.02 has no error at all."""
    table = invented_trained({"unit_range": {"train_loss": 0.02, "test_accuracy": -0.01}})
    assert tuple(table.columns) == COLUMNS
    assert len(table) == 3 * len(OPEN_CHOICES.trained())
    mine = rows_of(table, "unit_range")
    planted = {"train_loss area": 0.02, "test_loss last": 0.0, "test_accuracy last": -0.01}
    for column in ("change", "change_low", "change_high"):
        assert mine[column].to_dict() == pytest.approx(planted, abs=1e-12)
    assert mine["difference"].to_numpy() == pytest.approx(mine["default"] + mine["change"])
    choices = table[table["role"] == "choice"]
    others = choices[choices["alternative"] != "unit_range"]
    assert (others[["change", "change_low", "change_high"]].abs() < 1e-12).all().all()
    assert set(others["conclusion"]) == {SAME}


def test_the_columns_of_an_endpoint_are_those_of_its_curves():
    """Area is the trapezoid mean over epochs, and last the last epoch; seed by seed, by hand."""
    curves = invented_curves({"dampened": {"train_loss": 0.01}}, own=0.003)
    epochs = np.arange(CONFIG.open_choices.training.epochs + 1)
    row = rows_of(judged(curves), "dampened").loc["train_loss area"]
    areas = {}
    for choice in (DEFAULT, "dampened"):
        for arm, table in curves[choice].groupby("arm"):
            grid = table.pivot(index="seed", columns="epoch", values="train_loss").to_numpy()
            weights = np.where((epochs == 0) | (epochs == epochs[-1]), 0.5, 1.0) / epochs[-1]
            areas[choice, arm] = grid @ weights
    apart = {one: areas[one, "second"] - areas[one, "first"] for one in (DEFAULT, "dampened")}
    for column, values in {
        "default": apart[DEFAULT],
        "difference": apart["dampened"],
        "change": apart["dampened"] - apart[DEFAULT],
    }.items():
        assert row[column] == pytest.approx(values.mean())
    assert row["first"] == pytest.approx(areas["dampened", "first"].mean())


@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_intervals_are_scipy_s(confidence):
    """Student's, over seeds, of the differences and of their paired change."""
    settings = for_choice_curves(
        configured({} if confidence == 0.95 else {"fit.confidence": confidence})
    )
    curves = invented_curves(own=0.01)
    table = all_trained(settings, OPEN_CHOICES, curves)
    last = CONFIG.open_choices.training.epochs
    ends = {"difference": ("ci_low", "ci_high")}
    for name, column in product(("float64_training", "primal"), ("test_loss", "test_accuracy")):
        apart = {}
        for choice in (DEFAULT, name):
            found = curves[choice][curves[choice]["epoch"] == last].pivot(
                index="seed", columns="arm", values=column
            )
            apart[choice] = (found["second"] - found["first"]).to_numpy()
        known = {"default": apart[DEFAULT], "difference": apart[name]}
        known["change"] = apart[name] - apart[DEFAULT]
        row = rows_of(table, name).loc[f"{column} last"]
        for what, values in known.items():
            expected = stats.ttest_1samp(values, 0.0).confidence_interval(confidence)
            low, high = ends.get(what, (f"{what}_low", f"{what}_high"))
            assert (row[low], row[high]) == pytest.approx(tuple(expected))


def known(low, high):
    return Estimate((low + high) / 2, low, high, 1.0, 4)


@pytest.mark.parametrize(
    ("interval", "better", "stands"),
    [
        ((-0.3, -0.1), "lower", HOLDS),
        ((-0.3, -0.1), "higher", FAILS),
        ((0.1, 0.3), "lower", FAILS),
        ((0.1, 0.3), "higher", HOLDS),
        ((-0.003, -0.001), "lower", HOLDS),
        ((-0.004, 0.006), "lower", NONE),
        ((0.0, 0.0), "lower", NONE),
        ((-0.004, 0.02), "lower", OPEN),
        ((-0.02, 0.004), "higher", OPEN),
        ((-1.0, 1.0), "lower", OPEN),
        ((np.nan, np.nan), "lower", OPEN),
    ],
)
def test_where_a_difference_stands(interval, better, stands):
    assert standing(known(*interval), better, 0.01) is stands


AGREES, DISAGREES, UNSURE = Verdict
INTERVALS = {
    "holds": (-0.3, -0.1),
    "fails": (0.1, 0.3),
    "no difference": (-0.004, 0.006),
    "open": (-1.0, 1.0),
    "open below": (-1.0, 0.009),
    "open above": (-0.009, 1.0),
    "unknown": (np.nan, np.nan),
}
CONCLUSIONS = {
    # by default and there: if the change is within the tolerance, beyond it, undecided
    ("holds", "holds"): (SAME, SAME, SAME),
    ("fails", "fails"): (SAME, SAME, SAME),
    ("no difference", "no difference"): (SAME, SAME, SAME),
    ("holds", "fails"): (CHANGED, CHANGED, CHANGED),
    ("holds", "no difference"): (SAME, CHANGED, UNDECIDED),
    ("fails", "no difference"): (SAME, CHANGED, UNDECIDED),
    ("holds", "open"): (SAME, UNDECIDED, UNDECIDED),
    ("fails", "open"): (SAME, UNDECIDED, UNDECIDED),
    ("holds", "open above"): (SAME, CHANGED, UNDECIDED),
    ("holds", "open below"): (SAME, UNDECIDED, UNDECIDED),
    ("fails", "open below"): (SAME, CHANGED, UNDECIDED),
    ("fails", "open above"): (SAME, UNDECIDED, UNDECIDED),
    ("no difference", "open"): (SAME, UNDECIDED, UNDECIDED),
    ("no difference", "open above"): (SAME, UNDECIDED, UNDECIDED),
    ("open below", "open above"): (SAME, UNDECIDED, UNDECIDED),
    ("open", "open"): (SAME, UNDECIDED, UNDECIDED),
    ("holds", "unknown"): (SAME, UNDECIDED, UNDECIDED),
    ("fails", "unknown"): (SAME, UNDECIDED, UNDECIDED),
}


@pytest.mark.parametrize(("names", "expected"), CONCLUSIONS.items(), ids=str)
def test_what_follows_from_where_differences_stand(names, expected):
    """The same whichever of the two is the default, and for accuracies with all signs turned."""
    for pair in (names, names[::-1]):
        intervals = [INTERVALS[name] for name in pair]
        turned = [(-high, -low) for low, high in intervals]
        for better, (first, second) in (("lower", intervals), ("higher", turned)):
            found = tuple(
                conclusion(known(*first), known(*second), size, better, 0.01)
                for size in (AGREES, DISAGREES, UNSURE)
            )
            assert found == expected


def test_the_control_changes_what_is_known_by_default():
    """Two equal arms: every difference is zero, and those that were none have not changed."""
    mine = rows_of(invented_trained(), CONTROL)
    assert set(mine["role"]) == {"control"}
    assert (mine[["difference", "ci_low", "ci_high"]] == 0).all().all()
    assert mine["conclusion"].to_dict() == {
        "train_loss area": CHANGED,
        "test_loss last": SAME,
        "test_accuracy last": CHANGED,
    }
    assert mine["change"].to_dict() == pytest.approx((-mine["default"]).to_dict())


@pytest.mark.parametrize(
    ("effect", "own", "stands", "found"),
    [
        ({"train_loss": 0.1}, 0.0, FAILS, CHANGED),
        ({"train_loss": 0.1}, 0.004, FAILS, CHANGED),
        ({"train_loss": 0.05}, 0.0, NONE, CHANGED),
        ({"train_loss": 0.03}, 0.0, HOLDS, SAME),
        ({"train_loss": -0.5}, 0.0, HOLDS, SAME),
        ({"train_loss": 0.05}, 0.05, OPEN, UNDECIDED),
    ],
)
def test_each_conclusion_is_reached(effect, own, stands, found):
    table = invented_trained({"running_loss": effect}, own=own, spread=0.001)
    row = rows_of(table, "running_loss").loc["train_loss area"]
    assert (row["stands"], row["conclusion"]) == (stands, found)
    assert row["stands_by_default"] == HOLDS


@pytest.mark.parametrize(
    ("key", "endpoint", "column"),
    [
        ("loss_tolerance", "train_loss area", "train_loss"),
        ("accuracy_tolerance", "test_accuracy last", "test_accuracy"),
    ],
)
def test_each_kind_of_endpoint_has_its_tolerance(key, endpoint, column):
    """A change of 0.02 is none to within 0.03, and one beyond 0.015."""
    curves = invented_curves({"dampened": {column: 0.02}})
    for tolerance, size in ((0.03, AGREES), (0.015, DISAGREES)):
        settings = for_choice_curves(configured({f"open_choices.training.{key}": tolerance}))
        row = rows_of(all_trained(settings, OPEN_CHOICES, curves), "dampened").loc[endpoint]
        assert row["size"] == size


def test_without_a_difference_few_conclusions_are_definite_and_changed():
    """Nothing is planted, each choice has noise of its own as large as the tolerance.

    'Changed' needs an interval on either side of zero, or one beyond the tolerance: at most 5 %. Of 117
    conclusions of 3 draws no more than 20 with probability above 1 - 1e-5, were they independent.
    """
    nothing = {name: -value for name, value in BY_DEFAULT.items()}
    effects = dict.fromkeys(OPEN_CHOICES.needed_curves(), nothing)
    changed = 0
    for seed in range(3):
        table = invented_trained(effects, own=0.01, seed=seed)
        choices = table[table["role"] == "choice"]
        changed += int((choices["conclusion"] == CHANGED).sum())
    assert len(choices) == 39
    assert changed <= 20


def diverged(table, arm, seed, epoch):
    mine = (table["arm"] == arm) & (table["seed"] == seed)
    kept = table[~(mine & (table["epoch"] > epoch))].copy()
    last = (kept["arm"] == arm) & (kept["seed"] == seed) & (kept["epoch"] == epoch)
    kept.loc[last, ["train_loss", "test_loss"]] = np.nan
    return kept


def test_a_seed_that_diverges_is_left_out_of_its_choice_and_of_the_change():
    curves = invented_curves(own=0.002)
    curves["dampened"] = diverged(curves["dampened"], "second", 1, 2)
    row = rows_of(judged(curves), "dampened").loc["train_loss area"]
    whole = rows_of(judged(invented_curves(own=0.002)), "dampened").loc["train_loss area"]
    assert row["pairs"] == whole["pairs"] - 1 == CONFIG.open_choices.training.seeds - 1
    assert row["default"] == whole["default"]
    kept = {choice: table[table["seed"] != 1] for choice, table in curves.items()}
    fewer = []
    for table in (kept["dampened"], kept[DEFAULT]):
        grid = table.pivot(index=["arm", "seed"], columns="epoch", values="train_loss")
        area = np.trapezoid(grid.to_numpy(), axis=1).reshape(2, -1) / grid.columns.max()
        fewer.append(area[1] - area[0])
    assert row["difference"] == pytest.approx(fewer[0].mean())
    assert row["change"] == pytest.approx((fewer[0] - fewer[1]).mean())


def test_a_pair_of_the_change_needs_the_seed_under_both_choices():
    """Seed 0 is lost by default, seeds 1 and 2 there: each mean is over the seeds it has."""
    curves = invented_curves(own=0.002)
    whole = {choice: table.copy() for choice, table in curves.items()}
    curves[DEFAULT] = diverged(curves[DEFAULT], "first", 0, 1)
    for seed, arm in ((1, "second"), (2, "first")):
        curves["dampened"] = diverged(curves["dampened"], arm, seed, 1)
    row = rows_of(judged(curves), "dampened").loc["test_accuracy last"]
    assert row["pairs"] == SEEDS - 3
    apart, first = {}, {}
    for choice, lost in ((DEFAULT, {0}), ("dampened", {1, 2})):
        last = whole[choice][whole[choice]["epoch"] == EPOCHS]
        last = last[~last["seed"].isin(lost)].pivot(index="seed", columns="arm", values="test_accuracy")
        apart[choice], first[choice] = last["second"] - last["first"], last["first"]
    change = (apart["dampened"] - apart[DEFAULT]).dropna()
    assert len(change) == SEEDS - 3
    for column, values in {
        "default": apart[DEFAULT],
        "difference": apart["dampened"],
        "change": change,
        "first": first["dampened"],
    }.items():
        assert row[column] == pytest.approx(values.mean()), column


def test_the_mean_of_the_first_arm_is_that_under_the_choice():
    curves = invented_curves()
    numbers = ["train_loss", "test_loss", "test_accuracy"]
    curves["dampened"][numbers] += 0.125  # of both arms: no difference changes
    table = judged(curves)
    mine, other = (rows_of(table, name)["first"] for name in ("dampened", "primal"))
    assert mine.to_dict() == pytest.approx((other + 0.125).to_dict())
    assert set(rows_of(table, "dampened")["conclusion"]) == {SAME}


def test_too_few_seeds_that_are_left_decide_nothing(tmp_path):
    curves = invented_curves()
    for seed in range(1, CONFIG.open_choices.training.seeds):
        curves["dampened"] = diverged(curves["dampened"], "first", seed, 1)
    table = judged(curves)
    mine = rows_of(table, "dampened")
    assert set(mine["pairs"]) == {1}
    assert set(mine["stands"]) == {OPEN}
    assert set(mine["size"]) == {UNSURE}
    assert set(mine["conclusion"]) == {UNDECIDED}
    assert mine[["ci_low", "change", "change_high"]].isna().all().all()
    assert set(rows_of(table, "primal")["conclusion"]) == {SAME}
    write_csv(table, tmp_path / "training.csv")
    again = read_csv(tmp_path / "training.csv", TRAINED_FORM)
    assert again["conclusion"].tolist() == table["conclusion"].tolist()


SEEDS, EPOCHS = CONFIG.open_choices.training.seeds, CONFIG.open_choices.training.epochs
NOT_ASKED = f"not of seeds 0 to {SEEDS - 1} on airplane-automobile over {EPOCHS} epochs"
WRONG = {
    "a seed is missing in one arm": (
        "primal",
        lambda t: t[(t["seed"] > 0) | (t["arm"] == "first")],
        NOT_ASKED,
    ),
    "a seed more in one arm": (
        "primal",
        lambda t: pd.concat([t, t[(t["seed"] == 0) & (t["arm"] == "second")].assign(seed=99)]),
        NOT_ASKED,
    ),
    "a seed is missing": ("primal", lambda t: t[t["seed"] > 0], NOT_ASKED),
    "another seed": ("primal", lambda t: t.assign(seed=t["seed"] + 1), NOT_ASKED),
    "an epoch too few": ("primal", lambda t: t[t["epoch"] < EPOCHS], "train that run to its end"),
    "an epoch is missing": ("primal", lambda t: t[t["epoch"] != 1], "train that run to its end"),
    "another task": ("primal", lambda t: t.assign(task="bird-cat"), NOT_ASKED),
    "one arm": ("primal", lambda t: t[t["arm"] == "first"], "its arms are of spectral"),
    "no row": ("primal", lambda t: t.head(0), "its arms are of nothing"),
    "two kinds in an arm": (
        "primal",
        lambda t: t.assign(parametrization=["mup", *t["parametrization"][1:]]),
        "its arms are of mup, spectral, dynamic",
    ),
    "a default of others": (
        DEFAULT,
        lambda t: t.assign(parametrization=t["parametrization"].replace("dynamic", "mup")),
        "the curves by default are of spectral and mup, not of spectral and dynamic",
    ),
}


@pytest.mark.parametrize("kind", WRONG)
def test_curves_that_are_not_those_asked_for_are_refused(kind):
    choice, spoil, told = WRONG[kind]
    curves = invented_curves()
    curves[choice] = spoil(curves[choice])
    with pytest.raises(DataError) as refusal:
        judged(curves)
    assert told in str(refusal.value)
    assert choice in str(refusal.value) or choice == DEFAULT


def test_more_epochs_than_asked_for_are_refused():
    curves = invented_curves()
    curves["primal"] = invented_curves(epochs=EPOCHS + 1)["primal"]
    with pytest.raises(DataError, match=NOT_ASKED):
        judged(curves)


@pytest.mark.parametrize("name", [DEFAULT, *OPEN_CHOICES.trained()])
def test_the_runs_of_a_choice_are_the_default_s_but_for_its_overlay(name):
    """Network, epochs and task are those of the block, whatever the protocol says."""
    run = for_choice_run(chosen_config(OPEN_CHOICES, CONFIG, name))
    curves = CONFIG.open_choices.training
    assert (run.protocol.n, run.protocol.n_min) == (curves.n, curves.n_min)
    assert run.protocol.epochs == curves.epochs
    assert list(run.data.pairs) == [curves.task]
    values = for_choice_run(CONFIG).model_dump(mode="json")
    found = run.model_dump(mode="json")
    changed = {
        (block, key)
        for block in found
        for key in found[block]
        if found[block][key] != values[block][key]
    }
    overlay = {} if name == DEFAULT else OPEN_CHOICES.trained()[name].overlay
    assert changed == {(block, key) for block, keys in overlay.items() for key in keys}


def tiny(tmp_path):
    """Blocks of a tiny training, and its images."""
    values = training_runs.run_values(epochs=2)
    images = training_runs.write_pair(tmp_path / "images.npz")
    return json.dumps(values | {"training": {"parametrizations": ["spectral", "dynamic"]}}), images


def invoke(*arguments):
    done = CliRunner().invoke(main.app, list(map(str, arguments)), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done


def train_choice(tmp_path, settings, images, place, seeds="0-1"):
    invoke(
        *("choices", "train", training_runs.TASK, "--config", f"only={settings}", "--images", images),
        *("--runs", tmp_path / "runs", "--device", "cpu", "--seeds", seeds, "--output", place),
    )
    return read_csv(place, CURVES_FORM)


def test_both_arms_are_what_train_makes_of_them(tmp_path):
    """The same numbers as `dynparam train` with records of its own, one parametrization at a time."""
    settings, images = tiny(tmp_path)
    table = train_choice(tmp_path, settings, images, tmp_path / "choice.csv")
    run = json.dumps({key: value for key, value in json.loads(settings).items() if key != "training"})
    for arm, name in (("first", "spectral"), ("second", "dynamic")):
        place = tmp_path / name / "0-1.csv"
        invoke(
            *(
                "train",
                training_runs.TASK,
                name,
                "--config",
                f"only={run}",
                "--images",
                images,
                "--seeds",
                "0-1",
            ),
            *("--runs", tmp_path / "others", "--device", "cpu", "--output", place),
        )
        mine = table[table["arm"] == arm].drop(columns="arm").reset_index(drop=True)
        assert mine.equals(read_csv(place))
    origins = json.loads((tmp_path / "choice.json").read_text())["runs"]
    assert [sorted(one["seeds"]) for one in origins] == [["0", "1"], ["0", "1"]]


def test_finished_runs_are_not_trained_again(tmp_path):
    """A further seed is trained, and the others' records stay as they are, to the byte."""
    settings, images = tiny(tmp_path)
    first = train_choice(tmp_path, settings, images, tmp_path / "choice.csv")
    records = {path: path.read_bytes() for path in (tmp_path / "runs").rglob("seed-*.json")}
    assert len(records) == 4
    more = train_choice(tmp_path, settings, images, tmp_path / "more.csv", seeds="0-2")
    assert {path: path.read_bytes() for path in records} == records
    assert len(list((tmp_path / "runs").rglob("seed-*.json"))) == 6
    assert more[more["seed"] < 2].reset_index(drop=True).equals(first)
