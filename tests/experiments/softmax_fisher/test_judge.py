"""Verdicts on planted eigenvalues."""

import numpy as np
import pytest
from scipy import stats

from dynparam.experiments.softmax_fisher.judge import judged, networks, outputs_stay
from dynparam.experiments.softmax_fisher.tables import HE
from dynparam.statistics.judged import CLAIM, CONTROL, FORM, RIGHT, SHOWN, WRONG
from dynparam.support.errors import DataError
from dynparam.support.tables import read_csv, write_csv
from dynparam.theory.parametrization import HALF, NAMES
from tests import softmax

STAGE, SCATTERED = softmax.stage(), softmax.scattered_stage()
SPREAD = "spread e_1 / e_{C-1} over that of the squared loss"


def verdicts(table, quantity, role=CLAIM):
    rows = table[(table["quantity"] == quantity) & (table["role"] == role)]
    return rows["verdict"].tolist()


def test_what_is_as_theory_has_it_agrees_and_controls_do_not():
    table = judged(softmax.planted(), STAGE)
    assert set(table.loc[table["role"] == CLAIM, "verdict"]) <= set(RIGHT)
    controls = table[table["role"] == CONTROL]
    assert controls["verdict"].tolist() == 3 * ["disagrees"]
    assert controls["setting"].tolist() == [
        "He's initialization",
        "ntk, n = 1000",
        "standard, n = 1000",
    ]


@pytest.mark.parametrize(
    ("ratio", "verdict"), [(1.15, "agrees"), (1.2, "undecided"), (1.3, "disagrees")]
)
def test_the_mean_over_outliers_has_its_tolerance(ratio, verdict):
    """1.2 is the tolerance itself, and the scatter of 1 % leaves it open."""
    table = judged(softmax.planted(ratio), STAGE)
    found = verdicts(table, "mean over the C - 1 outliers of e / refined")
    assert len(found) == 11
    assert found[0] == verdict


@pytest.mark.parametrize(("ratio", "verdict"), [(1.1, "agrees"), (1.17, "disagrees")])
@pytest.mark.parametrize(
    "quantity",
    [
        "e_1 / refined",
        "sum of eigenvalues over theory",
        "largest eigenvalue of the input metric over theory",
    ],
)
def test_other_ratios_have_theirs(quantity, ratio, verdict):
    assert set(verdicts(judged(softmax.planted(ratio), STAGE), quantity)) == {verdict}


def test_dispersed_outliers_are_told_from_others():
    """Where outputs stay, a spread of 1.5 is too little; where they vanish, of 1.02 is within bounds."""
    table = judged(softmax.planted(spread=1.5), STAGE).set_index(["setting", "quantity"])
    found = {
        name: table.loc[(f"{name}, n = 1000", SPREAD), "verdict"]
        for name in STAGE.softmax_fisher.parametrizations
    }
    holding = {name for name, verdict in found.items() if verdict == "holds"}
    assert holding == {"mup", "spectral", "dynamic"}
    assert {found[name] for name in ("ntk", "standard")} == {"fails"}


def test_a_control_that_agrees_makes_no_table():
    """Outliers that softmax does not spread at all: without it they spread as far."""
    with pytest.raises(DataError, match=r"control 'spread e_1 / e_\{C-1\} without softmax'"):
        judged(softmax.planted(spread=1.1), STAGE)


def test_outliers_of_the_squared_loss_are_counted_by_the_widest_gap():
    table = softmax.planted().copy()
    squared = (table["quantity"] == "squared") & (table["part"] == "gaussian") & (table["rank"] == 5)
    table.loc[squared, "value"] = 0.11
    with pytest.raises(DataError, match="control 'outliers of the squared loss'"):
        judged(table, STAGE)


def test_gaps_and_the_simple_form_have_no_verdict():
    table = judged(softmax.planted(), STAGE).set_index("quantity")
    assert table.loc["e_C / e_{C-1}, softmax", "verdict"] == ""
    assert table.loc["e_C / e_{C-1}, softmax", "measured"] == pytest.approx(0.1)
    assert set(table.loc["e_1 / simple form", "verdict"]) == {""}
    assert table.loc["e_1 / simple form", "measured"].iloc[0] == pytest.approx(1.1, abs=0.02)


def test_intervals_are_students_over_trials():
    network = networks(softmax.planted(), STAGE)[0]
    ratios = network.values["softmax"][:, 0] / network.values["refined"][:, 0]
    found, count = network.ratio("softmax", "refined"), len(ratios)
    reach = 2.093 * ratios.std(ddof=1) / np.sqrt(count)  # t of 19 degrees of freedom
    assert count == 20
    assert found.ci_high - found.value == pytest.approx(reach, rel=1e-3)


def test_outputs_stay_under_ntk_and_standard_alone():
    assert {name for name in NAMES if outputs_stay(name, HALF)} == {"ntk", "standard"}
    assert outputs_stay("dynamic", HALF - HALF)


def test_the_table_is_read_as_it_was_written(tmp_path):
    write_csv(judged(softmax.planted(), STAGE), tmp_path / "softmax.csv")
    table = read_csv(tmp_path / "softmax.csv", FORM)
    assert not set(table.loc[table["role"] == CONTROL, "verdict"]) - set(WRONG)


def of_networks(trials):
    """(part, n, scales) -> quantity -> eigenvalues (trials, ranks)."""
    return {
        network: {
            name: rows.pivot(index="trial", columns="rank", values="value").to_numpy()
            for name, rows in mine.groupby("quantity")
        }
        for network, mine in trials.groupby(["part", "n", "scales"])
    }


def by_hand(network, e):
    """quantity and role -> expected value, values over trials, what is accepted, the note."""
    part, n, scales = network
    c, limits = (5 if part == "gaussian" else 4), SCATTERED.softmax_fisher.tolerances
    found = {
        ("mean over the C - 1 outliers of e / refined", CLAIM): (
            1.0,
            np.mean([e["softmax"][:, k] / e["refined"][:, k] for k in range(c - 1)], axis=0),
            (1 - limits.outliers, 1 + limits.outliers),
            "",
        ),
        ("sum of eigenvalues over theory", CLAIM): (
            1.0,
            e["trace"][:, 0] / e["trace_refined"][:, 0],
            (1 - limits.trace, 1 + limits.trace),
            "",
        ),
        ("e_1 / simple form", SHOWN): (
            1.0,
            e["softmax"][:, 0] / e["simple"][:, 0],
            OPEN_ENDS,
            f"good where K1/(T K2) is small; here {e['remainder'].mean():.2g}",
        ),
    }
    if part == "gaussian":
        near = (1 - limits.largest, 1 + limits.largest)
        found["e_1 / refined", CLAIM] = (1.0, e["softmax"][:, 0] / e["refined"][:, 0], near, "")
        name = "largest eigenvalue of the input metric over theory"
        found[name, CLAIM] = (1.0, e["input"][:, 0] / e["input_wide"][:, 0], near, "")
        counted = [1 + max(range(7), key=lambda k, row=row: row[k] / row[k + 1]) for row in e["squared"]]
        name = "outliers of the squared loss"
        found[name, CLAIM] = (5.0, counted, (4.5, 5.5), "eigenvalues before the widest gap")
        found[name, CONTROL] = (4.0, counted, (3.5, 4.5), "C - 1 of them, as of softmax")
        squared = e["squared"][:, 5] / e["squared"][:, 4]
        found["e_{C+1} / e_C, squared loss", SHOWN] = (np.nan, squared, OPEN_ENDS, "")
        own = e["softmax"][:, 4] / e["softmax"][:, 3]
        note = "a gap is not always visible: some p_t are extreme"
        found["e_C / e_{C-1}, softmax", SHOWN] = (np.nan, own, OPEN_ENDS, note)
        return found
    spread = {name: e[name][:, 0] / e[name][:, 2] for name in ("softmax", "refined", "squared")}
    squared = e["squared"][:, 0] / e["squared"][:, 3]
    bound = limits.dispersed if scales == "ntk" else limits.alike
    ends = (bound, np.nan) if scales == "ntk" else (np.nan, bound)
    size = f"f_rms = {e['output_rms'].mean():.2g}"
    found[SPREAD, CLAIM] = (bound, spread["softmax"] / squared, ends, size)
    wide = spread["refined"].mean()
    name = "spread e_1 / e_{C-1}, softmax"
    found[name, SHOWN] = (wide, spread["softmax"], OPEN_ENDS, "expected: refined")
    found["spread e_1 / e_C, squared loss", SHOWN] = (1.0, squared, OPEN_ENDS, "")
    if (n, scales) == (256, "ntk"):
        ends = (wide * (1 - limits.outliers), wide * (1 + limits.outliers))
        name = "spread e_1 / e_{C-1} without softmax"
        note = "no softmax, Q = I/C, but said to spread as softmax does"
        found[name, CONTROL] = (wide, spread["squared"], ends, note)
    return found


OPEN_ENDS = (np.nan, np.nan)


def test_every_row_is_that_of_its_eigenvalues():
    """Of eigenvalues that nothing has in common: expected, measured, interval, bounds and note."""
    trials = softmax.scattered()
    table = judged(trials, SCATTERED)
    rows = table.set_index(["experiment", "setting", "quantity", "role"])
    names = {("gaussian", 0, HE): "He's initialization"}
    told = 0
    for network, values in of_networks(trials).items():
        setting = names.get(network, f"{network[2]}, n = {network[1]}")
        for (quantity, role), (expected, found, accepted, note) in by_hand(network, values).items():
            row = rows.loc[(network[0], setting, quantity, role)]
            error = np.std(found, ddof=1) / 2  # of four trials
            reach = stats.t.ppf((1 + SCATTERED.fit.confidence) / 2, 3) * error
            mean = np.mean(found)
            numbers = [expected, mean, mean - reach, mean + reach, *accepted]
            columns = ["expected", "measured", "ci_low", "ci_high", "accepted_low", "accepted_high"]
            assert row[columns].tolist() == pytest.approx(numbers, nan_ok=True), (network, quantity)
            assert row["note"] == note
            told += 1
    assert told == len(table)
