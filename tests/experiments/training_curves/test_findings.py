from dynparam.experiments.training_curves.findings import Found
from dynparam.experiments.training_curves.settings import for_claims
from dynparam.support.tables import read_csv
from tests.findings_run import CONFIG, ROOT, claims, curve

CURVES = {
    (figure, name): read_csv(curve(figure, name))
    for figure in CONFIG.figures.training
    for name in CONFIG.training.parametrizations
}
DOMAIN = read_csv(ROOT / "figures" / "claim_domain.csv")


def found(curves=CURVES, domain=DOMAIN):
    return Found(for_claims(CONFIG), claims(), curves, domain)


def test_images_are_right_from_the_epoch_after_the_last_wrong_one():
    tables = [table for (figure, _), table in CURVES.items() if figure == "fig3_4"]
    last = max(table.loc[table["train_accuracy"] < 1, "epoch"].max() for table in tables)
    assert found().right_from("fig3_4") == last + 1


def test_images_wrong_at_the_end_or_lost_are_never_right():
    for accuracy in (0.9, float("nan")):
        spoilt = {key: table.copy() for key, table in CURVES.items()}
        table = spoilt["fig3_4", "dynamic"]
        table.loc[table["epoch"] == table["epoch"].max(), "train_accuracy"] = accuracy
        assert found(spoilt).right_from("fig3_4") is None


def test_seeds_of_curves_that_differ_are_a_range():
    assert found().seeds() == "3 seeds"
    fewer = CURVES | {("fig3_4", "dynamic"): CURVES["fig3_4", "dynamic"].query("seed < 2")}
    assert found(fewer).seeds() == "2 to 3 seeds"


def test_seeds_of_other_networks():
    rows = found().domain("test_loss")
    assert found().domain_seeds(rows) == "5 seeds at n = 1000 and 2000, 3 at n = 5000 and 10000"
    assert found().domain_seeds(rows[:2]) == "5 seeds"


def test_a_task_that_a_width_lacks_leaves_its_cells_empty():
    lacking = DOMAIN[(DOMAIN["task"] != "airplane-automobile") | (DOMAIN["n"] != 5000)]
    cells = {row["n"]: row["cells"] for row in found(domain=lacking).domain("test_loss")}
    assert cells[5000][:2] == ["", ""]
    assert cells[2000][3] == "undecided"


def test_without_other_networks_there_is_nothing_to_say():
    assert found(domain=None).domain("test_loss") == []
