"""Folds as ids: the value that protocols produce, its promises and its digest."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import TypeAlias

import pandas as pd
from pydantic import NonNegativeInt, PositiveInt, TypeAdapter, ValidationError

from mer_keras.errors import InvariantError, ProtocolError
from mer_keras.terms import Selection

#: The parts of a fold that name ids.
PARTS = ("train", "val", "test")
#: Most ids of all folds of a file together, each counted as often as a fold names it.
MOST_IDS = 30_000_000
#: Position of a first id, and how many follow each other from there on.
Span: TypeAlias = tuple[NonNegativeInt, PositiveInt]


@dataclass(frozen=True)
class Fold:
    """One division of the samples.

    Attributes:
        name: unique in its protocol; a fold's random seeds derive from it.
        train: ids whose clips are fitted, augmented, oversampled and used for statistics.
        val: ids that ``selection`` looks at; empty for ``last_epoch``.
        test: ids that are predicted.
        selection: which data choose the epoch.
    """

    name: str
    train: tuple[str, ...]
    val: tuple[str, ...]
    test: tuple[str, ...]
    selection: Selection

    @property
    def ids(self) -> Iterator[str]:
        """All ids that the fold names, part after part."""
        return chain.from_iterable(getattr(self, part) for part in PARTS)


@dataclass(frozen=True)
class FoldSet:
    """All folds of a protocol, with remarks that belong in the report."""

    folds: tuple[Fold, ...]
    notes: tuple[str, ...] = ()

    def digest(self) -> str:
        """Digest of the folds: equal for equal divisions, whatever their remarks."""
        return self._digest

    @cached_property
    def _digest(self) -> str:
        """Digest of the folds as one JSON list, of which a fold at a time is in memory.

        Of a thousand people, the text of all folds has hundreds of megabytes.
        """
        digest = hashlib.blake2b(b"[", digest_size=16)
        for number, fold in enumerate(self.folds):
            text = json.dumps(vars(fold), sort_keys=True)
            digest.update((", " * (number > 0) + text).encode())
        digest.update(b"]")
        return digest.hexdigest()

    def to_json(self) -> dict[str, object]:
        """Return a JSON-ready mapping; the inverse of ``from_json``.

        Each id stands once, under ``samples``; a fold names ids by spans of positions there, each
        ``[first, how many]``. Where one person is left out at a time, every fold trains on nearly
        all clips: with ids, the file would grow by the square of the number of people.
        """
        ids = sorted({sample_id for fold in self.folds for sample_id in fold.ids})
        position = {sample_id: number for number, sample_id in enumerate(ids)}
        return {
            "digest": self.digest(),
            "notes": list(self.notes),
            "samples": ids,
            "folds": [
                {part: _spans(getattr(fold, part), position) for part in PARTS}
                | {"name": fold.name, "selection": fold.selection}
                for fold in self.folds
            ],
        }

    @classmethod
    def from_json(cls, tree: Mapping[str, object]) -> "FoldSet":
        """Rebuild a fold set and check its digest.

        A fold of earlier versions lists its ids.

        Raises:
            ProtocolError: ``tree`` is no fold set, or the stored digest does not match the folds.
        """
        try:
            stored = TypeAdapter(_StoredFolds).validate_python(dict(tree))
            folds = stored.expanded()
        except ValidationError as error:
            problem = error.errors(include_url=False)[0]
            where = ".".join(map(str, problem["loc"]))
            raise ProtocolError(
                f"the stored folds are damaged ({where}: {problem['msg']}); delete the run folder "
                "and run again"
            ) from error
        if folds.digest() != tree.get("digest"):
            raise ProtocolError(
                "the stored folds do not match their digest: the file was edited after it was "
                "written; delete the run folder and run again"
            )
        return folds


@dataclass(frozen=True)
class _StoredFold:
    """A fold as its file has it: ids, or spans of positions among the ids of all folds."""

    name: str
    selection: Selection
    train: tuple[str, ...] | tuple[Span, ...]
    val: tuple[str, ...] | tuple[Span, ...]
    test: tuple[str, ...] | tuple[Span, ...]

    @property
    def amount(self) -> int:
        """How many ids its parts name."""
        parts = (self.train, self.val, self.test)
        return sum(1 if isinstance(item, str) else item[1] for part in parts for item in part)


@dataclass(frozen=True)
class _StoredFolds:
    """What the file of a fold set holds (see ``FoldSet.to_json``)."""

    folds: tuple[_StoredFold, ...]
    notes: tuple[str, ...] = ()
    samples: tuple[str, ...] = ()

    def expanded(self) -> FoldSet:
        """Return the fold set with ids.

        Raises:
            ProtocolError: spans name more ids than there can be, or positions without an id.
        """
        amount = sum(fold.amount for fold in self.folds)
        if amount > MOST_IDS:
            raise ProtocolError(
                f"the stored folds name {amount:,} ids, expected at most {MOST_IDS:,}: no folds of "
                "a run"
            )
        folds = []
        for fold in self.folds:
            train, val, test = (self._ids(getattr(fold, part)) for part in PARTS)
            folds.append(Fold(fold.name, train, val, test, fold.selection))
        return FoldSet(tuple(folds), self.notes)

    def _ids(self, items: tuple[str, ...] | tuple[Span, ...]) -> tuple[str, ...]:
        ids: list[str] = []
        for item in items:
            if isinstance(item, str):
                ids.append(item)
                continue
            first, amount = item
            if first + amount > len(self.samples):
                raise ProtocolError(
                    f"the stored folds are damaged (position {first + amount - 1} of "
                    f"{len(self.samples)} ids); delete the run folder and run again"
                )
            ids += self.samples[first : first + amount]
        return tuple(ids)


def _spans(ids: Sequence[str], position: Mapping[str, int]) -> list[list[int]]:
    """Return the positions of ids, in their order, as spans ``[first, how many]``."""
    spans: list[list[int]] = []
    for number in map(position.__getitem__, ids):
        if spans and number == spans[-1][0] + spans[-1][1]:
            spans[-1][1] += 1
        else:
            spans.append([number, 1])
    return spans


def check_folds(
    folds: FoldSet, table: pd.DataFrame, *, subject_exclusive: bool = True, whole: bool = True
) -> None:
    """Assert what a protocol promises.

    Always: ids are known and listed once; no tested clip is trained on or, unless under
    ``test_fold``, looked at; validation is there exactly where ``selection`` needs it.

    Args:
        folds: the folds of a protocol.
        table: the samples table that they divide, with ``sample_id`` and ``subject_id``.
        subject_exclusive: subjects of test never stand in train or validation, and under
            ``inner_subjects`` those of validation never in train.
        whole: every sample is tested exactly once; else at most once.

    Raises:
        InvariantError: naming the fold and the first offender.
    """
    subject_of = dict(zip(table["sample_id"], table["subject_id"], strict=True))
    names = [fold.name for fold in folds.folds]
    _no_repeat(names, "fold names")
    for fold in folds.folds:
        _check_fold(fold, subject_of, subject_exclusive)
    tested = [sample_id for fold in folds.folds for sample_id in fold.test]
    _no_repeat(tested, "tested samples")
    if whole and set(tested) != set(subject_of):
        raise InvariantError(
            f"every sample must be tested once: {len(set(subject_of) - set(tested))} of "
            f"{len(subject_of)} are not"
        )


def missing_classes(ids: Iterable[str], table: pd.DataFrame) -> list[str]:
    """Classes of the table that none of ``ids`` has, sorted by name."""
    label_of = dict(zip(table["sample_id"], table["label"], strict=True))
    return sorted(set(table["label"]) - {label_of[sample_id] for sample_id in ids})


def _check_fold(fold: Fold, subject_of: Mapping[str, str], subject_exclusive: bool) -> None:
    """Refuse a fold that breaks a promise of ``check_folds``."""
    where = f"fold {fold.name!r}"
    for part in ("train", "val", "test"):
        ids: Sequence[str] = getattr(fold, part)
        _no_repeat(ids, f"{where}: {part} ids")
        unknown = [sample_id for sample_id in ids if sample_id not in subject_of]
        if unknown:
            raise InvariantError(f"{where}: unknown id {unknown[0]!r} in {part}")
    if not fold.train or not fold.test:
        raise InvariantError(f"{where}: train and test must not be empty")
    train, val, test = set(fold.train), set(fold.val), set(fold.test)
    trained, validated, tested = (
        {subject_of[sample_id] for sample_id in ids} for ids in (train, val, test)
    )
    if subject_exclusive:
        _disjoint(where, "subject", "train", trained, "test", tested)
    _disjoint(where, "clip", "train", train, "test", test)
    if fold.selection is Selection.TEST_FOLD:
        if fold.val != fold.test:
            raise InvariantError(f"{where}: under test_fold validation is the test itself")
        return
    inner = (Selection.INNER_SUBJECTS, Selection.INNER_CLIPS)
    if bool(fold.val) != (fold.selection in inner):
        raise InvariantError(f"{where}: {fold.selection} with {len(fold.val)} validation samples")
    if subject_exclusive:
        _disjoint(where, "subject", "validation", validated, "test", tested)
    if fold.selection is Selection.INNER_SUBJECTS:
        _disjoint(where, "subject", "train", trained, "validation", validated)
    _disjoint(where, "clip", "validation", val, "test", test)
    _disjoint(where, "clip", "train", train, "validation", val)


def _disjoint(
    where: str, what: str, first_part: str, first: set[str], second_part: str, second: set[str]
) -> None:
    """Refuse two parts of a fold that share a subject or a clip, as ``what`` names it."""
    shared = sorted(first & second)
    if shared:
        raise InvariantError(
            f"{where}: {what} {shared[0]!r} stands in {first_part} and in {second_part}"
        )


def _no_repeat(items: Sequence[str], what: str) -> None:
    """Refuse a list that names something twice; ``what`` tells what it lists."""
    repeated = [item for item, count in Counter(items).items() if count > 1]
    if repeated:
        raise InvariantError(f"{what} must not repeat, found {repeated[0]!r} twice")
