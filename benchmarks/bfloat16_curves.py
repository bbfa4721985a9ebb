"""Do bfloat16 products change training curves? Paired over seeds, at reduced width, on real images.

    python -m benchmarks.bfloat16_curves --images data/processed     20 seeds of each curve

Every seed is trained with exact and with bfloat16 products from the same weights on the same batches.
The option counts as harmless where the interval of the paired difference of a loss lies within half a
standard deviation over seeds: then a band over seeds hides it. Beside it, the same for another seed in
place of bfloat16, which must fail: it shows that pairing is what tells.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import torch

from benchmarks import record
from dynparam.configuration.config import Config
from dynparam.data.images import load_pair
from dynparam.statistics.differences import paired_difference
from dynparam.training.audit import LOSSES
from dynparam.training.protocol import Task
from dynparam.training.rounding import retrain
from dynparam.training.settings import RunStage, for_run

RESULTS = Path(__file__).with_name("bfloat16_curves.json")
WIDTHS = {"n": 300, "n_min": 15}
QUICK_WIDTHS = {"n": 20, "n_min": 5}
EPOCHS = (1, 2, 5, 10)
HARMLESS = 0.5
"""Largest shift of a mean, in standard deviations over seeds."""


def main() -> None:
    """Train all pairs of runs, print the table and write it to ``bfloat16_curves.json``."""
    parser = record.parser("Compare curves of exact and bfloat16 products.", RESULTS)
    parser.add_argument("--images", type=Path, required=True, help="directory of extracted pairs")
    parser.add_argument("--seeds", type=int, default=20)
    arguments = parser.parse_args()
    config = record.settings(Config, quick=arguments.quick)
    widths = QUICK_WIDTHS if arguments.quick else WIDTHS
    table = pd.concat(
        [
            compare(config, task, parametrization, arguments.images, arguments.seeds, widths)
            for task in config.figures.training.values()
            for parametrization in config.training.parametrizations
        ],
        ignore_index=True,
    )
    print(table.to_markdown(index=False, floatfmt=".3g"))
    tables = {
        "seeds": arguments.seeds,
        "harmless": HARMLESS,
        "widths": widths,
        "comparisons": table.to_dict("records"),
    }
    record.write(arguments.output, f"bfloat16_curves --seeds {arguments.seeds}", tables)


def compare(
    config: Config, task: str, parametrization: str, folder: Path, seeds: int, widths: dict[str, int]
) -> pd.DataFrame:
    """Paired differences bfloat16 - exact of one curve, in units of the spread over seeds."""
    pair = load_pair(folder / f"{task}.npz")
    settings = for_run(config, task, config.protocol.network_name)

    def curves(products: str, first: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        """Curves of ``seeds`` runs from seed ``first`` on: (seeds, epochs + 1, 4)."""
        changed = with_protocol(settings, {**widths, "epochs": max(EPOCHS), "products": products})
        cpu, dtype = torch.device("cpu"), getattr(torch, changed.protocol.dtype)
        images = Task.of_pair(pair, changed.inputs.normalization, dtype, cpu)
        return np.stack(
            [
                retrain(changed, parametrization, images, seed, max(EPOCHS), cpu)
                for seed in range(first, first + seeds)
            ]
        )

    exact, low = curves("exact", 0), curves("bfloat16", 0)
    rows = []
    for epoch in EPOCHS:
        for column, loss in enumerate(LOSSES):
            both = exact[:, epoch, column], low[:, epoch, column]
            # The control: each seed beside the next one, as good as another run.
            control = exact[:, epoch, column], np.roll(exact[:, epoch, column], 1)
            spread = both[0].std(ddof=1)
            rows.append(
                {
                    "task": task,
                    "parametrization": parametrization,
                    "loss": loss,
                    "epoch": epoch,
                    **shift(*both, spread),
                    "control_verdict": shift(*control, spread)["verdict"],
                }
            )
    return pd.DataFrame(rows)


def shift(
    exact: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    other: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    spread: float,
) -> dict[str, object]:
    """Interval of the paired difference in standard deviations over seeds, and its verdict."""
    found = paired_difference(
        exact, other, confidence=0.95, resamples=999, generator=np.random.default_rng(0)
    )
    difference = found.mean.over(spread)
    inside = difference.ci_low >= -HARMLESS and difference.ci_high <= HARMLESS
    verdict = "harmless" if inside else "not shown"
    return {**difference.row("difference"), "verdict": verdict}


def with_protocol(settings: RunStage, changes: dict[str, object]) -> RunStage:
    """The settings with some keys of the protocol changed."""
    return settings.model_copy(update={"protocol": settings.protocol.model_copy(update=changes)})


if __name__ == "__main__":
    main()
