"""Write the pages of the examples from their files: ``python -m examples.pages``.

Every number on a page, and every verdict, is one of ``figures/example_*.csv`` and ``.json`` or computed
from them here; the code on it is that of the scripts.
"""

from __future__ import annotations

import inspect
import math
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import jinja2
import numpy as np
import pandas as pd
from scipy.special import entr

import dynparam
from dynparam.presentation.numbers import signed, with_interval
from dynparam.presentation.plain_formulas import typeset
from dynparam.provenance.record import read_sidecar
from dynparam.support.files import write_text
from dynparam.support.tables import read_csv
from dynparam.theory.orders import orders
from dynparam.theory.parametrization import HALF
from examples import bottleneck_autoencoder, delay_under_adam, gpt, learning_rate_transfer

ROOT = Path(__file__).parents[1]
PAGES = {
    "learning-rate-transfer": learning_rate_transfer,
    "bottleneck-autoencoder": bottleneck_autoencoder,
    "delay-under-adam": delay_under_adam,
    "transformers": gpt,
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
    environment.filters["log2"] = math.log2
    environment.filters["code"] = lambda function: inspect.getsource(getattr(example, function)).strip()
    text = environment.get_template(f"{name}.md.j2").render(
        example=example.NAME,
        record=record,
        settings=settings,
        printed=example.report(runs, settings, record["facts"]),
        **FOUND[name](example, runs, settings, record["facts"]),
    )
    return typeset(text)


def _transfer(example: ModuleType, runs: pd.DataFrame, settings: Any, facts: Any) -> dict[str, Any]:
    """Rows of ``findings`` by case, as in "standard 192"; cases whose interval has the expected."""
    rows = example.findings(runs, settings, facts).to_dict("records")
    found = {f"{row['parametrization']} {row['n_0']}": row for row in rows}
    agreeing = [name for name, row in found.items() if row["low"] <= row["expected"] <= row["high"]]
    return {"found": found, "agreeing": agreeing}


def _autoencoder(example: ModuleType, runs: pd.DataFrame, settings: Any, facts: Any) -> dict[str, Any]:
    """By parametrization: rates and losses by width, what the transferred rate gives, exponents."""
    best, narrow = example.best(runs), example.of_widest(example.at_rate_of_narrowest(runs))
    found, exponents = {}, {}
    for name in settings.exponents:
        rows = best[best["parametrization"] == name].sort_values("n")
        found[name] = {
            "rates": rows["learning_rate"].tolist(),
            "losses": rows["loss"].tolist(),
            "transferred": narrow.loc[narrow["parametrization"] == name, "loss"].item(),
        }
        exponents[name] = orders(name, [0, 1, 0, 1, 0], HALF).alignment[-1]
    model = example.autoencoder(3 * settings.side**2, settings.widths[-1], settings.code)
    names = [str(2 * layer) for layer in range(4)]
    applied = dynparam.apply(model, "dynamic", learning_rate=1.0, layers=names)
    ranking = sorted(found, key=lambda name: found[name]["losses"][-1])
    return {"found": found, "ranking": ranking, "exponents": exponents, "applied": applied}


def _delay(example: ModuleType, runs: pd.DataFrame, settings: Any, facts: Any) -> dict[str, Any]:
    """Slopes of dynamic's delays, by optimizer."""
    found = example.slopes(runs, settings)
    ours = found[found["parametrization"] == "dynamic"].set_index("optimizer")["slope"]
    show = partial(signed, digits=2)
    return {
        "slopes": {name: with_interval(one.value, *one.interval, show) for name, one in ours.items()}
    }


def _gpt(example: ModuleType, runs: pd.DataFrame, settings: Any, facts: Any) -> dict[str, Any]:
    """By parametrization: best rates and losses; and what simple guesses would come to."""
    tokens = example.text(20000, seed=3)
    counts = np.zeros((example.TOKENS, example.TOKENS))
    np.add.at(counts, (tokens[:-1].numpy(), tokens[1:].numpy()), 1)
    following = entr(counts / counts.sum(axis=1, keepdims=True)).sum(axis=1)
    return {
        "found": example.losses(runs).set_index("parametrization").to_dict("index"),
        "titles": example.TITLES,
        "length": example.LENGTH,
        "bigram": float(following @ counts.sum(axis=1) / counts.sum()),
        "uniform": math.log(example.TOKENS),
    }


FOUND = {
    "learning-rate-transfer": _transfer,
    "bottleneck-autoencoder": _autoencoder,
    "delay-under-adam": _delay,
    "transformers": _gpt,
}


def main() -> None:
    """Write the pages into docs/examples."""
    for name in PAGES:
        write_text(ROOT / "docs" / "examples" / f"{name}.md", page(name))


if __name__ == "__main__":
    main()
