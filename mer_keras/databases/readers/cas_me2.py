"""CAS(ME)^2 (Qu et al., IEEE Trans. Affective Computing 2018): expressions in long videos.

30 frames a second; 57 micro- and 300 macro-expressions of 22 subjects, 14 of whom show a
micro-expression. The table has three sheets without a header: the expressions, which folder belongs
to which participant, and the code of each stimulus video in the folders' names. Only the
micro-expressions are read.

An expression has three labels, which differ: the emotion that the coders estimated (``emotion``:
negative, positive, surprise, others), the one that the participant reported (``self_report``), and
the one that the film was shown for (``stimulus_emotion``, the first part of the expression's name).
A label scheme says which it takes.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from mer_keras.databases.cells import as_whole_number, check_name
from mer_keras.databases.entry import Database, describe
from mer_keras.databases.folders import find_table, first_folder, subfolders
from mer_keras.databases.links import require_inside
from mer_keras.databases.readers.coding import tell_apart_by_onset
from mer_keras.databases.samples import ClipAnnotation, Reading
from mer_keras.databases.tables import TableRow, listed_rows, rows_without_header, span_warnings
from mer_keras.databases.workbook import read_sheet
from mer_keras.errors import AnnotationError

NAME = "cas_me2"
FPS = 30.0
WORKBOOKS = (
    "CAS(ME)^2code_final(Updated).xlsx",
    "CAS(ME)^2code_final.xlsx",
    "code_final.xlsx",
)
MICRO, MACRO = "micro-expression", "macro-expression"

#: Columns of the first sheet, in their order, with other names in case that a copy has a header.
_COLUMNS = {
    "participant": ("Subject",),
    "name": ("Filename",),
    "onset": ("OnsetFrame",),
    "apex": ("ApexFrame",),
    "offset": ("OffsetFrame",),
    "action units": ("AU", "AUs"),
    "emotion": ("Estimated Emotion",),
    "kind": ("type", "expression"),
    "self-report": ("self-reported emotion",),
}
_OPTIONAL = ("action units", "self-report")
#: The table writes this where nothing was coded.
_NOTHING = "null"
_NAME = re.compile(r"(?P<stimulus>(?P<emotion>[^\W\d_]*).*?)_(?P<number>[0-9]+)")
_FOLDER_NUMBER = re.compile(r"[sS]?0*([0-9]+)")
_CODE = re.compile(r"[0-9]{4}")


class _Tables(NamedTuple):
    """What the second and the third sheet say."""

    folder_of: Mapping[int, str]  # participant -> folder, such as s15
    code_of: Mapping[str, str]  # stimulus video -> code of four digits


def read(root: Path) -> Reading:
    """Read the sheets and find the video of each micro-expression.

    A clip's name is that of the table ("anger1_1"), its ``path`` the folder of the whole video. An
    offset of 0 means that the table gives none: the apex stands in.

    Args:
        root: the folder that holds the table and ``rawpic``.

    Returns:
        One annotation a micro-expression, with its three labels in lower case.

    Raises:
        AnnotationError: the table or ``rawpic`` is absent, unreadable or breaks its format, or an
            expression's video isn't there.
    """
    table, warnings = find_table(root, WORKBOOKS, "*code_final*.xlsx")
    frames = first_folder(root, ("rawpic",), DATABASE.tree, inside=r"s?[0-9]{1,2}")
    tables = _Tables(_folders(table), _codes(table))
    clips, spans, macro, no_offset = [], [], 0, []
    for row in rows_without_header(read_sheet(table, 0), _COLUMNS, table, _OPTIONAL):
        kind = row.required_text("kind").lower()
        if kind == MACRO:
            macro += 1
            continue
        if kind != MICRO:
            raise AnnotationError(
                f"{row.where('kind')}: {kind[:60]!r}, expected {MICRO!r} or {MACRO!r}; correct "
                "the cell"
            )
        span = row.span("onset", "apex", "offset")
        if span.offset == 0 and span.apex is not None:
            span = span._replace(offset=span.apex)
            no_offset.append(row.number)
        spans.append((row, span))
        subject, video = _video(row, tables, frames)
        units = row.text("action units")
        clips.append(
            ClipAnnotation(
                NAME,
                subject,
                row.name("name"),
                require_inside(video, root, row.where("name")),
                row.required_text("emotion").lower(),
                row=row.number,
                **span._asdict(),
                fps=FPS,
                action_units="" if units.lower() == _NOTHING else units,
                self_report=row.text("self-report").lower(),
                stimulus_emotion=_film_emotion(row),
            )
        )
    clips, excluded = tell_apart_by_onset(clips)
    if no_offset:
        warnings.append(f"{table.name}: offset 0, the apex stands in, in {listed_rows(no_offset)}")
    warnings += [f"{table.name}: {macro} macro-expressions are not read"] if macro else []
    warnings += span_warnings(table, spans)
    return Reading(
        table,
        clips,
        DATABASE.tree,
        edition=f"{table.name}, {frames.name}",
        frame_source="raw",
        warnings=warnings,
        excluded=excluded,
    )


def _film_emotion(row: TableRow) -> str:
    """Return the emotion that a film is named for: ``disgust`` of ``disgust2_3``."""
    match = _NAME.fullmatch(row.name("name"))
    return match["emotion"].lower() if match else ""


def _folders(table: Path) -> dict[int, str]:
    """Read the naming rule: folder number, its name, participant."""
    folders = {}
    sheet = read_sheet(table, 1)
    for row in rows_without_header(sheet, ("number", "folder", "participant"), table):
        participant = as_whole_number(row.cell("participant"))
        if participant is None:
            raise AnnotationError(
                f"{row.where('participant')}: {row.text('participant')[:60]!r}, expected a "
                "participant's number; correct the cell"
            )
        folders[participant] = row.name("folder").lower()
    return folders


def _codes(table: Path) -> dict[str, str]:
    """Read the stimuli's codes; a leading zero is lost where a code was saved as a number."""
    codes = {}
    for row in rows_without_header(read_sheet(table, 2), ("code", "stimulus"), table):
        code = row.text("code").zfill(4)
        if not _CODE.fullmatch(code):
            raise AnnotationError(
                f"{row.where('code')}: {row.text('code')[:60]!r}, expected a video's code of four "
                "digits; correct the cell"
            )
        codes[row.required_text("stimulus").lower()] = code
    return codes


def _video(row: TableRow, tables: _Tables, frames: Path) -> tuple[str, Path]:
    """Return the subject and the folder of the recording that an expression was found in.

    One folder under s19 bears the number of another person: recordings are told apart by the code
    of their stimulus alone.
    """
    participant = as_whole_number(row.cell("participant"))
    folder = tables.folder_of.get(participant or 0)
    if folder is None:
        raise AnnotationError(
            f"{row.where('participant')}: {row.text('participant')[:60]!r} has no folder in the "
            "second sheet: expected one of the participants there; correct the cell"
        )
    match = _NAME.fullmatch(row.name("name"))
    code = tables.code_of.get(match["stimulus"].lower()) if match else None
    if code is None:
        raise AnnotationError(
            f"{row.where('name')}: {row.text('name')[:60]!r}, expected <video>_<number> with a "
            "video of the third sheet; correct the cell"
        )
    check_name(folder, row.where("participant"))
    for video in subfolders(frames / folder):
        if re.match(rf"[0-9]+_{code}(?![0-9])", video.name):
            return folder, video
    number = _FOLDER_NUMBER.fullmatch(folder)
    return folder, frames / folder / f"{number[1] if number else folder}_{code}"


DATABASE = describe(NAME, read, Database)
