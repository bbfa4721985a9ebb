"""Every stage with inputs made up for it, so that one test asks the same of all of them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dynparam.configuration.arms import arms_jobs
from dynparam.configuration.config import Config
from dynparam.provenance.stage import NO_DEFAULT, Parameter, Stage, _asked, flat, run
from dynparam.report.stages import STAGES
from dynparam.settings.base import pick
from dynparam.support.errors import DataError
from tests import report_run

ROOT = Path(__file__).parents[1]


def configuration(root: Path) -> Config:
    """The thesis's, with all files below ``root``."""
    return report_run.settings(root)


@dataclass(frozen=True)
class Case:
    """A stage, its settings, and its parameters, with all files below a directory."""

    stage: Stage[Any]
    settings: Any
    given: dict[str, Any]
    output: Path

    @property
    def inputs(self) -> list[Path]:
        """The files it reads; those it is given, if it looks for them at once and they are not there."""
        try:
            return list(flat(self.stage.inputs(self.settings, **_asked(self.stage.inputs, self.given))))
        except DataError:
            return [value for value in self.given.values() if isinstance(value, Path)]

    @property
    def tables(self) -> list[Path]:
        """The tables among them."""
        return [path for path in self.inputs if path.suffix == ".csv"]

    def run(self) -> None:
        """As its command does."""
        run(self.stage, self.settings, self.output, **self.given)


def case(name: str, root: Path) -> Case:
    """The stage of that name below ``root``; nothing is written."""
    stage, config = STAGES[name], configuration(root)
    given = {one.name: _value(one, config, root) for one in stage.parameters}
    return Case(stage, _settings(stage, config), given, root / "made" / "output.csv")


def _settings(stage: Stage[Any], config: Config) -> Any:
    """Whole blocks of the configuration; those of the first job where they follow from it."""
    if stage.settings.model_fields.keys() <= Config.model_fields.keys():
        return pick(stage.settings, config)
    return next(one for one in arms_jobs(config) if type(one) is stage.settings)


def with_tables() -> list[str]:
    """The stages that read tables."""
    return [name for name in STAGES if case(name, Path("place")).tables]


def _value(one: Parameter, config: Config, root: Path) -> Any:
    if one.names is not None:
        return next(iter(one.names(config)))
    if one.name == "parametrization":
        return "dynamic"
    if one.name == "results":
        return config.paths.results
    if one.name == "entries":
        return ROOT / "config" / "open_choices.yaml"
    if one.name == "needs":
        return ROOT / "workflow" / "resources.yaml"
    if one.kind is Path:
        return root / f"{one.name}{'.npz' if one.name == 'images' else '.csv'}"
    if one.kind == list[Path]:
        return [root / f"{one.name}.csv"]
    assert one.default is not NO_DEFAULT, f"what is {one.name} in this test?"
    return one.default
