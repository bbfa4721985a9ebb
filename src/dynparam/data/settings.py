"""Which images are used, where they come from, and what retrieving and drawing them depends on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    Field,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from dynparam.settings.base import Block, PairName, Seed, named, pick

ClassName = Literal[
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
]
"""The ten classes, in the order of their labels 0 to 9."""

Split = Literal["train", "test"]

Normalization = Literal["half_range", "unit_range", "per_channel", "per_image"]


Address = Annotated[str, Field(pattern=r"^https?://[!-~]+$", max_length=2000)]

Images = Annotated[PositiveInt, Field(le=10**6)]


class Source(Block):
    """Where CIFAR-10 comes from. The hashes of its members are fixed, so this never changes a result."""

    archive: Path | None = Field(
        description="local archive or extracted directory; the environment variable wins over it"
    )
    mirrors: tuple[Address, ...] = Field(
        max_length=100, description="addresses of the archive, http or https, tried in this order"
    )
    timeout_seconds: Annotated[PositiveFloat, Field(le=3600)] = Field(
        description="longest silence of a server, up to 3600"
    )
    attempts: Annotated[PositiveInt, Field(le=1000)] = Field(
        description="attempts per mirror, up to 1000; a later one resumes"
    )


class Data(Block):
    """Which images are used (Secs. 3.1-3.3 of the thesis)."""

    seed: Seed = Field(description="seed of the draw of images")
    pairs: dict[PairName, tuple[ClassName, ClassName]] = Field(description="the two-class tasks")
    train_images: Images = Field(description="training images per pair, up to 10^6")
    test_images: Images = Field(description="test images per pair, up to 10^6")
    train_split: Split = Field(description="official split the training images are drawn from")
    test_split: Split = Field(description="official split the test images are drawn from")
    stratified: bool = Field(description="equal numbers of both classes")

    @property
    def validation_count(self) -> int:
        """Images of a third set, which chooses, and judges nothing."""
        return 0

    def of_pair(self, name: str) -> Self:
        """The same with that pair of classes alone. Raises ``ConfigError`` if there is none."""
        return self.model_copy(update={"pairs": {name: named(self.pairs, name, "data.pairs")}})

    def of_draw(self, draw: int) -> Self:
        """The same for another draw of the images; 0 is the first."""
        return self.model_copy(update={"seed": self.seed + draw})

    @model_validator(mode="after")
    def _pairs_of_two(self) -> Self:
        for name, (first, second) in self.pairs.items():
            if first == second:
                raise ValueError(f"pair {name!r} names the class {first!r} twice; name two classes")
        return self


class ValidatedData(Data):
    """The same with a third set of images, drawn from what training and test images leave over.

    Training and test images are those of ``Data``.
    """

    validation_images: Images = Field(description="images of the third set per pair, up to 10^6")

    @property
    def validation_count(self) -> int:
        """Images of the third set."""
        return self.validation_images

    @classmethod
    def of(cls, data: Data, count: int) -> ValidatedData:
        """``data`` with ``count`` images more."""
        return cls(**data.model_dump(exclude={"validation_images"}), validation_images=count)


class Noise(Block):
    """Images made for a first look without data (``dynparam demo``)."""

    seed: Seed = Field(description="seed of their bytes")
    images: Images = Field(description="how many, half of them of each class")


class Inputs(Block):
    """How bytes become network inputs."""

    normalization: Normalization = Field(
        description="half_range (x/255-0.5)/0.5, unit_range x/255, per_channel, per_image"
    )


class SourceStage(Block):
    """Blocks of ``retrieve_cifar10``."""

    source: Source


class DataStage(Block):
    """Blocks of ``extract_pair``."""

    data: Data


def for_source(config: BaseModel) -> SourceStage:
    """What ``retrieve_cifar10`` depends on."""
    return pick(SourceStage, config)


def images_name(pair: str, draw: int = 0, validation: int = 0) -> str:
    """The name of the images of a pair: ``bird-cat``, and ``bird-cat.draw-2`` for further draws.

    With ``validation`` images of a third set, ``bird-cat.validation-1000``.
    """
    drawn = f"{pair}.draw-{draw}" if draw else pair
    return f"{drawn}.validation-{validation}" if validation else drawn


def for_pair(config: BaseModel, pair: str, draw: int = 0) -> DataStage:
    """What extracting ``pair`` depends on; every draw of its images has a seed of its own."""
    return DataStage(data=pick(DataStage, config).data.of_pair(pair).of_draw(draw))
