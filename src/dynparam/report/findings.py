"""The findings: what every experiment says of a finished run, in the order of the registry.

An experiment's ``findings.md.j2`` holds its sentences. Their numbers come from the configuration or from
``findings.py`` beside it, which reads finished tables: a template writes none by hand, but those of the
thesis itself and what theory gives under any configuration. Where another run's numbers or settings
could turn what a sentence says round, the template asks, and marks the sentence.

What a template sets as ``brief``, a list with numbers and without a conclusion, stands at the head of
the page, and on the first screen of the report.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from itertools import count
from typing import Literal, NamedTuple

import jinja2

from dynparam.configuration.config import Config
from dynparam.experiments.registry import EXPERIMENTS
from dynparam.presentation.plain_formulas import typeset
from dynparam.presentation.sentences import FILTERS
from dynparam.presentation.templates import template
from dynparam.provenance.experiment import Experiment
from dynparam.report.contents import files_of
from dynparam.support.errors import DataError
from dynparam.trials.networks import ratio_rule

Language = Literal["en", "ja"]

TEMPLATES: Mapping[Language, str] = {"en": "findings.md.j2", "ja": "findings.ja.md.j2"}
"""The sentences in each language; the module of an experiment names its own."""


def page(settings: Config, language: Language = "en") -> str:
    """The findings as Markdown: all of them, or in Japanese their summary on one page.

    Raises ``DataError`` if a table lacks what the page quotes.
    """
    return typeset("\n".join(_parts(settings, language)))


class Part(NamedTuple):
    """What one experiment says.

    Attributes:
        text: its findings.
        brief: its sentences at the head of the page; none if empty.
        following: the number of the next finding.
    """

    text: str
    brief: str
    following: int


def _parts(settings: Config, language: Language) -> Iterator[str]:
    parts, first = [], 1
    for experiment in EXPERIMENTS:
        if experiment.has("findings"):
            parts.append(part(experiment, settings, language, first))
            first = parts[-1].following
    brief = "".join(one.brief for one in parts)
    yield sentences("dynparam.report", TEMPLATES[language]).render(settings=settings, brief=brief)
    yield from (one.text for one in parts)


def part(experiment: Experiment, settings: Config, language: Language, first: int) -> Part:
    """What one experiment says, its findings numbered from ``first``.

    Raises ``DataError`` if a table lacks what the part quotes.
    """
    numbers = count(first)
    try:
        own = import_module(experiment.module("findings"))
        found = own.found(settings, files_of(settings))
        written = sentences(experiment.package, own.TEMPLATES[language]).make_module(
            {"found": found, "settings": settings, "number": lambda: next(numbers)}
        )
    except (KeyError, IndexError, jinja2.UndefinedError) as error:
        raise DataError(
            f"the findings quote something that the tables lack ({error}); run the target findings "
            f"of the whole configuration"
        ) from None
    return Part(str(written), str(getattr(written, "brief", "")), next(numbers))


def sentences(package: str, name: str) -> jinja2.Template:
    """The sentences of a package, with everything they write numbers and names by."""
    return template(package, name, filters={**FILTERS, "rule": ratio_rule})
