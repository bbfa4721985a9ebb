"""The stages that bring CIFAR-10 and draw two-class tasks from it."""

from __future__ import annotations

from pathlib import Path

from dynparam.data.settings import DataStage, SourceStage, ValidatedData, for_pair, for_source
from dynparam.provenance.stage import Made, Parameter, Stage

RAW = Path("data/raw")

PAIR = Parameter("pair", "Name of a pair in data.pairs.", names=lambda config: config.data.pairs)
RAW_OPTION = Parameter("raw", "Directory of the verified files.", "--raw", Path, RAW)
VALIDATION = Parameter(
    "validation",
    "Images of a third set, drawn from what training and test images leave over.",
    "--validation",
    int,
    0,
)
POOL = Parameter("pool", "Keep every image of the two classes, draw none.", "--pool", bool, False)


def retrieve_cifar10(settings: SourceStage, files: tuple[Path, ...], output: Path) -> Made:
    """Bring the verified CIFAR-10 files to a directory, from a local archive or the mirrors."""
    from dynparam.data import official, retrieval

    found = retrieval.retrieve(settings.source, output, official.expected_hashes())
    members = [output / official.FOLDER / member for member in official.MEMBERS]
    return Made(members, {"source": found}, sidecar=output / "cifar10.json")


def verified_files(settings: DataStage, raw: Path) -> list[Path]:
    """The files of CIFAR-10."""
    from dynparam.data import official

    return [raw / official.FOLDER / member for member in official.MEMBERS]


def extract_pair(
    settings: DataStage,
    files: list[Path],
    output: Path,
    pair: str,
    raw: Path,
    pool: bool,
    validation: int,
) -> Made:
    """Draw the images of a two-class task, with a manifest of what was drawn."""
    from dynparam.data import official, pairs
    from dynparam.settings.base import named
    from dynparam.support.errors import ConfigError

    named(settings.data.pairs, pair, "data.pairs")
    if validation < 0 or (pool and validation):
        raise ConfigError(
            f"--validation {validation} draws no third set"
            + (", for --pool draws none; leave one of them out" if pool else "; give a positive number")
        )
    data = ValidatedData.of(settings.data, validation) if validation else settings.data
    extract = pairs.extract_pool if pool else pairs.extract_pair
    return Made([output], extract(raw, pair, data, output, official.expected_hashes()))


RETRIEVE = Stage(
    "data retrieve",
    SourceStage,
    retrieve_cifar10,
    jobs=lambda config: (for_source(config),),
    examples=("dynparam data retrieve", "dynparam data retrieve --json"),
)
EXTRACT = Stage(
    "data extract",
    DataStage,
    extract_pair,
    verified_files,
    (PAIR, RAW_OPTION, POOL, VALIDATION),
    jobs=lambda config: (
        for_pair(config, pair, draw)
        for pair in config.data.pairs
        for draw in range(max((one.draws for one in config.domain.networks), default=1))
    ),
    examples=("dynparam data extract bird-cat", "dynparam data extract bird-cat --pool"),
    remedy="dynparam data retrieve",
)
STAGES = (RETRIEVE, EXTRACT)
