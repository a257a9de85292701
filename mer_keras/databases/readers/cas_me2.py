"""CAS(ME)^2 (Qu et al., IEEE Trans. Affective Computing 2018): expressions in long videos.

30 frames a second; 57 micro- and 300 macro-expressions of 22 subjects. The table has three sheets
without a header: the expressions, which folder belongs to which participant, and the code of each
film in the folders' names. Only the micro-expressions are read.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from mer_keras.databases.entry import Database
from mer_keras.databases.folders import find_table, find_tree, require_inside, subfolders
from mer_keras.databases.samples import Excluded, Reading
from mer_keras.databases.tables import (
    Row,
    as_whole_number,
    check_name,
    listed_rows,
    rows_without_header,
    span_warnings,
)
from mer_keras.databases.workbook import read_sheet
from mer_keras.errors import AnnotationError

NAME = "cas_me2"
FPS = 30.0
WORKBOOKS = (
    "CAS(ME)^2code_final(Updated).xlsx",
    "CAS(ME)^2code_final.xlsx",
    "code_final.xlsx",
)
TREES = {"raw": ("rawpic",)}
TREE = """CAS(ME)^2/
  CAS(ME)^2code_final(Updated).xlsx
  rawpic/s15/15_0101disgustingteeth/img1.jpg   <folder>/<number>_<code><film>/img<frame>.jpg"""
MICRO, MACRO = "micro-expression", "macro-expression"

_COLUMNS = (
    "participant",
    "name",
    "onset",
    "apex",
    "offset",
    "action units",
    "emotion",
    "kind",
    "self-report",
)
_NAME = re.compile(r"(?P<film>.+?)_(?P<number>[0-9]+)")
_FOLDER_NUMBER = re.compile(r"[sS]?0*([0-9]+)")
_CODE = re.compile(r"[0-9]{4}")


class _Tables(NamedTuple):
    """What the second and the third sheet say."""

    folder_of: Mapping[int, str]  # participant -> folder, such as s15
    code_of: Mapping[str, str]  # film -> code of four digits


def read(root: Path) -> Reading:
    """Read the sheets and find the video of each micro-expression.

    A clip's name is that of the table ("anger1_1"), its ``path`` the folder of the whole video. An
    offset of 0 means that the table gives none: the apex stands in.

    Args:
        root: the folder that holds the table and ``rawpic``.

    Returns:
        One row a micro-expression. Emotions are in lower case.

    Raises:
        AnnotationError: the table or ``rawpic`` is absent, unreadable or breaks its format, or an
            expression's video isn't there.
    """
    table, warnings = find_table(root, WORKBOOKS, "*code_final*.xlsx")
    frames, chosen = find_tree(root, TREES, "raw", TREE)
    tables = _Tables(_folders(table), _codes(table))
    rows, spans, macro, no_offset = [], [], 0, []
    for line in rows_without_header(read_sheet(table, 0), _COLUMNS, table):
        kind = line.required_text("kind").lower()
        if kind == MACRO:
            macro += 1
            continue
        if kind != MICRO:
            raise AnnotationError(
                f"{line.where('kind')}: {kind[:60]!r}, expected {MICRO!r} or {MACRO!r}; correct "
                "the cell"
            )
        span = line.span("onset", "apex", "offset")
        if span.offset == 0 and span.apex is not None:
            span = span._replace(offset=span.apex)
            no_offset.append(line.number)
        spans.append((line, span))
        subject, video = _video(line, tables, frames)
        rows.append(
            {
                "row": line.number,
                "database": NAME,
                "subject": subject,
                "clip": line.name("name"),
                "path": require_inside(video, root, line.where("name")),
                **span._asdict(),
                "fps": FPS,
                "emotion": line.required_text("emotion").lower(),
                "action_units": line.text("action units"),
            }
        )
    rows, excluded = _without_repeated(rows)
    if no_offset:
        warnings.append(f"{table.name}: offset 0, the apex stands in, in {listed_rows(no_offset)}")
    warnings += [f"{table.name}: {macro} macro-expressions are not read"] if macro else []
    warnings += span_warnings(table, spans)
    return Reading(
        table,
        rows,
        TREE,
        edition=f"{table.name}, {frames.name}",
        frames=chosen,
        warnings=warnings,
        excluded=excluded,
    )


def _without_repeated(
    rows: list[dict[str, object]],
) -> tuple[list[dict[str, object]], list[Excluded]]:
    """Tell apart clips of one name by their onset; a row that stands twice is left out once."""
    seen: dict[tuple[object, object], list[object]] = {}
    kept, excluded = [], []
    for row in rows:
        onsets = seen.setdefault((row["subject"], row["clip"]), [])
        name = str(row["clip"])
        if row["onset"] in onsets:
            excluded.append(Excluded(NAME, f"{row['subject']}/{name}", "row stands twice"))
            continue
        onsets.append(row["onset"])
        kept.append(row if len(onsets) == 1 else {**row, "clip": f"{name}@{row['onset']}"})
    return kept, excluded


def _folders(table: Path) -> dict[int, str]:
    """Read the naming rule: folder number, its name, participant."""
    found = {}
    for line in rows_without_header(
        read_sheet(table, 1), ("number", "folder", "participant"), table
    ):
        participant = as_whole_number(line.cell("participant"))
        if participant is None:
            raise AnnotationError(
                f"{line.where('participant')}: {line.text('participant')[:60]!r}, expected a "
                "participant's number; correct the cell"
            )
        found[participant] = line.name("folder").lower()
    return found


def _codes(table: Path) -> dict[str, str]:
    """Read the films' codes; a zero in front is lost where the code was saved as a number."""
    found = {}
    for line in rows_without_header(read_sheet(table, 2), ("code", "film"), table):
        code = line.text("code").zfill(4)
        if not _CODE.fullmatch(code):
            raise AnnotationError(
                f"{line.where('code')}: {line.text('code')[:60]!r}, expected a film's code of four "
                "digits; correct the cell"
            )
        found[line.required_text("film").lower()] = code
    return found


def _video(line: Row, tables: _Tables, frames: Path) -> tuple[str, Path]:
    """Return the subject and the folder of the video that an expression was found in.

    One folder under s19 bears the number of another person: films are told by their code alone.
    """
    participant = as_whole_number(line.cell("participant"))
    folder = tables.folder_of.get(participant or 0)
    if folder is None:
        raise AnnotationError(
            f"{line.where('participant')}: {line.text('participant')[:60]!r} has no folder in the "
            "second sheet: expected one of the participants there; correct the cell"
        )
    match = _NAME.fullmatch(line.name("name"))
    code = tables.code_of.get(match["film"].lower()) if match else None
    if code is None:
        raise AnnotationError(
            f"{line.where('name')}: {line.text('name')[:60]!r}, expected <film>_<number> with a "
            "film of the third sheet; correct the cell"
        )
    check_name(folder, line.where("participant"))
    for video in subfolders(frames / folder):
        if re.match(rf"[0-9]+_{code}(?![0-9])", video.name):
            return folder, video
    number = _FOLDER_NUMBER.fullmatch(folder)
    return folder, frames / folder / f"{number[1] if number else folder}_{code}"


DATABASE = Database(
    name=NAME,
    title="CAS(ME)^2, micro-expressions in long videos",
    folders=("CAS(ME)^2", "CAS(ME)2", "CASME_SQ", "CASME^2"),
    reader=read,
    whom_to_ask=(
        "Institute of Psychology, Chinese Academy of Sciences (X. Fu): sign the licence agreement\n"
        "at http://casme.psych.ac.cn/casme/e3 and send it as described there."
    ),
    tree=TREE,
    counts={"happiness": 18, "anger": 22, "disgust": 17},
    subjects=22,
)
