import re
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from dynparam.configuration.config import Config
from dynparam.configuration.loading import load
from dynparam.experiments.training_curves.claims import (
    COLUMNS,
    Comparison,
    _corrected,
    judge_all,
    judge_curves,
)
from dynparam.experiments.training_curves.domain import DOMAIN_COLUMNS, domain_files, domain_table
from dynparam.experiments.training_curves.settings import ClaimsStage, for_claims
from dynparam.statistics.differences import BOOTSTRAP_PAIRS
from dynparam.statistics.moderation import Spread, fit_prior
from dynparam.statistics.multiplicity import holm
from dynparam.support.errors import DataError
from dynparam.support.tables import read_csv, write_csv
from dynparam.training.paired_curves import QUANTITIES, pair_curves

ROOT = Path(__file__).parents[3]
BOTH = ("spectral", "dynamic")
SIDES = {"train_loss": -1, "test_loss": -1, "train_accuracy": 1, "test_accuracy": 1}
FLIPPED = {"holds": "fails", "fails": "holds", "undecided": "undecided"}


def claims_stage(
    parametrizations=BOTH, epochs=(1, 5, 10), domain_epochs=4, confidence=0.95, primary=()
) -> ClaimsStage:
    """The thesis's settings with few epochs and resamples, and no primary comparison."""
    whole = load(Config, [str(ROOT / "config" / "thesis.yaml")])
    stage = for_claims(whole)
    return stage.model_copy(
        update={
            "training": stage.training.model_copy(update={"parametrizations": parametrizations}),
            "domain": stage.domain.model_copy(update={"epochs": domain_epochs}),
            "claims": stage.claims.model_copy(update={"epochs": epochs, "primary": primary}),
            "fit": stage.fit.model_copy(update={"resamples": 199, "confidence": confidence}),
        }
    )


def curves(
    shift=0.0, *, parametrization="spectral", seeds=range(5), last=10, task="bird-cat", noise=0.01
):
    """Invented curves: an exponential decay common to both, each seed's own offset, ``shift``, noise.

    A shift of +1 is one unit better in every quantity, from epoch 1 on. No loss ever jumps.
    """
    tables = []
    for seed in seeds:
        own = 9 + np.random.default_rng([seed, 7]).normal()
        draw = np.random.default_rng([seed, len(parametrization)])
        epoch = np.arange(last + 1)
        better = shift * (epoch > 0)
        values = {
            name: own + np.exp(-epoch / 3) + side * better + noise * draw.normal(size=last + 1)
            for name, side in SIDES.items()
        }
        named = {"task": task, "parametrization": parametrization, "seed": seed, "epoch": epoch}
        tables.append(pd.DataFrame({**named, **values}))
    return pd.concat(tables, ignore_index=True)


def both(shift=0.0, **options):
    first = curves(**options)
    return first, curves(shift, parametrization="dynamic", **options)


def diverged(table, seed, epoch, value=np.nan):
    """The table as if the run of ``seed`` had diverged at ``epoch``: its losses there are ``value``."""
    kept = table[(table["seed"] != seed) | (table["epoch"] <= epoch)].copy()
    kept.loc[(kept["seed"] == seed) & (kept["epoch"] == epoch), ["train_loss", "test_loss"]] = value
    return kept


def compared(*given):
    """The table of claims at single epochs and over the area, where these curves differ by the shift."""
    table = judge_curves(*given)
    return table[~table["metric"].str.endswith(("jumps", "best"))].reset_index(drop=True)


def row(table, metric):
    found = table[table["metric"] == metric]
    assert len(found) == 1
    return found.iloc[0]


def test_rows_and_their_wording():
    table = judge_curves(claims_stage(epochs=(1, 5, 50)), "Fig. 3.5", *both(0.5))
    assert tuple(table.columns) == COLUMNS
    assert table["metric"].tolist() == [
        f"{metric} {place}"
        for metric, more in zip(QUANTITIES, (["jumps"], ["best"], [], ["best"]), strict=True)
        for place in ("epoch 1", "epoch 5", "area", *more)
    ]
    assert set(table["source"]) == {"Fig. 3.5"}
    assert table["claim"].unique().tolist() == [
        "bird-cat: dynamic has the lower training loss",
        "bird-cat: dynamic's training loss jumps less often",
        "bird-cat: dynamic has the lower test loss",
        "bird-cat: dynamic has the higher training accuracy",
        "bird-cat: dynamic has the higher test accuracy",
    ]
    note = row(table, "test_loss epoch 5")["note"]
    assert note.startswith("5 pairs; effect size d_z = -")
    assert re.search(r"; 95% interval: Student's t, moderated, [\d.]+ degrees of freedom$", note)


@pytest.mark.parametrize(("shift", "verdict"), [(0.5, "holds"), (-0.5, "fails"), (0.0, "undecided")])
def test_each_verdict_is_reached(shift, verdict):
    """0.5 is 35 standard deviations of a difference. Without a difference the seeds are chosen."""
    table = compared(claims_stage(), "Fig. 3.4", *both(shift, seeds=range(20, 24)))
    assert set(table["verdict"]) == {verdict}


@pytest.mark.parametrize("metric", list(QUANTITIES))
def test_values_and_student_intervals_against_ttest_rel(metric):
    """A quantity of two rows has too few of them to lend each other anything."""
    first, second = both(0.02)
    settings = claims_stage(confidence=0.9, epochs=(5,))
    found = row(judge_curves(settings, "", first, second), f"{metric} epoch 5")
    sides = [table.loc[table["epoch"] == 5, metric].to_numpy() for table in (second, first)]
    expected = stats.ttest_rel(*sides)
    assert found["value"] == pytest.approx(np.mean(sides[0] - sides[1]))
    assert (found["ci_low"], found["ci_high"]) == pytest.approx(tuple(expected.confidence_interval(0.9)))
    assert found["p_value"] == pytest.approx(expected.pvalue)
    assert found["note"].endswith("interval: Student's t")


def test_means_over_draws_and_single_pairs_lend_each_other_nothing():
    """The variance of a mean of two pairs is not that of a pair."""
    values = np.random.default_rng(0).normal(0.5, 0.1, (2, 8))
    single, drawn = (
        Comparison("test_loss", "epoch 5", *values, np.repeat(np.arange(draws), 8 // draws)).spread()
        for draws in (1, 4)
    )
    assert single.kind != drawn.kind
    assert (single.freedom, drawn.freedom) == (7, 3)
    jumps = Comparison("train_loss", "jumps", *values, np.zeros(8, int)).spread()
    assert jumps.kind != Comparison("train_loss", "area", *values, np.zeros(8, int)).spread().kind


def test_rows_of_a_quantity_lend_each_other_their_variances():
    """By hand from the differences: each row's level is its loss, that of an accuracy its errors."""
    first, second = both(0.02)
    accuracies = [name for name in QUANTITIES if name.endswith("accuracy")]
    for table in (first, second):
        table[accuracies] = table[accuracies] / 30
    settings = claims_stage(epochs=(1, 3, 5, 10))
    found = judge_curves(settings, "", first, second)
    spreads = {}
    for metric in QUANTITIES:
        for epoch in (1, 3, 5, 10):
            a, b = (t.loc[t["epoch"] == epoch, metric].to_numpy() for t in (first, second))
            level = np.concatenate([a, b]).mean()
            level = 1 - level if metric in accuracies else level
            spreads[f"{metric} epoch {epoch}"] = Spread(metric, level, (b - a).var(ddof=1), 4)
        blocks = [
            t.pivot(index="seed", columns="epoch", values=metric).to_numpy() for t in (first, second)
        ]
        areas = [(block[:, 1:] + block[:, :-1]).sum(axis=1) / 20 for block in blocks]
        best = [block.max(axis=1) if metric in accuracies else block.min(axis=1) for block in blocks]
        for name, (a, b) in {"area": areas, "best": best}.items():
            level = np.concatenate([a, b]).mean()
            level = 1 - level if metric in accuracies else level
            if name == "area" or metric.startswith("test"):
                spreads[f"{metric} {name}"] = Spread(metric, level, (b - a).var(ddof=1), 4)
    prior = fit_prior(list(spreads.values()))
    assert prior.freedom > 0
    for name, spread in spreads.items():
        variance, freedom = prior.moderate(spread)
        mine = row(found, name)
        half = stats.t.ppf(0.975, freedom) * np.sqrt(variance / 5)
        assert (mine["ci_high"] - mine["ci_low"]) / 2 == pytest.approx(half), name
        assert mine["p_value"] == pytest.approx(
            2 * stats.t.sf(abs(mine["value"]) / np.sqrt(variance / 5), freedom)
        )


def test_rows_of_two_pairs_lend_each_other_their_variances_too():
    table = judge_curves(claims_stage(epochs=(1, 3, 5, 10)), "", *both(0.02, seeds=range(2)))
    freedom = table["note"].str.extract(r"moderated, ([\d.]+) degrees")[0].astype(float)
    losses = table["metric"].str.contains("loss (?:epoch|area|best)")
    assert (freedom[losses] > 1).all(), "one pair has one degree of its own"


def test_area_by_hand():
    """Differences 0, 1, 1, 3 and twice that at epochs 0 to 3: (0/2 + 1 + 1 + 3/2)/3 = 7/6 and 7/3."""
    first, second = (curves(seeds=(0, 1), last=3, noise=0, parametrization=name) for name in BOTH)
    second["test_loss"] += np.outer([1, 2], [0, 1, 1, 3]).ravel()
    found = row(compared(claims_stage(), "", first, second), "test_loss area")
    assert found["value"] == pytest.approx((7 / 6 + 7 / 3) / 2)


def test_the_area_of_a_constant_is_the_constant():
    first, second = both(noise=0)
    second["train_loss"] += 0.25
    found = row(compared(claims_stage(), "", first, second), "train_loss area")
    assert (found["value"], found["ci_low"], found["ci_high"]) == pytest.approx((0.25,) * 3)
    assert found["verdict"] == "fails"
    assert "d_z = +inf" in found["note"]


@pytest.mark.parametrize("seeds", [range(5), range(12)], ids=["student", "bootstrap"])
def test_swapped_parametrizations_swap_signs_and_verdicts(seeds):
    """The bootstrap draws the same pairs both ways, so its ends swap too, to rounding."""
    first, second = both(0.01, seeds=seeds)
    table = compared(claims_stage(), "", first, second)
    swapped = compared(claims_stage(BOTH[::-1]), "", second, first)
    assert set(table["verdict"]) > {"undecided"}
    assert swapped["verdict"].tolist() == [FLIPPED[verdict] for verdict in table["verdict"]]
    assert swapped["value"].to_numpy() == pytest.approx(-table["value"].to_numpy())
    width = (table["ci_high"] - table["ci_low"]).to_numpy()
    shifts = (swapped["ci_low"] + table["ci_high"]).to_numpy() / width
    # Order statistics of 199 resamples from either end are a few ranks apart.
    assert np.abs(shifts).max() < 0.1
    assert swapped["claim"].str.contains(": spectral has the ").all()


def test_pairs_are_paired():
    """Seeds' offsets are 100 times the noise: unpaired intervals would be undecided everywhere."""
    first, second = both(0.1, seeds=range(20))
    pooled = compared(claims_stage(), "", first, second)
    assert set(pooled["verdict"]) == {"holds"}
    # Negative control: the second table's seeds paired with others.
    broken = second.assign(seed=(second["seed"] + 7) % 20)
    assert set(compared(claims_stage(), "", first, broken)["verdict"]) == {"undecided"}


def test_order_of_rows_does_not_matter():
    """Seeds of equal remainder: a set of them has the order in which they came in.

    As many as resampling needs: Student's interval would be the same in any order.
    """
    first, second = both(0.01, seeds=range(0, BOOTSTRAP_PAIRS * 256, 256))
    shuffled = [table.sample(frac=1, random_state=3) for table in (first, second)]
    expected = compared(claims_stage(), "", first, second)
    pd.testing.assert_frame_equal(compared(claims_stage(), "", *shuffled), expected)


def test_a_comparison_does_not_depend_on_the_others():
    """The generator follows from what a comparison is, so other epochs change nothing.

    Of many pairs: those of few lend each other their variances.
    """
    few, many = (
        compared(claims_stage(epochs=epochs), "", *both(0.01, seeds=range(BOOTSTRAP_PAIRS)))
        for epochs in ((5,), (1, 5, 10))
    )
    pd.testing.assert_series_equal(
        row(few, "test_loss epoch 5"), row(many, "test_loss epoch 5"), check_names=False
    )


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("side", [0, 1])
def test_a_pair_counts_until_one_of_its_runs_diverges(value, side):
    tables = list(both(0.5))
    tables[side] = diverged(tables[side], 3, 5, value)
    table = compared(claims_stage(), "", *tables)
    for metric in QUANTITIES:
        before = row(table, f"{metric} epoch 1")
        assert before["note"].startswith("5 pairs")
        assert "left out" not in before["note"]
        for place in ("epoch 5", "epoch 10", "area"):
            after = row(table, f"{metric} {place}")
            assert after["note"].startswith("4 pairs; ")
            assert after["note"].endswith("; 1 of 5 pairs left out: diverged")
    without = compared(claims_stage(), "", *(t[t["seed"] != 3] for t in both(0.5)))
    late = table["metric"].str.endswith("10")
    assert table.loc[late, "value"].to_numpy() == pytest.approx(without.loc[late, "value"].to_numpy())


def test_every_comparison_draws_its_own_resamples():
    """The same differences in all quantities and epochs, and yet no two equal intervals."""
    first = curves(noise=0, seeds=range(60))
    own = np.random.default_rng(2).normal(size=60)[first["seed"]]
    second = first.assign(parametrization="dynamic", **{name: first[name] + own for name in QUANTITIES})
    table = compared(claims_stage(), "", first, second)
    assert table["value"].to_numpy() == pytest.approx(table["value"][0])
    assert table["ci_low"].round(9).nunique() > 8


def test_a_run_that_recovers_stays_left_out():
    """One loss that is not finite ends a pair, whatever the table says of later epochs."""
    first, second = both(0.5)
    first.loc[(first["seed"] == 3) & (first["epoch"] == 2), "train_loss"] = np.inf
    note = row(compared(claims_stage(), "", first, second), "test_accuracy epoch 10")["note"]
    assert note.endswith("; 1 of 5 pairs left out: diverged")


@pytest.mark.parametrize(("survivors", "pairs"), [((), "0 pairs"), ((0,), "1 pair")])
def test_too_few_survivors_are_undecided(survivors, pairs):
    first, second = both(0.5)
    for seed in set(range(5)) - set(survivors):
        first = diverged(first, seed, 2)
    table = compared(claims_stage(), "", first, second)
    assert set(table.loc[table["metric"].str.endswith("epoch 1"), "verdict"]) == {"holds"}
    late = table[~table["metric"].str.endswith("epoch 1")]
    assert set(late["verdict"]) == {"undecided"}
    assert late[["value", "ci_low", "ci_high"]].isna().all(axis=None)
    left = 5 - len(survivors)
    note = f"{pairs}; too few for an interval; {left} of 5 pairs left out: diverged"
    assert set(late["note"]) == {note}


def test_common_seeds_are_compared_and_others_named():
    first, second = curves(seeds=range(6)), curves(0.5, parametrization="dynamic", seeds=range(2, 7))
    table = compared(claims_stage(), "", first, second)
    assert table["note"].str.startswith("4 pairs; ").all()
    ending = "; seeds differ: 4 in common, 2 only under spectral and 1 only under dynamic"
    assert table["note"].str.endswith(ending).all()
    common = compared(claims_stage(), "", *both(0.5, seeds=range(2, 6)))
    pd.testing.assert_frame_equal(table.drop(columns="note"), common.drop(columns="note"))


def test_the_note_says_which_interval():
    lower = judge_curves(claims_stage(confidence=0.9), "", *both(0.5))
    assert lower["note"].str.contains("90% interval: Student's t").all()
    for count, kind in ((BOOTSTRAP_PAIRS - 1, "Student's t"), (BOOTSTRAP_PAIRS, "BCa bootstrap")):
        table = compared(claims_stage(), "", *both(0.5, seeds=range(count)))
        assert table["note"].str.contains(f"95% interval: {kind}").all()


def gap(table):
    return table[(table["seed"] != 2) | (table["epoch"] != 4)]


def unfinished(table):
    return table[(table["seed"] != 2) | (table["epoch"] < 8)]


REFUSED = [
    (lambda first, second: (first.drop(columns="test_loss"), second), "lacks test_loss"),
    (lambda first, second: (second, first), "under spectral is compared"),
    (lambda first, second: (pd.concat([first, second]), second), "under spectral is compared"),
    (lambda first, second: (first, second.assign(task="cat-dog")), "do not pair"),
    (
        lambda first, second: (first, second.assign(seed=second["seed"] + 4)),
        r"share fewer than two seeds \(1\)",
    ),
    (lambda first, second: (gap(first), second), "seed 2 under spectral on bird-cat"),
    (lambda first, second: (first, unfinished(second)), "seed 2 under dynamic .* train that run"),
    (lambda first, second: (first, pd.concat([second, second])), "one row for each epoch"),
    (lambda first, second: (first[first["epoch"] == 0], second[second["epoch"] == 0]), "at least one"),
]


@pytest.mark.parametrize(("broken", "message"), REFUSED)
def test_broken_tables_are_refused(broken, message):
    with pytest.raises(DataError, match=message):
        compared(claims_stage(), "", *broken(*both(0.5)))


def test_the_table_survives_its_file(tmp_path):
    table = compared(claims_stage(), "Fig. 3.4", *both(0.5))
    write_csv(table, tmp_path / "claims.csv")
    found = read_csv(tmp_path / "claims.csv")
    assert tuple(found.columns) == COLUMNS
    pd.testing.assert_frame_equal(found, table.astype({"verdict": str}), rtol=1e-8, check_dtype=False)


def test_diverged_runs_survive_their_file(tmp_path):
    """CSV has no type for inf and nan: what was read back pairs like what was written."""
    first, second = both(0.5)
    first = diverged(diverged(first, 1, 3, np.inf), 2, 4, np.nan)
    write_csv(first, tmp_path / "first.csv")
    read = pair_curves(read_csv(tmp_path / "first.csv"), second, BOTH)
    expected = pair_curves(first, second, BOTH)
    np.testing.assert_allclose(read.first, expected.first, rtol=1e-8)


def test_domain_rows():
    settings = claims_stage()
    study = {("bird-cat", 1000, 50): [both(0.5, last=4)], ("bird-cat", 500, 10): [both(-0.5, last=4)]}
    table = domain_table(settings, study)
    assert tuple(table.columns) == DOMAIN_COLUMNS
    assert table["metric"].unique().tolist() == list(QUANTITIES)
    places = [["1", "area", *more] for more in (["jumps"], ["best"], [], ["best"])]
    assert table["epoch"].tolist() == [*chain.from_iterable(places)] * 2
    assert table["first"].tolist() == pytest.approx(
        [mean_of_first(study[network][0][0], *place) for network, *place in keys_of(table)]
    )
    table = table[~table["epoch"].isin(["best", "jumps"])]
    assert set(table["seeds"]) == {5}
    verdicts = table.groupby(["n", "n_min"])["verdict"].unique().to_dict()
    assert {size: list(found) for size, found in verdicts.items()} == {
        (1000, 50): ["holds"],
        (500, 10): ["fails"],
    }
    better = np.where(table["metric"].str.endswith("loss"), -1, 1) * np.where(table["n"] == 1000, 1, -1)
    assert (np.sign(table["effect_size"]) == better).all()


def test_effects_are_means_over_scatter():
    """Of five pairs, less their bias: Gamma(2) / (sqrt(2) Gamma(3/2)), by Hedges for 4 of freedom."""
    unbiased = 1 / (2**0.5 * np.pi**0.5 / 2)
    first, second = both(0.02, last=4)
    table = domain_table(claims_stage(), {("bird-cat", 1000, 50): [(first, second)]})
    for metric in QUANTITIES:
        a, b = (t.loc[t["epoch"] == 1, metric].to_numpy() for t in (first, second))
        mine = table[(table["metric"] == metric) & (table["epoch"] == "1")].iloc[0]
        assert mine["value"] == pytest.approx((b - a).mean())
        assert mine["effect_size"] == pytest.approx(unbiased * (b - a).mean() / (b - a).std(ddof=1))


@pytest.mark.parametrize(("draws", "seeds"), [(1, 6), (2, 3), (3, 4)])
def test_pairs_and_draws_are_counted(draws, seeds):
    study = [both(0.5, last=4, seeds=range(10 * k, 10 * k + seeds)) for k in range(draws)]
    table = domain_table(claims_stage(), {("bird-cat", 1000, 50): study})
    assert set(table["draws"]) == {draws}
    assert set(table["seeds"]) == {draws * seeds}
    lost = [(diverged(study[0][0], 1, 2), study[0][1]), *study[1:]]
    table = domain_table(claims_stage(), {("bird-cat", 1000, 50): lost})
    area = table[(table["metric"] == "train_loss") & (table["epoch"] == "area")].iloc[0]
    assert (area["seeds"], area["draws"]) == (draws * seeds - 1, draws)


def keys_of(table):
    """(network, metric, epoch) of every row."""
    names = zip(table["task"], table["n"], table["n_min"], table["metric"], table["epoch"], strict=True)
    return [((task, n, n_min), metric, epoch) for task, n, n_min, metric, epoch in names]


def mean_of_first(table, metric, epoch):
    """The mean of a quantity over the seeds, by the table of curves of four epochs."""
    runs = table.pivot(index="seed", columns="epoch", values=metric)
    if epoch == "area":
        return float(((runs[0] + runs[4]) / 2 + runs[[1, 2, 3]].sum(axis=1)).mean() / 4)
    if epoch == "best":
        best = runs.min(axis=1) if metric.endswith("loss") else runs.max(axis=1)
        return float(best.mean())
    return 0.0 if epoch == "jumps" else float(runs[int(epoch)].mean())


def test_a_longer_run_is_cut_to_the_epochs_of_the_study():
    long, short = both(0.01, last=10), tuple(t[t["epoch"] <= 4] for t in both(0.01, last=10))
    found = [
        domain_table(claims_stage(), {("bird-cat", 10_000, 500): [given]}) for given in (long, short)
    ]
    pd.testing.assert_frame_equal(*found)


def test_a_run_whose_lost_loss_is_not_its_last_has_diverged_too():
    """It ends at epoch 5 with a loss, and had none at epoch 4: the pair counts until then."""
    first, second = both(0.5)
    first = diverged(first, 3, 5, value=9.0)
    first.loc[(first["seed"] == 3) & (first["epoch"] == 4), "train_loss"] = np.inf
    table = judge_curves(claims_stage(epochs=(1, 5)), "Fig. 3.5", first, second)
    assert row(table, "train_loss epoch 1")["note"].startswith("5 pairs")
    assert row(table, "train_loss epoch 5")["note"].startswith("4 pairs")


def test_divergence_after_the_study_does_not_count():
    first, second = both(0.5)
    late = domain_table(claims_stage(), {("bird-cat", 1, 1): [(diverged(first, 0, 5), second)]})
    assert set(late["seeds"]) == {5}
    early = domain_table(claims_stage(), {("bird-cat", 1, 1): [(diverged(first, 0, 4), second)]})
    assert early.loc[early["epoch"] == "1", "seeds"].tolist() == [5] * 4
    assert early.loc[early["epoch"] != "1", "seeds"].tolist() == [4] * 7


def test_both_tables_say_the_same_of_the_network_of_the_thesis():
    settings = claims_stage()
    given = both(0.01, seeds=range(BOOTSTRAP_PAIRS))
    claims = compared(settings, "", *given)
    network = (settings.protocol.n, settings.protocol.n_min)
    study = domain_table(settings, {("bird-cat", *network): [given]})
    shared = ["value", "ci_low", "ci_high", "verdict"]
    for metric in QUANTITIES:
        mine = study[(study["metric"] == metric) & (study["epoch"] == "1")].iloc[0]
        assert row(claims, f"{metric} epoch 1")[shared].tolist() == mine[shared].tolist()


def test_every_network_and_task_draws_its_own_resamples():
    """Equal curves of two networks and two tasks: equal values, other ends."""
    given = {
        (task, n, n_min): [both(0.01, seeds=range(BOOTSTRAP_PAIRS), task=task, last=4)]
        for task, n, n_min in (
            ("bird-cat", 10, 5),
            ("bird-cat", 20, 5),
            ("bird-cat", 10, 6),
            ("a-b", 10, 5),
        )
    }
    table = domain_table(claims_stage(), given)
    for _, rows in table[table["epoch"] == "1"].groupby("metric"):
        assert rows["value"].nunique() == 1
        assert rows["ci_low"].nunique() == 4


def test_files_of_the_study_are_those_of_the_figures_where_these_have_its_tasks():
    """The thesis's own network lies where figures take it from, and is left out on other tasks."""
    settings, where = claims_stage(), Path("training")
    shown, *others = settings.domain.tasks
    figures = settings.figures.model_copy(update={"training": {"fig3_4": shown}})
    found = domain_files(settings.model_copy(update={"figures": figures}), where)
    size = settings.protocol
    assert found[shown, size.n, size.n_min] == [tuple(where / shown / f"{name}.csv" for name in BOTH)]
    for task in settings.domain.tasks:
        for one in settings.domain.networks:
            base = f"{one.n}-{one.n_min}"
            places = [base, *(f"{base}.draw-{draw}" for draw in range(1, one.draws))]
            assert found[task, one.n, one.n_min] == [
                tuple(where / task / place / f"{name}.csv" for name in BOTH) for place in places
            ]
    assert len(found) == 1 + len(settings.domain.tasks) * len(settings.domain.networks)
    assert others


def test_the_study_refuses_what_is_too_short_or_of_another_task():
    with pytest.raises(DataError, match="each epoch from 0 to 4"):
        domain_table(claims_stage(), {("bird-cat", 1, 1): [both(last=3)]})
    with pytest.raises(DataError, match="bird-cat stand for cat-dog"):
        domain_table(claims_stage(), {("cat-dog", 1, 1): [both()]})


def test_intervals_of_several_draws_include_the_choice_of_images():
    """Three draws that differ by far more than their seeds: Student's t on the means of the draws."""
    draws = [
        both(shift, seeds=range(4 * draw, 4 * draw + 4), last=4)
        for draw, shift in enumerate((0.2, 0.5, 1.1))
    ]
    table = domain_table(claims_stage(epochs=(3,)), {("bird-cat", 1, 1): draws})
    found = table[(table["metric"] == "test_loss") & (table["epoch"] == "3")].iloc[0]
    assert (found["seeds"], found["draws"]) == (12, 3)
    means = [
        float((b.loc[b["epoch"] == 3, "test_loss"] - a.loc[a["epoch"] == 3, "test_loss"]).mean())
        for a, b in draws
    ]
    expected = stats.ttest_1samp(means, 0).confidence_interval(0.95)
    assert found["value"] == pytest.approx(np.mean(means))
    assert (found["ci_low"], found["ci_high"]) == pytest.approx(tuple(expected))
    # Negative control: as seeds of one draw they would seem to be known far better.
    alone = tuple(pd.concat([pair[side] for pair in draws]) for side in (0, 1))
    pooled = domain_table(claims_stage(epochs=(3,)), {("bird-cat", 1, 1): [alone]})
    same = pooled[(pooled["metric"] == "test_loss") & (pooled["epoch"] == "3")].iloc[0]
    assert same["ci_high"] - same["ci_low"] < (found["ci_high"] - found["ci_low"]) / 3


def test_draws_of_other_tasks_are_no_draws():
    with pytest.raises(DataError, match="curves of bird-cat and cat-dog are no draws of one task"):
        domain_table(claims_stage(), {("bird-cat", 1, 1): [both(last=4), both(last=4, task="cat-dog")]})


def test_jumps_are_counted_for_every_fifty_epochs():
    """Rises of 10 %, 25 % and 300 % in ten epochs: two exceed a fifth, so ten in fifty."""
    losses = np.array([1.0, 0.9, 0.99, 0.9, 1.125, 1.0, 0.5, 2.0, 1.0, 0.5, 0.5])
    first, second = both(noise=0, seeds=range(3))
    first["train_loss"], second["train_loss"] = np.tile(losses, 3), 1.0
    found = row(judge_curves(claims_stage(), "", first, second), "train_loss jumps")
    assert (found["value"], found["ci_low"], found["ci_high"]) == (-10, -10, -10)
    assert found["verdict"] == "holds"
    assert found["claim"] == "bird-cat: dynamic's training loss jumps less often"


def test_the_best_epoch_is_each_runs_own():
    """Losses by their least, accuracies by their greatest value, at epochs that differ between runs."""
    first, second = both(noise=0, seeds=range(2), last=3)
    first["test_loss"] = [4, 3, 2, 3, 5, 1, 6, 7]
    second["test_loss"] = [4, 1, 2, 3, 5, 6, 0, 7]
    first["test_accuracy"] = [0.1, 0.6, 0.5, 0.2, 0.1, 0.3, 0.4, 0.5]
    second["test_accuracy"] = [0.1, 0.2, 0.9, 0.2, 0.8, 0.3, 0.4, 0.5]
    table = judge_curves(claims_stage(), "", first, second)
    assert row(table, "test_loss best")["value"] == pytest.approx((-1 - 1) / 2)
    assert row(table, "test_accuracy best")["value"] == pytest.approx((0.3 + 0.3) / 2)


def test_primary_rows_are_corrected_for_their_number():
    """Of two figures four: their p-values after Holm decide, and the secondary rows have none."""
    settings = claims_stage(primary=("train_loss area", "test_loss last"))
    shifts = zip(settings.figures.training, (0.5, 0.012), strict=True)
    given = {
        (figure, name): table
        for figure, shift in shifts
        for name, table in zip(BOTH, both(shift, seeds=range(6)), strict=True)
    }
    table = judge_all(settings, given)
    primary = table[table["role"] == "primary"]
    assert primary["metric"].tolist() == ["train_loss area", "test_loss epoch 10"] * 2
    assert primary["p_holm"].to_numpy() == pytest.approx(holm(primary["p_value"].tolist()))
    assert table.loc[table["role"] == "secondary", "p_holm"].isna().all()
    sign = np.where(primary["value"] < 0, "holds", "fails")
    expected = np.where(primary["p_holm"] <= 0.05, sign, "undecided")
    assert primary["verdict"].tolist() == expected.tolist()
    assert "holds" in expected


def test_a_primary_row_that_would_hold_alone_is_undecided_among_others():
    table = pd.DataFrame(
        {
            "role": ["primary"] * 4 + ["secondary"],
            "p_value": [0.03, 0.5, 0.6, 0.7, 0.03],
            "verdict": "holds",
        }
    )
    assert _corrected(table, 0.95)["verdict"].tolist() == ["undecided"] * 4 + ["holds"]
    assert _corrected(table.iloc[[0, 4]], 0.95)["verdict"].tolist() == ["holds", "holds"]
