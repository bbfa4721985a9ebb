"""What the trials behind Table 1.1 and the conditions depend on, and which figures rest on them."""

from dynparam.experiments.measured_orders.settings import for_exponents, for_orders
from dynparam.experiments.measured_orders.stages import figures
from dynparam.theory.parametrization import HALF
from tests.findings_run import CONFIG, configured

OTHER = configured({"exponents.seed": 7, "exponents.trials": 44, "probe.seed": 3, "probe.trials": 55})


def test_trials_have_the_seed_number_and_widths_of_the_block():
    """Everything else is the probe's, and the one curve is that parametrization along that family."""
    job = for_exponents(OTHER, "mup", "square_root")
    assert (job.probe.seed, job.probe.trials) == (7, 44)
    assert job.probe.widths == OTHER.exponents.widths != OTHER.probe.widths
    ((name, curve),) = job.probe.curves.items()
    assert name == "mup_square_root"
    assert (curve.parametrization, curve.r) == ("mup", HALF)
    assert curve.narrow == OTHER.exponents.families["square_root"]
    changed = {"seed": 7, "trials": 44, "widths": job.probe.widths, "curves": job.probe.curves}
    assert job.probe == OTHER.probe.model_copy(update=changed)
    assert list(job.data.pairs) == [OTHER.probe.pair]


def test_what_is_judged_does_not_depend_on_the_probe_s_curves():
    judged = for_orders(OTHER)
    assert judged.probe.curves == {}
    assert judged.figures.titles == {}
    assert judged.exponents == OTHER.exponents


def test_each_figure_rests_on_the_trials_it_shows():
    """Standard parametrization has no line in Table 1.1, but a row of conditions."""
    shown = {one.name: set(one.results) for one in figures(CONFIG)}
    names, families = CONFIG.exponents.parametrizations, CONFIG.exponents.families
    every = {f"exponents/{name}_{family}.csv" for name in names for family in families}
    standard = {f"exponents/standard_{family}.csv" for family in families}
    assert "standard" in names
    assert shown == {"table1_1": every - standard, "conditions": every}
