"""Predictions of a file -> class counts, metrics with intervals over people, and warnings."""

from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from mer_keras.evaluation import metrics
from mer_keras.evaluation.predictions_file import PredictionsFile, people_of

#: Metrics that are shown, in order. Mean precision stands beside the mean recall, since papers
#: have printed the one as the other.
SHOWN = ("uf1", "uar", "war", "wf1", "uap")


@dataclass(frozen=True)
class ScoredMetric:
    """A metric and its 95 % interval over people, in 0..1."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class ScoredPart:
    """Scores of all predictions, or of one database's.

    Attributes:
        name: name of the database; ``all`` for all clips.
        clips: number of clips.
        people: number of people.
        class_counts: clips of each true class, in the order of the classes.
        matrix: confusion matrix in clips, rows are the truth.
        metrics: metric -> value; means are over the classes that have clips.
        warnings: what the numbers don't say.
    """

    name: str
    clips: int
    people: int
    class_counts: dict[str, int]
    matrix: list[list[int]]
    metrics: dict[str, ScoredMetric]
    warnings: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """Return it JSON-ready."""
        return asdict(self)


def score_file(predictions: PredictionsFile) -> list[ScoredPart]:
    """Score all predictions of a file, then those of each database where there are several."""
    table = predictions.table
    parts = [_score("all", table, predictions.classes)]
    if "database" in table and table["database"].nunique() > 1:
        parts += [
            _score(str(name), part, predictions.classes)
            for name, part in table.groupby("database", sort=True)
        ]
    return parts


def _score(name: str, table: pd.DataFrame, classes: tuple[str, ...]) -> ScoredPart:
    people = people_of(table)
    rows = np.repeat(np.arange(len(table)), table["clips"])  # One entry a clip.
    labels = table["label"].to_numpy()[rows].tolist()
    predicted = table["predicted"].to_numpy()[rows].tolist()
    owners = np.array(people)[rows].tolist()
    matrix = metrics.confusion_matrix(labels, predicted, classes)
    scored = {}
    for metric in SHOWN:
        low, high = metrics.bootstrap_interval(labels, predicted, owners, classes, metric)
        value = float(metrics.of_present_classes(metric, matrix))
        scored[metric] = ScoredMetric(value, low, high)
    counts = dict(zip(classes, map(int, matrix.sum(axis=1)), strict=True))
    return ScoredPart(
        name=name,
        clips=int(matrix.sum()),
        people=len(set(people)),
        class_counts=counts,
        matrix=matrix.tolist(),
        metrics=scored,
        warnings=tuple(_warnings(counts, len(set(people)), scored)),
    )


def _warnings(counts: dict[str, int], people: int, scored: dict[str, ScoredMetric]) -> list[str]:
    """What the numbers of a part don't say."""
    warnings = []
    absent = [name for name, count in counts.items() if not count]
    if absent:
        warnings.append(f"no clip of {', '.join(absent)}: means are over the other classes")
    if text := metrics.few_subjects_warning(people):
        warnings.append(f"intervals are over {text}")
    if any(metric.low == metric.high for metric in scored.values()):
        warnings.append(
            "an interval without width says that people are alike, not that the value is known"
        )
    return warnings
