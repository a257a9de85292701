"""What papers print beside the rows of their tables: matrices, class sizes, counts."""

from pathlib import Path
from typing import Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from mer_keras import settings
from mer_keras.config.strict import StrictModel
from mer_keras.errors import ConfigError, did_you_mean

FILE = "published.yaml"


class Printed(StrictModel):
    """Something that a paper prints, and the table or section where it stands."""

    where: str


class PrintedNumber(Printed):
    """A printed number: ``scale`` is 100 for per cent and 1 for a fraction."""

    name: str
    value: float
    decimals: int = Field(ge=0, le=6)
    scale: Literal[1, 100] = 100

    @property
    def fraction(self) -> float:
        """The value on the scale 0..1."""
        return self.value / self.scale

    @property
    def claimed(self) -> frozenset[str]:
        """Keys of ``metrics.METRICS`` that the name can mean; empty where it says nothing.

        "Accuracy" is the share of right clips. "F1" may be the plain or the weighted mean.
        """
        meanings = {"uar": {"uar"}, "uf1": {"uf1"}, "acc": {"war"}, "f1": {"uf1", "wf1"}}
        name = self.name.lower()
        return frozenset(next((m for key, m in meanings.items() if name.startswith(key)), set()))


class PrintedMatrix(Printed):
    """A confusion matrix as printed: a row for each true class, in per cent of that class.

    ``title``: the method that predicted. ``clips``: how many clips of each class the paper says
    there are. ``numbers`` that the paper prints of the same predictions. ``folds`` of the
    cross-validation, where a mean over folds could explain a row.
    """

    title: str
    classes: tuple[str, ...]
    rows: tuple[tuple[float, ...], ...]
    decimals: int = 2
    clips: dict[str, int]
    numbers: tuple[PrintedNumber, ...] = ()
    folds: int | None = None
    #: Config and row that reproduce the matrix; none where it is quoted from another paper.
    experiment: str | None = None
    row: str | None = None

    @model_validator(mode="after")
    def _is_square(self) -> "PrintedMatrix":
        size = len(self.classes)
        if len(self.rows) != size or any(len(row) != size for row in self.rows):
            raise ValueError(f"{self.where}: expected {size} rows of {size} shares")
        if set(self.clips) != set(self.classes):
            raise ValueError(f"{self.where}: 'clips' must name the classes")
        return self


class CountedMatrix(Printed):
    """A confusion matrix in clips, counted from predictions that the authors published.

    ``title``: method and database. ``rows``: a row for each true class. ``source`` of the
    predictions. ``numbers`` that the paper prints of them. ``method``: its name in
    ``experiments/methods``.
    """

    title: str
    method: str
    source: str
    classes: tuple[str, ...]
    rows: tuple[tuple[int, ...], ...]
    numbers: tuple[PrintedNumber, ...]

    @model_validator(mode="after")
    def _is_square(self) -> "CountedMatrix":
        if len(self.rows) != len(self.classes) or any(len(r) != len(self.rows) for r in self.rows):
            raise ValueError(f"{self.title}: expected as many rows and columns as classes")
        return self


class ScorePairs(Printed):
    """UF1 and UAR that the rows of ``experiment`` quote of methods.

    ``class_sizes``: database -> clips of each class that all quoted methods were tested on.
    """

    experiment: str
    class_sizes: dict[str, dict[str, int]]


class Difference(Printed):
    """A difference that a text states, and the two printed numbers that it is of.

    ``about``: what is compared. ``printed``: as the text prints it, with its digits. ``first``
    minus ``second`` is what it should be, as printed in the tables; ``percent_of`` divides that by
    another printed number and gives per cent. ``metrics`` of the two, where they differ, and
    ``why`` that is known.
    """

    about: str
    printed: str
    first: float
    second: float
    percent_of: float | None = None
    metrics: tuple[str, str] | None = None
    why: str = ""

    @model_validator(mode="after")
    def _metrics_have_a_reason(self) -> "Difference":
        if (self.metrics is None) != (not self.why):
            raise ValueError(f"{self.about}: 'metrics' and 'why' go together")
        return self


class RoundedCount(Printed):
    """A rounded parameter count of a method that the paper did not build itself.

    ``unit``: what the count is rounded to, such as 1000000. ``classes`` of the paper's problem.
    """

    title: str
    classes: int
    published: int
    unit: int


class Reading(Printed):
    """A statement of a text that another place of it, or an official table, contradicts.

    ``about``: what it is about. ``printed`` and ``actual`` in words, with the ``evidence``.
    """

    about: str
    printed: str
    actual: str
    evidence: str


class PartAccuracy(Printed):
    """An accuracy on a part of a database.

    ``title``: method and database. ``clips`` of the whole database. ``tested_share``: the part of
    them that is tested, in 0..1.
    """

    title: str
    number: PrintedNumber
    clips: int
    tested_share: float = Field(default=1.0, gt=0, le=1)


class TableAccuracies(Printed):
    """The accuracies of a table, which stand in the config ``experiment``.

    ``clips`` of each database by its own annotation (``all``: of numbers without a database).
    """

    experiment: str
    decimals: int = Field(ge=0, le=6)
    clips: dict[str, int]


class QuotedAccuracies(Printed):
    """The accuracies that a table quotes from others, which stand in the config ``experiment``.

    ``clips``: how many the table is about. ``subsets``: other sets of clips that a quoted accuracy
    can be of -> their number.
    """

    experiment: str
    decimals: int = Field(ge=0, le=6)
    clips: int
    subsets: dict[str, int]


class PooledAccuracy(Printed):
    """An accuracy over the clips of several databases together, beside that of each database.

    ``clips`` is the number of clips of all databases together, as the paper prints it.
    ``annotated_clips``: clips that each database has by its own annotation, from which the paper's
    number may differ by a few.
    """

    pooled: PrintedNumber
    clips: int
    databases: dict[str, PrintedNumber]
    annotated_clips: dict[str, int]


class ParameterCount(Printed):
    """A printed parameter count of the network ``model``.

    ``per_class``: parameters that each class adds to the network's head.
    """

    title: str
    published: int
    model: str
    per_class: int


class PrintedTTests(Printed):
    """p-values between a method and others, printed beside the tables of ``experiment``.

    ``own``: the method's row there. ``p``: metric -> other row -> p, a text that keeps the printed
    digits. The rows' own numbers of each database and of all together are in the config.
    """

    experiment: str
    own: str
    p: dict[Literal["uar", "uf1"], dict[str, str]]


class PublishedPaper(StrictModel):
    """Everything that one paper prints beside the rows of its tables."""

    title: str
    t_tests: tuple[PrintedTTests, ...] = ()
    matrices: tuple[PrintedMatrix, ...] = ()
    table_accuracies: tuple[TableAccuracies, ...] = ()
    part_accuracies: tuple[PartAccuracy, ...] = ()
    pooled_accuracies: tuple[PooledAccuracy, ...] = ()
    parameter_counts: tuple[ParameterCount, ...] = ()
    quoted_accuracies: tuple[QuotedAccuracies, ...] = ()
    counted_matrices: tuple[CountedMatrix, ...] = ()
    score_pairs: tuple[ScorePairs, ...] = ()
    differences: tuple[Difference, ...] = ()
    rounded_counts: tuple[RoundedCount, ...] = ()
    readings: tuple[Reading, ...] = ()
    stated: tuple[PrintedNumber, ...] = ()
    """Numbers that stand in the text or in a table, and that no row of an experiment holds."""


def papers() -> dict[str, Path]:
    """Path of each paper's file by the paper's folder name, sorted by name."""
    roots = reversed(settings.experiment_roots())
    paths = {path.parent.name: path for root in roots for path in root.glob(f"*/{FILE}")}
    return dict(sorted(paths.items()))


def load(paper: str) -> PublishedPaper:
    """Read a paper's file.

    Args:
        paper: name of its folder, such as ``meranet``.

    Raises:
        ConfigError: no such paper, or the file breaks its form.
    """
    paths = papers()
    if paper not in paths:
        raise ConfigError(
            f"no published numbers of {paper!r}{did_you_mean(paper, paths)}; known: "
            f"{', '.join(paths)}"
        )
    path = paths[paper]
    try:
        return PublishedPaper.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, ValidationError) as error:
        raise ConfigError(f"{path}: {error}") from error
