"""Known errors of the official tables: what was, what is, why, and who says so.

One CSV a database in ``corrections/``, keyed by subject and clip, since row numbers differ between
releases. A correction is applied only where the table holds exactly what it expects, so that a
release that is already right stays as it is. Errors that are public by row number alone (five rows
of CASME, sixteen of MMEW, some twenty apexes of CASME II) can't be carried over to every release
and are not here.
"""

import csv
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib import resources
from typing import Any, NamedTuple

from mer_keras.databases.tables import listed_rows, parse_frame_number
from mer_keras.errors import InvariantError

#: Columns that a correction may change.
FRAMES = ("onset", "apex", "offset")
#: In place of a value: the correction is for whatever lies outside onset..offset.
OUTSIDE = "outside"


class Correction(NamedTuple):
    """One line of a corrections file.

    ``tree`` is ``raw``, ``cropped`` or ``any``; ``was`` the expected frame number, empty for a
    missing one, or ``outside``; ``becomes`` the right one, empty for "not annotated".
    """

    subject: str
    clip: str
    tree: str
    column: str
    was: str
    becomes: str
    why: str
    source: str


@lru_cache
def corrections_for(database: str) -> tuple[Correction, ...]:
    """Return the corrections to a database's table; none for most.

    Raises:
        InvariantError: the file that is shipped breaks its own format.
    """
    file = resources.files(__package__) / "corrections" / f"{database}.csv"
    if not file.is_file():
        return ()
    lines = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
    found = []
    for number, line in enumerate(lines, start=2):
        correction = Correction(**{("becomes" if k == "is" else k): v for k, v in line.items()})
        if correction.column not in FRAMES or not (correction.why and correction.source):
            raise InvariantError(f"{file}: row {number}: needs a column, a reason and a source")
        found.append(correction)
    return tuple(found)


def apply_corrections(
    rows: Sequence[Mapping[str, Any]], frames: str = "any"
) -> tuple[list[dict[str, Any]], list[str]]:
    """Correct a reader's rows by what is known of their databases.

    Args:
        rows: see ``samples.Reading``.
        frames: which frames the rows are for, unless their ``tree`` says it; corrections to
            another tree don't apply.

    Returns:
        New rows, the changed ones with ``corrected`` set, and a remark with the changed rows'
        numbers.
    """
    known = {
        (database, c.subject, c.clip): c
        for database in {str(row["database"]) for row in rows}
        for c in corrections_for(database)
    }
    corrected, changed = [], []
    for row in rows:
        new = dict(row)
        correction = known.get((str(row["database"]), str(row["subject"]), str(row["clip"])))
        if correction is not None and _applies(correction, row, str(row.get("tree", frames))):
            new[correction.column] = parse_frame_number(correction.becomes, "corrections")
            new["corrected"] = True
            changed.append(int(row.get("row") or 0))
        corrected.append(new)
    remark = f"known errors of the table corrected in {listed_rows(changed)}" if changed else ""
    return corrected, [remark] if remark else []


def _applies(correction: Correction, row: Mapping[str, Any], tree: str) -> bool:
    value = row.get(correction.column)
    if correction.tree not in ("any", tree):
        return False
    if correction.was == OUTSIDE:
        return value is not None and not row["onset"] <= value <= row["offset"]
    return bool(value == parse_frame_number(correction.was, "corrections"))
