"""The command that prints exact orders and conditions of any profile of widths."""

from __future__ import annotations

from typing import Annotated

import typer

from dynparam.cli.help import TRY, App
from dynparam.cli.options import JsonOption, examples
from dynparam.cli.telling import tell
from dynparam.theory.parametrization import ParametrizationName

app = App()

WidthsOption = Annotated[
    str, typer.Option("--widths", help="Growth exponents of the hidden widths, such as 1,1/2,1.")
]

NameOption = Annotated[
    ParametrizationName,
    typer.Option("--parametrization", help="Name of a parametrization.", show_default=False),
]

ROption = Annotated[
    str | None, typer.Option("--r", help="r of dynamic parametrization, 0 to 1/2.", show_default="1/2")
]


@app.command(
    "orders",
    group=TRY,
    epilog=examples(
        "dynparam orders --widths 1,1/2,1 --parametrization spectral",
        "dynparam orders --widths 1,1/2,1 --parametrization dynamic --r 1/4 --json",
    ),
)
def show_orders(
    widths: WidthsOption,
    parametrization: NameOption,
    r: ROption = None,
    n_in: Annotated[
        str, typer.Option("--input-exponent", help="Growth exponent of the input width n_0.")
    ] = "0",
    n_out: Annotated[
        str, typer.Option("--output-exponent", help="Growth exponent of the output width n_L.")
    ] = "0",
    as_json: JsonOption = False,
) -> None:
    """Print the exact orders of a profile of widths, and which conditions of the thesis it meets."""
    from dynparam.experiments.own_widths import profile as profiles

    shown = profiles.profile(widths, parametrization, r, n_in, n_out)
    text = profiles.orders_json(shown) if as_json else profiles.orders_text(shown)
    tell(text, nl=False)
