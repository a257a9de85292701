"""A reader's rows -> samples: known corrections, policies, checks, in this order."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from mer_keras.config.data import Policies
from mer_keras.databases.corrections import apply_corrections
from mer_keras.databases.entry import Database
from mer_keras.databases.folders import require_frames
from mer_keras.databases.labels import plain_emotion
from mer_keras.databases.samples import Excluded, Reading, Samples, make_samples
from mer_keras.errors import AnnotationError
from mer_keras.terms import DataKind

_MARKS = ("onset", "apex", "offset")


def finish(
    reading: Reading,
    data_kind: DataKind,
    *,
    database: Database | None = None,
    policies: Policies | None = None,
    corrections: bool = True,
) -> Samples:
    """Turn what a reader found into a validated samples table.

    The table's own faults are reported before the disk's.

    Args:
        reading: what a reader returned.
        data_kind: of the frames in the database's folder.
        database: its entry, whose printed counts the table is compared with.
        policies: what to do about faults that leave a choice.
        corrections: apply the known corrections to the official table.

    Raises:
        AnnotationError: frame numbers out of order (unless the policy leaves such clips out), a
            clip twice, frames absent, or no clip left.
    """
    policies = policies or Policies()
    rows: list[Mapping[str, Any]] = list(reading.rows)
    remarks: list[str] = []
    if corrections:
        corrected, remarks = apply_corrections(rows, reading.frames)
        rows = list(corrected)
    rows, disordered = _in_order(rows, policies, reading.source)
    rows, without_apex = _with_apex(rows, policies)
    samples = make_samples(
        [{**row, "data_kind": data_kind} for row in rows], source=str(reading.source)
    )
    require_frames([Path(row["path"]) for row in rows], reading.source, reading.tree)
    return Samples(
        samples.table,
        excluded=(*reading.excluded, *disordered, *without_apex),
        warnings=(*reading.warnings, *remarks, *_count_warnings(reading, database)),
        editions=(reading.edition,) if reading.edition else (),
    )


def _count_warnings(reading: Reading, database: Database | None) -> list[str]:
    """Return a line where the table as it was read holds other counts than are printed."""
    if database is None or not database.counts:
        return []
    found = Counter(plain_emotion(row["emotion"]) for row in reading.rows)
    printed = database.counts
    differing = [
        f"{name} {found[name]} (printed: {printed.get(name, 0)})"
        for name in sorted({*found, *printed})
        if found[name] != printed.get(name, 0)
    ]
    people = len({(row["database"], row["subject"]) for row in reading.rows})
    if database.subjects not in (None, people):
        differing.append(f"subjects {people} (printed: {database.subjects})")
    return [f"{database.name}: other counts than printed: {', '.join(differing)}"] * bool(differing)


def _in_order(
    rows: Sequence[Mapping[str, Any]], policies: Policies, source: Path
) -> tuple[list[Mapping[str, Any]], list[Excluded]]:
    kept, excluded = [], []
    for row in rows:
        marks = [(name, row[name]) for name in _MARKS if row.get(name) is not None]
        wrong = [(a, b) for a, b in pairwise(marks) if a[1] > b[1]]
        if not wrong:
            kept.append(row)
            continue
        (earlier, first), (later, second) = wrong[0]
        place = f"row {row['row']}" if row.get("row") else f"clip {row['clip']!r}"
        if policies.frame_order == "error":
            raise AnnotationError(
                f"{source}: {place}: {earlier} {first} after {later} {second}: expected onset <= "
                "apex <= offset; correct the table, or leave such clips out with "
                "data.policies.frame_order=exclude"
            )
        reason = f"{earlier} {first} after {later} {second}"
        excluded.append(Excluded(row["database"], f"{row['subject']}/{row['clip']}", reason))
    return kept, excluded


def _with_apex(
    rows: Sequence[Mapping[str, Any]], policies: Policies
) -> tuple[list[Mapping[str, Any]], list[Excluded]]:
    if policies.apex != "exclude":
        return list(rows), []
    kept = [row for row in rows if row.get("apex") is not None]
    excluded = [
        Excluded(row["database"], f"{row['subject']}/{row['clip']}", "apex not annotated")
        for row in rows
        if row.get("apex") is None
    ]
    return kept, excluded
