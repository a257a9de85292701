"""What papers print beside the rows of their tables: matrices, class sizes, counts."""

from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from mer_keras.errors import ConfigError, did_you_mean

FILE = "published.yaml"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Figure(_Strict):
    """A printed number: ``scale`` is 100 for per cent and 1 for a fraction."""

    name: str
    value: float
    decimals: int = Field(ge=0, le=6)
    where: str
    scale: Literal[1, 100] = 100


class Matrix(_Strict):
    """A confusion matrix as printed: a row a true class, in shares of that class.

    ``clips``: how many clips of each class the paper says there are. ``figures``: numbers that
    the paper prints of the same predictions. ``folds`` of the cross-validation, where a mean over
    folds could explain a share.
    """

    where: str
    of: str
    classes: tuple[str, ...]
    rows: tuple[tuple[float, ...], ...]
    decimals: int = 2
    clips: dict[str, int]
    figures: tuple[Figure, ...] = ()
    folds: int | None = None
    #: config and row that reproduce it; none for a matrix that is quoted from another paper
    experiment: str | None = None
    row: str | None = None

    @model_validator(mode="after")
    def _is_square(self) -> "Matrix":
        size = len(self.classes)
        if len(self.rows) != size or any(len(row) != size for row in self.rows):
            raise ValueError(f"{self.where}: expected {size} rows of {size} shares")
        if set(self.clips) != set(self.classes):
            raise ValueError(f"{self.where}: 'clips' must name the classes")
        return self


class Share(_Strict):
    """An accuracy on a part of a database. ``tested``: the share of the clips that is tested."""

    where: str
    of: str
    figure: Figure
    clips: int
    tested: float = Field(default=1.0, gt=0, le=1)


class Accuracies(_Strict):
    """The accuracies of a table, whose figures stand in the config ``experiment``.

    ``clips`` of each database by its own annotation (``all``: of figures without a database).
    """

    where: str
    experiment: str
    decimals: int = Field(ge=0, le=6)
    clips: dict[str, int]


class Sum(_Strict):
    """An accuracy over several databases together, with that of each and its number of clips."""

    where: str
    whole: Figure
    clips: int
    parts: dict[str, Figure]
    #: clips that each database has by its own annotation; the paper's may differ by a few
    about: dict[str, int]


class Parameters(_Strict):
    """A printed parameter count of a network; ``per_class``: parameters of the head for each."""

    where: str
    of: str
    published: int
    model: str
    per_class: int


class TTests(_Strict):
    """p-values between a method and others, printed beside the tables of ``experiment``.

    ``own``: the method's row there. ``p``: metric -> row -> p, a text that keeps the printed
    digits. The rows' own figures of each database and of all together are in the config.
    """

    where: str
    experiment: str
    own: str
    p: dict[Literal["uar", "uf1"], dict[str, str]]


class PublishedPaper(_Strict):
    """All of one paper that its tables' rows don't say."""

    title: str
    t_tests: tuple[TTests, ...] = ()
    matrices: tuple[Matrix, ...] = ()
    accuracies: tuple[Accuracies, ...] = ()
    shares: tuple[Share, ...] = ()
    sums: tuple[Sum, ...] = ()
    parameters: tuple[Parameters, ...] = ()


def papers() -> dict[str, Path]:
    """Method -> its file."""
    roots = (Path("experiments"), Path(__file__).parents[2] / "experiments")
    found = {file.parent.name: file for root in roots[::-1] for file in root.glob(f"*/{FILE}")}
    return dict(sorted(found.items()))


def load(method: str) -> PublishedPaper:
    """Read a paper's file.

    Raises:
        ConfigError: no such paper, or the file breaks its form.
    """
    known = papers()
    if method not in known:
        raise ConfigError(
            f"no published numbers of {method!r}{did_you_mean(method, known)}; known: "
            f"{', '.join(known)}"
        )
    try:
        return PublishedPaper.model_validate(
            yaml.safe_load(known[method].read_text(encoding="utf-8"))
        )
    except (yaml.YAMLError, ValidationError) as error:
        raise ConfigError(f"{known[method]}: {error}") from error
