"""How well intervals were spotted, by the rule of the Micro-Expression Grand Challenges.

A spotted interval is right if it shares half of its union with an annotated one, one to one; counts
are added over all videos before precision, recall and F1 are taken (MEGC 2020 and later).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml
from numpy.typing import NDArray

from mer_keras.databases.sheets import read_table
from mer_keras.databases.tables import TableRow
from mer_keras.errors import AnnotationError, UserError
from mer_keras.video.intervals import overlap

#: Least intersection over union of a right interval.
LEAST_OVERLAP = 0.5
MICRO, MACRO, ALL = "micro", "macro", "all"

_REQUIRED: dict[str, tuple[str, ...]] = {
    "video": ("path", "sample", "clip"),
    "onset": (),
    "offset": (),
}
_OPTIONAL: dict[str, tuple[str, ...]] = {
    "subject": (),
    "kind": ("type",),
    "label": ("emotion", "class"),
    "predicted": (),
}


@dataclass(frozen=True)
class Annotation:
    """An annotated or spotted interval of a video.

    Attributes:
        video: which one.
        onset: frame.
        offset: frame, inclusive.
        kind: ``micro`` or ``macro``.
        label: its class; empty if there is none.
    """

    video: str
    onset: int
    offset: int
    kind: str = MICRO
    label: str = ""


@dataclass(frozen=True)
class Video:
    """A video that was spotted in.

    Attributes:
        name: as annotations name it.
        subject: who is in it.
        minutes: its length; None if unknown.
    """

    name: str
    subject: str
    minutes: float | None = None


class Counts(NamedTuple):
    """Right and wrong intervals.

    Attributes:
        true_positives: spotted intervals that meet an annotated one.
        false_positives: spotted intervals that meet none, or one that another one met.
        false_negatives: annotated intervals that none met.
    """

    true_positives: int
    false_positives: int
    false_negatives: int

    @property
    def precision(self) -> float:
        """Share of the spotted intervals that are right; 0 where nothing was spotted."""
        return _ratio(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall(self) -> float:
        """Share of the annotated intervals that were spotted; 0 where nothing was annotated."""
        return _ratio(self.true_positives, self.true_positives + self.false_negatives)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, 2 TP / (2 TP + FP + FN)."""
        wrong = self.false_positives + self.false_negatives
        return _ratio(2 * self.true_positives, 2 * self.true_positives + wrong)


@dataclass(frozen=True)
class SpottingScore:
    """How well one kind of expression was spotted.

    Attributes:
        kind: ``micro``, ``macro`` or ``all``.
        counts: added over all videos.
        low: lower end of the 95 % interval of F1 over subjects; NaN with one subject.
        high: upper end.
        subjects: how many people the interval is over.
        false_positives_a_minute: an annotator's cost; None if lengths are unknown.
    """

    kind: str
    counts: Counts
    low: float
    high: float
    subjects: int
    false_positives_a_minute: float | None


def match(spotted: Sequence[Annotation], annotated: Sequence[Annotation]) -> list[tuple[int, int]]:
    """Pair spotted and annotated intervals of one video, one to one.

    The pairs with the greatest overlap come first; two of equal overlap in the order of time.

    Returns:
        Indices (spotted, annotated) of the pairs with an overlap of ``LEAST_OVERLAP`` or more.
    """
    overlaps = [
        (overlap((a.onset, a.offset), (b.onset, b.offset)), i, j)
        for i, a in enumerate(spotted)
        for j, b in enumerate(annotated)
    ]
    pairs: list[tuple[int, int]] = []
    free_spotted, free_annotated = set(range(len(spotted))), set(range(len(annotated)))
    for shared, i, j in sorted(overlaps, key=lambda triple: (-triple[0], triple[1], triple[2])):
        if shared >= LEAST_OVERLAP and i in free_spotted and j in free_annotated:
            pairs.append((i, j))
            free_spotted.remove(i)
            free_annotated.remove(j)
    return sorted(pairs)


def count(spotted: Sequence[Annotation], annotated: Sequence[Annotation]) -> Counts:
    """Count right and wrong intervals of one video."""
    right = len(match(spotted, annotated))
    return Counts(right, len(spotted) - right, len(annotated) - right)


def score(
    spotted: Iterable[Annotation],
    annotated: Iterable[Annotation],
    videos: Sequence[Video],
    *,
    resamples: int = 2000,
    seed: int = 0,
) -> list[SpottingScore]:
    """Score spotted intervals of some videos: micro, macro, and all.

    ``all`` adds the counts of the two kinds, which are matched apart; a kind that is neither
    annotated nor spotted is left out.

    Args:
        spotted: intervals of all videos.
        annotated: likewise.
        videos: all that were spotted in, those without an expression too.
        resamples: bootstrap samples of the subjects.
        seed: of the draws.

    Raises:
        UserError: an interval is of a video that isn't listed.
    """
    by_kind = {kind: _counts_by_video(spotted, annotated, videos, kind) for kind in (MICRO, MACRO)}
    by_kind = {kind: counts for kind, counts in by_kind.items() if counts.any()}
    if len(by_kind) == 2:
        by_kind[ALL] = by_kind[MICRO] + by_kind[MACRO]
    minutes = [video.minutes for video in videos]
    length = sum(m for m in minutes if m is not None) if None not in minutes else None
    scores = []
    for kind, counts in by_kind.items():
        total = Counts(*(int(number) for number in counts.sum(axis=0)))
        low, high, subjects = _interval(counts, videos, resamples, seed)
        cost = total.false_positives / length if length else None
        scores.append(SpottingScore(kind, total, low, high, subjects, cost))
    return scores


def strs(
    spotted: Sequence[Annotation], annotated: Sequence[Annotation], videos: Sequence[Video]
) -> float:
    """Spot-then-recognise score: F1 of spotting times macro F1 of the classes of right intervals.

    Liong, See and Chan (2023). Classes are those of the annotated intervals that were met; a class
    that only predictions name counts with an F1 of 0.

    Raises:
        UserError: an interval has no class.
    """
    pairs: list[tuple[str, str]] = []
    totals = np.zeros(3, int)
    for video in videos:
        own = [interval for interval in spotted if interval.video == video.name]
        true = [interval for interval in annotated if interval.video == video.name]
        if not all(interval.label for interval in [*own, *true]):
            raise UserError(
                f"{video.name}: an interval without a class: expected the columns label "
                "(annotated) and predicted (spotted)"
            )
        matched = match(own, true)
        totals += len(matched), len(own) - len(matched), len(true) - len(matched)
        pairs += [(true[j].label, own[i].label) for i, j in matched]
    classes = sorted({name for pair in pairs for name in pair})
    scores = [
        Counts(
            sum(pair == (name, name) for pair in pairs),
            sum(pair[1] == name != pair[0] for pair in pairs),
            sum(pair[0] == name != pair[1] for pair in pairs),
        ).f1
        for name in classes
    ]
    return Counts(*(int(n) for n in totals)).f1 * float(np.mean(scores)) if scores else 0.0


def published_levels() -> list[dict[str, Any]]:
    """Return what published methods reach, each with its source."""
    file = Path(__file__).with_name("published.yaml")
    rows: list[dict[str, Any]] = yaml.safe_load(file.read_text(encoding="utf-8"))["rows"]
    return rows


def read_annotations(path: Path) -> tuple[list[Annotation], dict[str, str]]:
    """Read annotated or spotted intervals.

    Args:
        path: a table with the columns video, onset and offset; where there are any also subject,
            kind (micro or macro), label, predicted. Frames count from 0.

    Returns:
        The intervals, labelled by ``predicted`` where that is filled, and the subject of each video
        (the video itself where none is given).

    Raises:
        AnnotationError: the table breaks its format.
    """
    remedy = "write a table with the columns video, onset and offset"
    rows, _ = read_table(path, _REQUIRED, _OPTIONAL, remedy=remedy)
    intervals = [_annotation(row) for row in rows]
    subjects = {
        interval.video: row.text("subject") or interval.video
        for row, interval in zip(rows, intervals, strict=True)
    }
    return intervals, subjects


def _annotation(row: TableRow) -> Annotation:
    span = row.span("onset", "onset", "offset")
    kind = row.text("kind").lower() or MICRO
    kind = kind.removesuffix("-expression")
    if kind not in (MICRO, MACRO):
        raise AnnotationError(
            f"{row.where('kind')}: {kind[:60]!r}, expected {MICRO} or {MACRO}; correct the cell"
        )
    if span.onset > span.offset:
        raise AnnotationError(
            f"{row.where('offset')}: frame {span.offset} before the onset {span.onset}; correct it"
        )
    label = row.text("predicted") or row.text("label")
    return Annotation(row.required_text("video"), span.onset, span.offset, kind, label)


def _counts_by_video(
    spotted: Iterable[Annotation],
    annotated: Iterable[Annotation],
    videos: Sequence[Video],
    kind: str,
) -> NDArray[np.int64]:
    """Right, false and missed intervals of one kind in each video, (videos, 3)."""
    own = _by_video([interval for interval in spotted if interval.kind == kind])
    true = _by_video([interval for interval in annotated if interval.kind == kind])
    names = [video.name for video in videos]
    unknown = sorted((own.keys() | true.keys()) - set(names))
    if unknown:
        raise UserError(
            f"intervals of {unknown[0]!r}, which is none of the {len(names)} videos that were "
            "spotted in: expected the same names in both"
        )
    counts = [count(own.get(name, []), true.get(name, [])) for name in names]
    return np.array(counts, np.int64).reshape(-1, 3)


def _by_video(intervals: Iterable[Annotation]) -> Mapping[str, list[Annotation]]:
    by_video: dict[str, list[Annotation]] = defaultdict(list)
    for interval in intervals:
        by_video[interval.video].append(interval)
    return by_video


def _interval(
    counts: NDArray[np.int64], videos: Sequence[Video], resamples: int, seed: int
) -> tuple[float, float, int]:
    """95 % percentile interval of F1 over subjects, and how many of them there are."""
    subjects = sorted({video.subject for video in videos})
    of_subject = np.zeros((len(subjects), 3))
    for video, of_video in zip(videos, counts, strict=True):
        of_subject[subjects.index(video.subject)] += of_video
    if len(subjects) < 2:
        return float("nan"), float("nan"), len(subjects)
    drawn = np.random.default_rng(seed).integers(len(subjects), size=(resamples, len(subjects)))
    right, false, missed = of_subject[drawn].sum(axis=1).T  # (resamples,) each
    total = 2 * right + false + missed
    scores = np.divide(2 * right, total, out=np.zeros_like(right), where=total > 0)
    low, high = np.quantile(scores, [0.025, 0.975])
    return float(low), float(high), len(subjects)


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
