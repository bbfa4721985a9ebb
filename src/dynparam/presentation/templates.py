"""Texts filled in from templates that lie beside the modules that know the numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jinja2


def template(
    package: str,
    name: str,
    *,
    html: bool = False,
    filters: Mapping[str, Callable[..., Any]] | None = None,
) -> jinja2.Template:
    """The template ``name`` in the folder of ``package``; an unknown name in it is an error.

    It may include the templates of ``dynparam.presentation``. ``package`` is dotted, such as
    ``dynparam.report``; ``html`` escapes what is filled in. Raises ``jinja2.TemplateNotFound``.
    """
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader(
            [jinja2.PackageLoader(folder, "") for folder in (package, "dynparam.presentation")]
        ),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=not html,
        autoescape=html,  # Markdown is no HTML
    )
    environment.filters |= filters or {}
    return environment.get_template(name)
