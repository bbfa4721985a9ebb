"""The reduced-width experiment, and the reference values it is held against.

    python -m tests.regression.reduced

writes the references anew from the official data named by DYNPARAM_CIFAR10_ARCHIVE: `slopes.csv` from
many trials under another seed, `alignments.csv`, the means of the experiment itself, `orders.csv`, those
of the measured orders on the law engine, and `curves.csv`, all training curves of the experiment.
"""

import os
import platform
import tempfile
from pathlib import Path

import pandas as pd
import torch

from dynparam.configuration.config import Config
from dynparam.configuration.loading import load
from dynparam.data import official, pairs, retrieval
from dynparam.data.images import load_pair
from dynparam.experiments.alignments.fits import fit_curve
from dynparam.experiments.measured_orders.settings import for_exponents
from dynparam.settings.shared import Fit
from dynparam.support.tables import write_csv
from dynparam.training.run_files import RunFiles
from dynparam.training.runs import curve_table, train_seeds
from dynparam.training.settings import for_run
from dynparam.training.stack_run import Plan
from dynparam.trials.images import TrialImages
from dynparam.trials.log import TrialLog
from dynparam.trials.one_step import measure_curve
from dynparam.trials.settings import for_curve

HERE = Path(__file__).parent
CONFIGURATION = [HERE.parents[1] / "config" / name for name in ("thesis.yaml", "reduced.yaml")]
ARCHIVE = Path(os.environ.get(retrieval.ARCHIVE_VARIABLE, "unset"))
SLOPES = HERE / "slopes.csv"
ALIGNMENTS = HERE / "alignments.csv"
CURVES = HERE / "curves.csv"
ORDERS = HERE / "orders.csv"
ORDERED = (("spectral", "square_root"), ("dynamic", "square_root"))
"""Parametrizations and families whose orders are held against `orders.csv`."""
REFERENCE_TRIALS = 400
REFERENCE_SEED = 1
MADE_WITH = {"torch": "2.13.0", "machine": "x86_64"}
"""What both were made with; another build of torch may draw other numbers."""


def configuration() -> Config:
    """The reduced configuration, as CI runs it."""
    return load(Config, CONFIGURATION)


def same_numbers_expected() -> bool:
    """Whether this machine's torch draws the numbers of `alignments.csv` and `curves.csv`."""
    return {
        "torch": torch.__version__.split("+")[0],
        "machine": platform.machine(),
    } == MADE_WITH


def extract(config: Config, place: Path, pair: str) -> Path:
    """Retrieve the official data and extract a pair below ``place``."""
    retrieval.retrieve(config.source, place, official.MEMBERS)
    npz = place / f"{pair}.npz"
    pairs.extract_pair(place, pair, config.data, npz, official.MEMBERS)
    return npz


def train(config: Config, place: Path) -> pd.DataFrame:
    """All training curves of both figures."""
    tables = []
    for task in config.figures.training.values():
        npz = extract(config, place, task)
        settings = for_run(config, task, config.protocol.network_name)
        for parametrization in config.training.parametrizations:
            plan = Plan(settings, parametrization, torch.device("cpu"), 1, settings.protocol.epochs)
            files = RunFiles(place / "runs", settings, parametrization, npz)
            records = train_seeds(plan, range(config.training.seeds), load_pair(npz), files)
            tables.append(curve_table(task, parametrization, records))
    return pd.concat(tables, ignore_index=True)


def measure(config: Config, npz: Path, log_directory: Path) -> pd.DataFrame:
    """The trials of all curves."""
    tables = []
    for curve in config.probe.curves:
        stage = for_curve(config, curve)
        images = TrialImages(stage, load_pair(npz))
        tables.append(measure_curve(stage, curve, images, TrialLog(log_directory / "trials.csv", curve)))
    return pd.concat(tables, ignore_index=True)


def measure_orders(config: Config, npz: Path, log_directory: Path) -> pd.DataFrame:
    """The trials of ``ORDERED`` on the law engine, with the gradients after the step."""
    tables = []
    for parametrization, family in ORDERED:
        curve, stage = f"{parametrization}_{family}", for_exponents(config, parametrization, family)
        images = TrialImages(stage, load_pair(npz))
        log = TrialLog(log_directory / "trials.csv", curve)
        tables.append(measure_curve(stage, curve, images, log, "law"))
    return pd.concat(tables, ignore_index=True)


def mean_orders(trials: pd.DataFrame) -> pd.DataFrame:
    """Means over trials: curve, layer, n, update_rms, own_rms, gradient_overlap."""
    quantities = ["update_rms", "own_rms", "gradient_overlap"]
    return trials.groupby(["curve", "layer", "n"], sort=True)[quantities].mean().reset_index()


def slopes(trials: pd.DataFrame, fit: Fit) -> pd.DataFrame:
    """Slopes of all curves; error: half the width of a 68 % interval, one standard error."""
    one_sigma = fit.model_copy(update={"confidence": 0.6827})
    table = pd.concat(
        [fit_curve(part, one_sigma) for _, part in trials.groupby("curve", sort=False)],
        ignore_index=True,
    )
    table["error"] = (table["ci_high"] - table["ci_low"]) / 2
    return table[["curve", "layer", "slope", "error"]]


def mean_alignments(trials: pd.DataFrame) -> pd.DataFrame:
    """Means over trials: curve, layer, n, alignment."""
    return trials.groupby(["curve", "layer", "n"], sort=True)["alignment"].mean().reset_index()


def main() -> None:
    """Write the references."""
    config = configuration()
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        npz = extract(config, place, config.probe.pair)
        write_csv(mean_alignments(measure(config, npz, place / "own")), ALIGNMENTS)
        write_csv(mean_orders(measure_orders(config, npz, place / "orders")), ORDERS)
        write_csv(train(config, place), CURVES)
        changes = {"trials": REFERENCE_TRIALS, "seed": REFERENCE_SEED}
        many = config.model_copy(update={"probe": config.probe.model_copy(update=changes)})
        write_csv(slopes(measure(many, npz, place / "many"), config.fit), SLOPES)


if __name__ == "__main__":
    main()
