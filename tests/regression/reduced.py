"""The reduced-width experiment, and the reference values it is held against.

    python -m tests.regression.reduced

writes the references anew from the official data named by DYNPARAM_CIFAR10_ARCHIVE: `slopes.csv` from
many trials under another seed, and `alignments.csv`, the means of the experiment itself.
"""

import os
import platform
import tempfile
from pathlib import Path

import pandas as pd
import torch

from dynparam import cifar10, official, pairs
from dynparam.config import Config, Fit
from dynparam.fits import fit_curve
from dynparam.images import load_pair
from dynparam.loading import load
from dynparam.probe import TrialImages, measure_curve
from dynparam.tables import write_csv

HERE = Path(__file__).parent
CONFIGURATION = [HERE.parents[1] / "config" / name for name in ("thesis.yaml", "reduced.yaml")]
ARCHIVE = Path(os.environ.get(cifar10.ARCHIVE_VARIABLE, "unset"))
SLOPES = HERE / "slopes.csv"
ALIGNMENTS = HERE / "alignments.csv"
REFERENCE_TRIALS = 400
REFERENCE_SEED = 1
MADE_WITH = {"torch": "2.13.0", "machine": "x86_64"}
"""What `alignments.csv` was made with; another build of torch may draw other numbers."""


def configuration() -> Config:
    """The reduced configuration, as CI runs it."""
    return load(Config, CONFIGURATION)


def same_numbers_expected() -> bool:
    """Whether this machine's torch draws the numbers of `alignments.csv`."""
    return {
        "torch": torch.__version__.split("+")[0],
        "machine": platform.machine(),
    } == MADE_WITH


def extract(config: Config, place: Path) -> Path:
    """Retrieve the official data and extract the probe's pair below ``place``."""
    cifar10.retrieve(config.source, place, official.MEMBERS)
    npz = place / "pair.npz"
    pairs.extract_pair(place, config.probe.pair, config.data, npz, official.MEMBERS)
    return npz


def measure(config: Config, npz: Path, log_directory: Path) -> pd.DataFrame:
    """The trials of all curves."""
    tables = []
    for curve in config.probe.curves:
        stage = config.for_curve(curve)
        images = TrialImages(stage, load_pair(npz))
        tables.append(measure_curve(stage, curve, images, log_directory / f"{curve}.jsonl"))
    return pd.concat(tables, ignore_index=True)


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
        npz = extract(config, place)
        write_csv(mean_alignments(measure(config, npz, place / "own")), ALIGNMENTS)
        changes = {"trials": REFERENCE_TRIALS, "seed": REFERENCE_SEED}
        many = config.model_copy(update={"probe": config.probe.model_copy(update=changes)})
        write_csv(slopes(measure(many, npz, place / "many"), config.fit), SLOPES)


if __name__ == "__main__":
    main()
