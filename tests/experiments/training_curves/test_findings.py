from itertools import product

import pandas as pd
import pytest

from dynparam.experiments.training_curves.findings import Found
from dynparam.experiments.training_curves.settings import for_claims
from tests.findings_run import CONFIG, configured

FIGURES = CONFIG.figures.training
NAMES = CONFIG.training.parametrizations
TASKS = sorted(CONFIG.domain.tasks)
EPOCHS = 6


def curve(seeds=3, wrong=()):
    """Curves of seeds over epochs 0 to 5; ``wrong`` are (seed, epoch) with an image that is wrong."""
    rows = [
        {"seed": seed, "epoch": epoch, "train_accuracy": 0.99 if (seed, epoch) in wrong else 1.0}
        for seed, epoch in product(range(seeds), range(EPOCHS))
    ]
    return pd.DataFrame(rows)


def curves(changes=None):
    """The curves of all figures, right from epoch 0 on, with other ones in some places."""
    return {key: curve() for key in product(FIGURES, NAMES)} | (changes or {})


def claims(metrics=("train_loss epoch 1", "train_accuracy epoch 1", "test_loss area")):
    """A row for each metric and figure, with a value of its own."""
    titles = {"fig3_4": "Fig. 3.4", "fig3_5": "Fig. 3.5"}
    rows = [
        {
            "source": titles[figure],
            "metric": metric,
            "role": "secondary" if metric.startswith("train_acc") else "primary",
            "p_holm": float("nan") if metric.startswith("train_acc") else 0.01 * (place + 1),
            "value": place + 1.0,
            "ci_low": place + 0.5,
            "ci_high": place + 1.5,
            "verdict": "holds" if place % 2 else "fails",
        }
        for place, (metric, figure) in enumerate(product(metrics, FIGURES))
    ]
    return pd.DataFrame(rows)


def domain(**verdicts):
    """The domain study: rows by width, task, metric and epoch; ``verdicts`` maps n<width> to one."""
    rows = []
    for (n, seeds), task, metric, epoch in product(
        ((1000, 5), (2000, 5), (5000, 3), (10_000, 3)),
        TASKS,
        ("train_loss", "test_loss"),
        ("5", "50", "100", "area"),
    ):
        row = {"task": task, "n": n, "n_min": n // 20, "metric": metric, "epoch": epoch, "panel": "n"}
        row |= {"seeds": seeds, "draws": seeds // 5 + 1}
        value = n / 1000 + (metric == "train_loss") + {"5": 20, "50": 50, "area": 80}.get(epoch, 0)
        row |= {"value": value, "ci_low": -1.0, "ci_high": 100.0}
        rows.append(row | {"verdict": verdicts.get(f"n{n}", "undecided")})
    # The same widths at another ratio are in another panel.
    rows += [{**row, "panel": "ratio", "n": 3000} for row in rows[:16]]
    return pd.DataFrame(rows).sample(frac=1, random_state=0)


CURVES, DOMAIN = curves(), domain()


def found(runs=CURVES, networks=DOMAIN, config=CONFIG):
    return Found(for_claims(config), claims(), runs, networks)


@pytest.mark.parametrize(
    ("wrong", "epoch"), [((), 0), ([(0, 0)], 1), ([(1, 2), (0, 1)], 3), ([(2, 4)], 5), ([(0, 5)], None)]
)
@pytest.mark.parametrize("name", NAMES)
def test_images_are_right_from_the_epoch_after_the_last_wrong_one(wrong, epoch, name):
    """Of any seed under either parametrization; the other figure does not matter."""
    spoilt = curves({("fig3_4", name): curve(wrong=wrong)})
    assert found(spoilt).right_from("fig3_4") == epoch
    assert found(spoilt).right_from("fig3_5") == 0


@pytest.mark.parametrize("accuracy", [0.9, float("nan")])
def test_images_wrong_at_the_end_or_lost_are_never_right(accuracy):
    table = curve()
    table.loc[table["epoch"] == EPOCHS - 1, "train_accuracy"] = accuracy
    assert found(curves({("fig3_4", "dynamic"): table})).right_from("fig3_4") is None


def test_seeds_of_curves_that_differ_are_a_range():
    assert found().seeds() == "3 seeds"
    assert found(curves({("fig3_4", "dynamic"): curve(seeds=2)})).seeds() == "2 to 3 seeds"
    assert found(curves({("fig3_5", "spectral"): curve(seeds=10)})).seeds() == "3 to 10 seeds"
    assert found({key: curve(seeds=1) for key in curves()}).seeds() == "1 seed"


def test_primary_claims_have_the_cells_of_their_figures():
    """In the order of the figures; secondary ones are left out."""
    rows = found().primary()
    assert [row["metric"] for row in rows] == ["train loss epoch 1", "test loss area"]
    assert rows[0]["cells"] == ["+1.00 [+0.50, +1.50]", "fails", "+2.00 [+1.50, +2.50]", "holds"]
    assert rows[1]["cells"] == ["+5.00 [+4.50, +5.50]", "fails", "+6.00 [+5.50, +6.50]", "holds"]
    assert [claim["value"] for claim in rows[1]["claims"]] == [5, 6]
    assert found().largest_p() == 0.06
    (first, second) = found().claims("test_loss area")
    assert [(one["figure"], one["task"]) for one in (first, second)] == list(FIGURES.items())
    with pytest.raises(KeyError, match="0 rows where one is quoted"):
        found().claims("test_loss epoch 7")


def test_the_ratio_is_that_of_the_protocol():
    assert found().ratio() == 20
    assert found(config=configured({"protocol.n_min": 400})).ratio() == 25


def test_the_domain_is_told_at_its_last_epoch_width_by_width():
    """By number: 100 is later than 50, whatever comes last in an alphabet."""
    rows = found().domain("test_loss")
    assert [row["n"] for row in rows] == [1000, 2000, 5000, 10_000]
    assert {row["epoch"] for row in rows} == {"100"}
    assert [[claim["value"] for claim in row["claims"]] for row in rows] == [
        [n / 1000] * len(TASKS) for n in (1000, 2000, 5000, 10_000)
    ]
    assert [claim["task"] for claim in rows[0]["claims"]] == TASKS
    assert found().domain("train_loss")[0]["claims"][0]["value"] == 2


def test_seeds_of_other_networks():
    rows = found().domain("test_loss")
    assert found().domain_seeds(rows) == "5 seeds at n = 1000 and 2000, 3 at n = 5000 and 10000"
    assert found().domain_seeds(rows[:2]) == "5 seeds"


def test_places_of_the_domain_and_networks_besides_that_of_the_figures():
    """At the last numbered epoch unless another place is named; each network once, in either panel."""
    rows = found().domain("test_loss", "area")
    assert {row["epoch"] for row in rows} == {"area"}
    others = found().others("test_loss")
    assert {(one["n"], one["n_min"]) for one in others} == {
        (1000, 50),
        (2000, 100),
        (3000, 50),
        (5000, 250),
    }
    assert len(others) == len({(one["task"], one["n"], one["n_min"]) for one in others})
    assert {one["epoch"] for one in others} == {"100"}
    assert found().others("train_loss", "area")[0]["metric"] == "train_loss"


def test_a_network_differs_from_the_figures_by_either_width():
    """n = 10000 with another n_min, and another n with the n_min of the figures."""
    own = CONFIG.protocol
    table = domain()
    same = table[(table["n"] == own.n) & (table["n_min"] == own.n_min)]
    more = [same.assign(n_min=123), same.assign(n=321)]
    others = found(networks=pd.concat([table, *more])).others("test_loss")
    networks = {(one["n"], one["n_min"]) for one in others}
    assert {(own.n, 123), (321, own.n_min)} <= networks
    assert (own.n, own.n_min) not in networks


def test_draws_and_seeds_of_a_width_are_those_of_its_rows():
    table = domain()
    rows = (table["n"] == 2000) & (table["task"] == TASKS[0])
    table.loc[rows, ["seeds", "draws"]] = [4, 9]
    (row,) = [one for one in found(networks=table).domain("test_loss") if one["n"] == 2000]
    assert (row["seeds"], row["draws"]) == ([4, 5], [2, 9])
    assert found(networks=table).domain_seeds([row]) == "4 or 5 seeds"
    assert found(networks=table).drawn() == "1 to 9 draws of the images"


def test_differences_below_zero():
    rows = [{"value": value, "ci_high": value + 1} for value in (-1.0, 0.0, 2.0, -0.5)]
    assert [row["value"] for row in found().below(rows)] == [-1.0, -0.5]


def test_draws_of_the_images_are_told_as_a_range():
    assert found().drawn() == "1 to 2 draws of the images"
    assert found(networks=domain().assign(draws=4)).drawn() == "4 draws of the images"


def test_a_task_that_a_width_lacks_leaves_its_cells_empty():
    whole = domain()
    lacking = whole[(whole["task"] != TASKS[0]) | (whole["n"] != 5000)]
    cells = {row["n"]: row["cells"] for row in found(networks=lacking).domain("test_loss")}
    assert cells[5000][:2] == ["", ""]
    assert cells[5000][3] == cells[2000][1] == "undecided"


def test_without_other_networks_there_is_nothing_to_say():
    assert found(networks=None).domain("test_loss") == []
    assert found(networks=None).others("test_loss") == []


@pytest.mark.parametrize(
    ("best", "so"),
    [((-0.4, 0.1), True), ((0.0, 0.0), True), ((-0.5, 0.1), False), ((-0.4, -0.9), False)],
)
def test_differences_are_mostly_late_if_less_than_half_of_each_is_left(best, so):
    rows = [[{"value": value} for value in values] for values in (best, (-1.0, -0.5))]
    assert Found.mostly_late(None, *rows) is so


@pytest.mark.parametrize(
    ("verdicts", "so"),
    [
        ({"n1000": "fails", "n10000": "holds"}, True),
        ({"n1000": "undecided", "n10000": "holds"}, True),
        ({"n1000": "holds", "n10000": "holds"}, False),
        ({"n1000": "fails", "n10000": "undecided"}, False),
        ({"n1000": "fails", "n5000": "holds"}, False),
    ],
)
def test_a_claim_needs_width(verdicts, so):
    one = found(networks=domain(**verdicts))
    assert one.needs_width(one.domain("test_loss")) is so


def test_one_task_that_differs_decides_whether_width_is_needed():
    for n, verdict in ((10_000, "undecided"), (1000, "holds")):
        table = domain(n1000="fails", n10000="holds")
        table.loc[(table["n"] == n) & (table["task"] == TASKS[0]), "verdict"] = verdict
        one = found(networks=table)
        assert not one.needs_width(one.domain("test_loss"))
