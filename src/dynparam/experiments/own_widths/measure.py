"""Measuring a width profile with the one-step probe: trials, and their slopes beside exact exponents."""

from __future__ import annotations

import json

import pandas as pd
import torch
from torch import Tensor

from dynparam.engines import law
from dynparam.engines.one_step import OneStep
from dynparam.experiments.own_widths.profile import (
    ProfileProbe,
    input_note,
    layer_entries,
    terminal_table,
    title,
)
from dynparam.presentation.numbers import bracketed, percent, signed
from dynparam.presentation.verdicts import mark, sign
from dynparam.statistics.measured_conditions import MeasuredCurve
from dynparam.statistics.verdicts import ClaimVerdict, equivalence
from dynparam.support.errors import NonFiniteError
from dynparam.support.progress import progress
from dynparam.support.randomness import torch_generator
from dynparam.theory.conditions import CONDITIONS, quantity_exponents
from dynparam.theory.parametrization import LayerScales, layer_scales
from dynparam.theory.widths import Widths
from dynparam.trials.engine import Start, trial_engine


def memory_bytes(settings: ProfileProbe) -> int:
    """What the widest network needs; images are in float32."""
    _, widths = max(settings.networks().items())
    engine = trial_engine(settings.engine, twice=True)
    return engine.memory_bytes(widths, settings.trials, torch.float32)


def measure(settings: ProfileProbe) -> pd.DataFrame:
    """All trials of a profile, a row per layer.

    Each trial sees an image of standard normal numbers and a random class, both from its own generator.
    Columns: parametrization, n, trial, layer, width, alignment, preactivation_rms, update_rms,
    gradient_norm, own_rms, gradient_overlap. Raises ``ConfigError`` for widths beyond this machine's
    memory, ``NonFiniteError`` naming a trial with a value that is not finite, or zero.
    """
    networks = settings.networks()
    law.require_memory(networks[max(networks)], memory_bytes(settings))
    engine = trial_engine(settings.engine, twice=True)
    tables = []
    work = {n: engine.work(widths) for n, widths in networks.items()}
    with progress(settings.parametrization, sum(work.values()) * settings.trials) as advance:
        for n, widths in networks.items():
            for block in engine.blocks(widths, range(settings.trials)):
                starts = {trial: _start(settings, n, trial) for trial in block}
                results = engine.run(
                    widths, _scales(settings, widths), starts, settings.learning_rate, f"n = {n}"
                )
                for trial, result in zip(block, results, strict=True):
                    found = _without_zeros(widths, f"n = {n}, trial {trial}", result)
                    tables.append(_rows(settings, n, widths, trial, found))
                advance(work[n] * len(block))
    return pd.concat(tables, ignore_index=True)


def exponents_table(
    settings: ProfileProbe, trials: pd.DataFrame, *, confidence: float, tolerance: float
) -> pd.DataFrame:
    """Measured slopes beside exact exponents, for every layer and quantity of ``layer_entries``.

    Columns: layer, quantity, exact, slope, ci_low, ci_high, verdict (``verdicts.equivalence``).
    """
    curve = _curve(settings, trials)
    shown = settings.profile
    exact = quantity_exponents(shown.parametrization, shown.exponents, shown.r)
    rows = []
    for heading, entries in layer_entries(shown.depth).items():
        for entry in entries:
            expected = entry.exponent(exact)
            found = curve.slope(entry, confidence)
            rows.append(
                {
                    "layer": entry.layer,
                    "quantity": heading,
                    "exact": expected,
                    **found.row("slope"),
                    "verdict": equivalence(*found.interval, float(expected), tolerance),
                }
            )
    return pd.DataFrame(rows)


def report(settings: ProfileProbe, trials: pd.DataFrame, *, confidence: float, tolerance: float) -> str:
    """Measured and exact exponents and conditions, for a terminal."""
    table = exponents_table(settings, trials, confidence=confidence, tolerance=tolerance)
    readable = pd.DataFrame(
        {
            "layer": table["layer"].astype(str),
            "quantity": table["quantity"],
            "exact": table["exact"].map(str),
            "measured": table["slope"].map(signed),
            f"{percent(confidence)} interval": [
                bracketed(low, high) for low, high in table[["ci_low", "ci_high"]].to_numpy(float)
            ],
            f"to within {tolerance:g}": table["verdict"].map(mark),
        }
    )
    grid = settings.widths
    heading = (
        f"{title(settings.profile)}.\n{settings.trials} trials at each of {grid.count} n from "
        f"{grid.smallest} to {grid.largest}, {settings.engine} engine, widths at the largest n: "
        f"{'-'.join(map(str, settings.networks()[grid.largest].sizes))}."
    )
    parts = [
        heading,
        terminal_table(readable),
        _conditions(settings, trials, confidence, tolerance),
    ]
    return "\n\n".join([*parts, *_notes(settings, trials)]) + "\n"


def report_json(
    settings: ProfileProbe, trials: pd.DataFrame, *, confidence: float, tolerance: float
) -> str:
    """The measured and exact exponents as JSON; exact ones are text such as "-1/2"."""
    table = exponents_table(settings, trials, confidence=confidence, tolerance=tolerance)
    rows = table.assign(exact=table["exact"].map(str), verdict=table["verdict"].map(str))
    found = {
        **settings.model_dump(mode="json"),
        "networks": {str(n): list(widths.sizes) for n, widths in settings.networks().items()},
        "confidence": confidence,
        "tolerance": tolerance,
        "measured": json.loads(rows.to_json(orient="records")),
    }
    return json.dumps(found, indent=2) + "\n"


def _notes(settings: ProfileProbe, trials: pd.DataFrame) -> list[str]:
    """Why slopes on these widths may differ from exact exponents."""
    large = _curve(settings, trials).beyond_leading_order()
    notes = [input_note(settings), f"{large[0].upper()}{large[1:]}." if large else None]
    return [note for note in notes if note is not None]


def _conditions(
    settings: ProfileProbe, trials: pd.DataFrame, confidence: float, tolerance: float
) -> str:
    curve = _curve(settings, trials)
    lines = [f"{'n grows':>9} {'measured':>9}  condition"]
    for condition, outcome in zip(CONDITIONS, settings.profile.outcomes(), strict=True):
        measured = curve.judge(condition, confidence=confidence, tolerance=tolerance)
        theory = ClaimVerdict.HOLDS if outcome.holds else ClaimVerdict.FAILS
        marks = f"{sign(theory):>9} {sign(measured.verdict):>9}"
        lines.append(f"{marks}  {condition.equation}  {condition.statement}")
    return "\n".join(["Conditions of the thesis:", *lines])


def _curve(settings: ProfileProbe, trials: pd.DataFrame) -> MeasuredCurve:
    return MeasuredCurve(
        trials, {n: (widths, _scales(settings, widths)) for n, widths in settings.networks().items()}
    )


def _scales(settings: ProfileProbe, widths: Widths) -> LayerScales:
    return layer_scales(settings.parametrization, widths, settings.r)


def _start(settings: ProfileProbe, n: int, trial: int) -> Start:
    generator = torch_generator(settings.seed, "profile", settings.engine, n, trial)
    return Start(generator, *_image(settings, generator))


def _image(settings: ProfileProbe, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """An image x (n_0,) and a one-hot target (n_L,)."""
    x = torch.randn(settings.inputs, generator=generator)
    y = torch.zeros(settings.outputs)
    y[torch.randint(settings.outputs, (), generator=generator)] = 1.0
    return x, y


def _without_zeros(widths: Widths, where: str, found: OneStep) -> OneStep:
    """The result itself; slopes need a logarithm. Gradients of two steps may have nothing in common."""
    for quantity, values in found.measured().items():
        if 0 in values and quantity != "gradient_overlap":
            raise NonFiniteError(
                f"{where}: {quantity} of layer {values.index(0) + 1} is zero, as happens where all "
                f"units of a layer are silent, and the narrowest has {widths.n_min}; raise --from or "
                f"--scale"
            )
    return found


def _rows(settings: ProfileProbe, n: int, widths: Widths, trial: int, found: OneStep) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "parametrization": settings.parametrization,
            "n": n,
            "trial": trial,
            "layer": range(1, widths.depth + 1),
            "width": widths.sizes[1:],
            **found.measured(),
        }
    )
