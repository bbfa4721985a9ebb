"""Write the pages of the examples from their files: ``python -m examples.pages``.

Every number on a page, and every verdict, is one of ``figures/example_*.csv`` and ``.json`` or computed
from them here; the code on it is that of the scripts.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from types import ModuleType
from typing import Any

import jinja2
import pandas as pd

from dynparam.files import write_text
from dynparam.provenance import read_sidecar
from dynparam.tables import read_csv
from examples import bottleneck_autoencoder, learning_rate_transfer

ROOT = Path(__file__).parents[1]
PAGES = {
    "learning-rate-transfer": learning_rate_transfer,
    "bottleneck-autoencoder": bottleneck_autoencoder,
}


def page(name: str, figures: Path = ROOT / "figures") -> str:
    """The Markdown of the page ``name`` from the example's files in ``figures``.

    Raises ``DataError`` if one of them is missing or cannot be read.
    """
    example = PAGES[name]
    record = read_sidecar(figures / f"{example.NAME}.json")
    runs = read_csv(figures / f"{example.NAME}.csv")
    settings = example.Settings.model_validate(record["config"])
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["code"] = lambda function: inspect.getsource(getattr(example, function)).strip()
    return environment.get_template(f"{name}.md.j2").render(
        example=example.NAME,
        record=record,
        settings=settings,
        printed=example.report(runs, settings, record["facts"]),
        found=FOUND[name](example, runs, settings, record["facts"]),
    )


def _transfer(example: ModuleType, runs: pd.DataFrame, settings: Any, facts: Any) -> dict[str, Any]:
    """By parametrization and n_0, as in "standard 192": slope, interval, verdict, transferred losses."""
    table = example.slopes(runs, settings).merge(example.transferred(runs))
    table["square_norm"] = [facts["mean_square_norms"][str(n_0)] for n_0 in table["n_0"]]
    return {f"{row['parametrization']} {row['n_0']}": row for row in table.to_dict("records")}


def _autoencoder(example: ModuleType, runs: pd.DataFrame, settings: Any, facts: Any) -> dict[str, Any]:
    """By parametrization: rates and losses by width, what the transferred rate gives, steps."""
    best, narrow = example.best(runs), example.of_widest(example.at_rate_of_narrowest(runs))
    steps = example.steps_to(runs, facts["mean"] / 2)
    found = {}
    for name in settings.exponents:
        rows = best[best["parametrization"] == name].sort_values("n")
        found[name] = {
            "rates": rows["learning_rate"].tolist(),
            "losses": rows["loss"].tolist(),
            "transferred": narrow.loc[narrow["parametrization"] == name, "loss"].item(),
            "steps": steps[name],
        }
    return found


FOUND = {"learning-rate-transfer": _transfer, "bottleneck-autoencoder": _autoencoder}


def main() -> None:
    """Write both pages into docs/examples."""
    for name in PAGES:
        write_text(ROOT / "docs" / "examples" / f"{name}.md", page(name))


if __name__ == "__main__":
    main()
