"""Known errors of the official tables: what was, what becomes of it, why, and who says so.

There is one CSV file a database in ``corrections/``, keyed by subject and clip, since row numbers
differ between releases. A correction is applied only where the table holds exactly what it expects,
so that a release that is already right stays as it is; of several for one clip, the first that
applies. Errors that are public by row number alone
(five rows of CASME, sixteen of MMEW, some twenty apexes of CASME II) can't be carried over to every
release and are not here.
"""

import csv
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from importlib import resources
from typing import NamedTuple

from mer_keras.databases.cells import parse_frame_number
from mer_keras.databases.samples import ClipAnnotation
from mer_keras.databases.tables import listed_rows
from mer_keras.errors import InvariantError

#: Columns that a correction may change.
FRAMES = ("onset", "apex", "offset")
#: Stands in place of a value: the correction is for whatever lies outside onset..offset.
OUTSIDE = "outside"


class Correction(NamedTuple):
    """One line of a corrections file.

    ``frame_source`` is ``raw``, ``cropped`` or ``any``; ``was`` the expected frame number, empty
    for a missing one, or ``outside``; ``becomes`` the right one, empty for "not annotated".
    """

    subject: str
    clip: str
    frame_source: str
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
    lines = csv.DictReader(file.read_text(encoding="utf-8").splitlines())
    corrections = tuple(Correction(**line) for line in lines)
    for number, correction in enumerate(corrections, start=2):
        if correction.column not in FRAMES or not (correction.why and correction.source):
            raise InvariantError(f"{file}: row {number}: needs a column, a reason and a source")
    return corrections


def apply_corrections(
    clips: Sequence[ClipAnnotation], frame_source: str = "any"
) -> tuple[list[ClipAnnotation], list[str]]:
    """Correct a reader's annotations by what is known of their databases.

    Args:
        clips: see ``samples.Reading``.
        frame_source: which frames the clips lead to, unless they say it themselves; corrections
            for other frames don't apply.

    Returns:
        All clips, the changed ones with ``corrected`` set, and a remark with the changed rows'
        numbers.
    """
    known: dict[tuple[str, str, str], list[Correction]] = defaultdict(list)
    for database in {clip.database for clip in clips}:
        for correction in corrections_for(database):
            known[database, correction.subject, correction.clip].append(correction)
    corrected, changed_rows = [], []
    for clip in clips:
        source = clip.frame_source or frame_source
        of_clip = known.get((clip.database, clip.subject, clip.clip), [])
        applying = [correction for correction in of_clip if _applies(correction, clip, source)]
        if not applying:
            corrected.append(clip)
            continue
        correction = applying[0]
        frames: dict[str, int | None] = {name: getattr(clip, name) for name in FRAMES}
        frames[correction.column] = parse_frame_number(correction.becomes, "corrections")
        onset, apex, offset = frames.values()
        corrected.append(replace(clip, onset=onset, apex=apex, offset=offset, corrected=True))
        changed_rows.append(clip.row or 0)
    if not changed_rows:
        return corrected, []
    return corrected, [f"known errors of the table corrected in {listed_rows(changed_rows)}"]


def _applies(correction: Correction, clip: ClipAnnotation, frame_source: str) -> bool:
    """Say whether a clip holds exactly what the correction expects."""
    if correction.frame_source not in ("any", frame_source):
        return False
    frame: int | None = getattr(clip, correction.column)
    if correction.was == OUTSIDE:
        onset, offset = clip.onset, clip.offset
        if frame is None or onset is None or offset is None:
            return False
        return not onset <= frame <= offset
    return frame == parse_frame_number(correction.was, "corrections")
