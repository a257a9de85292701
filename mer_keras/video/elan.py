"""Intervals as ELAN annotation files (.eaf, EAF 3.0), written and read by the standard library.

ELAN (Max Planck Institute for Psycholinguistics) keeps times in whole milliseconds; a frame is
found again as the one whose time stamp is nearest. A file that declares a document type is refused
before anything in it is expanded.
"""

import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from xml.parsers import expat

import numpy as np

from mer_keras.bounded_files import read_bounded
from mer_keras.errors import AnnotationError
from mer_keras.video import remarks
from mer_keras.video.intervals import Interval, interval_at
from mer_keras.video.timing import Times

#: Tiers: the intervals, and what is said of each.
SPOTTED, APEX, REGION, REMARKS = "spotted", "apex", "region", "remarks"
#: Larger files are refused: an hour of intervals takes some hundred kilobytes.
_MAX_BYTES = 20_000_000
_MAX_ANNOTATIONS = 100_000
#: An annotation takes some ten tags, and a tag some hundred bytes when it is read.
_MAX_TAGS = 10 * _MAX_ANNOTATIONS
_TYPE, _CHILD_TYPE = "interval", "of interval"
_MIME = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".mpg": "video/mpeg",
    ".mpeg": "video/mpeg",
}
_DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'
#: What XML 1.0 can't hold: control characters but tab and the ends of lines, and two code points.
_FORBIDDEN = dict.fromkeys({*range(32), 0xFFFE, 0xFFFF} - {9, 10, 13}, "\N{REPLACEMENT CHARACTER}")


def elan_document(
    intervals: Sequence[Interval],
    video: str,
    date: str | None = None,
    further: Mapping[str, Sequence[str]] | None = None,
) -> bytes:
    """Return an .eaf file.

    Args:
        intervals: what is annotated.
        video: name of the video's file, beside which the .eaf should lie.
        date: of the file, such as 2026-01-31T12:00:00+00:00; now by default.
        further: name of a further tier -> its text for each interval.
    """
    date = date or datetime.now(UTC).isoformat(timespec="seconds")
    root = ElementTree.Element(
        "ANNOTATION_DOCUMENT", AUTHOR="mer_keras", DATE=date, FORMAT="3.0", VERSION="3.0"
    )
    header = ElementTree.SubElement(root, "HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds")
    ElementTree.SubElement(
        header,
        "MEDIA_DESCRIPTOR",
        MEDIA_URL=f"./{_text(video)}",
        MIME_TYPE=_MIME.get(Path(video).suffix.lower(), "video/unknown"),
        RELATIVE_MEDIA_URL=f"./{_text(video)}",
    )
    note = ElementTree.SubElement(header, "PROPERTY", NAME="not for")
    note.text = remarks.NOT_FOR
    order = ElementTree.SubElement(root, "TIME_ORDER")
    for index, interval in enumerate(intervals):
        for name, seconds in (("on", interval.onset_s), ("off", interval.offset_s)):
            ElementTree.SubElement(
                order,
                "TIME_SLOT",
                TIME_SLOT_ID=f"{name}{index}",
                TIME_VALUE=str(round(1000 * seconds)),
            )
    spotted = _tier(root, SPOTTED, _TYPE)
    for index, interval in enumerate(intervals):
        annotation = ElementTree.SubElement(
            ElementTree.SubElement(spotted, "ANNOTATION"),
            "ALIGNABLE_ANNOTATION",
            ANNOTATION_ID=f"a{index}",
            TIME_SLOT_REF1=f"on{index}",
            TIME_SLOT_REF2=f"off{index}",
        )
        score = f"score {interval.score:.2f}" if np.isfinite(interval.score) else "given"
        ElementTree.SubElement(annotation, "ANNOTATION_VALUE").text = score
    texts_of: dict[str, Sequence[str]] = {
        APEX: [str(round(1000 * interval.apex_s)) for interval in intervals],
        REGION: [interval.region for interval in intervals],
        REMARKS: ["; ".join(interval.remarks) for interval in intervals],
        **(further or {}),
    }
    for name, texts in texts_of.items():
        tier = _tier(root, name, _CHILD_TYPE, parent=SPOTTED)
        for index, text in enumerate(texts):
            annotation = ElementTree.SubElement(
                ElementTree.SubElement(tier, "ANNOTATION"),
                "REF_ANNOTATION",
                ANNOTATION_ID=f"{name}{index}",
                ANNOTATION_REF=f"a{index}",
            )
            ElementTree.SubElement(annotation, "ANNOTATION_VALUE").text = _text(text)
    ElementTree.SubElement(
        root,
        "LINGUISTIC_TYPE",
        GRAPHIC_REFERENCES="false",
        LINGUISTIC_TYPE_ID=_TYPE,
        TIME_ALIGNABLE="true",
    )
    ElementTree.SubElement(
        root,
        "LINGUISTIC_TYPE",
        CONSTRAINTS="Symbolic_Association",
        GRAPHIC_REFERENCES="false",
        LINGUISTIC_TYPE_ID=_CHILD_TYPE,
        TIME_ALIGNABLE="false",
    )
    ElementTree.SubElement(
        root,
        "CONSTRAINT",
        DESCRIPTION="1-1 association with a parent annotation",
        STEREOTYPE="Symbolic_Association",
    )
    ElementTree.indent(root)
    return _DECLARATION + ElementTree.tostring(root, encoding="utf-8") + b"\n"


def read_elan(path: Path, times: Times, tier: str | None = None) -> list[Interval]:
    """Read the intervals of a tier.

    Args:
        path: an .eaf file.
        times: seconds of all frames of the recording.
        tier: its name; by default ``spotted`` where there is one, else the first tier with times.

    Returns:
        Intervals in order of time. Without an apex of ours the middle frame stands in for it.

    Raises:
        AnnotationError: it can't be read, declares a document type, is no .eaf file, lacks the tier
            or times, or reaches beyond the recording.
    """
    root = _checked(path)
    slots = {
        slot.get("TIME_SLOT_ID", ""): _milliseconds(path, slot) for slot in root.iter("TIME_SLOT")
    }
    tiers = {element.get("TIER_ID", ""): element for element in root.iter("TIER")}
    chosen = _chosen(path, tiers, tier)
    apexes = (
        {
            annotation.get("ANNOTATION_REF"): annotation.findtext("ANNOTATION_VALUE", "")
            for element in [tiers[APEX]]
            for annotation in element.iter("REF_ANNOTATION")
        }
        if APEX in tiers
        else {}
    )
    intervals = []
    for annotation in tiers[chosen].iter("ALIGNABLE_ANNOTATION"):
        edges = [slots.get(annotation.get(f"TIME_SLOT_REF{end}", "")) for end in (1, 2)]
        onset_ms, offset_ms = edges
        if onset_ms is None or offset_ms is None or not onset_ms <= offset_ms:
            raise AnnotationError(
                f"{path}: an annotation of tier {chosen!r} has no times in order; align it in ELAN"
            )
        last_ms = 1000 * float(times[-1])
        if offset_ms > last_ms + 1000:
            raise AnnotationError(
                f"{path}: an annotation of tier {chosen!r} ends at {offset_ms / 1000:.2f} s, "
                f"expected at most {last_ms / 1000:.2f} s, the recording's end; is it this video's?"
            )
        onset, offset = (_nearest(times, ms / 1000) for ms in (onset_ms, offset_ms))
        value = apexes.get(annotation.get("ANNOTATION_ID"), "")
        apex = (onset + offset) // 2
        if _is_milliseconds(value):
            apex = min(max(_nearest(times, int(value) / 1000), onset), offset)
        intervals.append(interval_at(times, onset, apex, offset))
        if len(intervals) > _MAX_ANNOTATIONS:
            raise AnnotationError(f"{path}: more than {_MAX_ANNOTATIONS:,} annotations in a tier")
    return sorted(intervals, key=lambda interval: interval.onset)


def _checked(path: Path) -> ElementTree.Element:
    """Parse a file without a document type, so that no entity can be expanded."""
    try:
        data = read_bounded(path, _MAX_BYTES)
    except OSError as error:
        raise AnnotationError(
            f"{path}: can't be read ({error.strerror}): expected an ELAN file (.eaf)"
        ) from error
    if data.count(b"<") > _MAX_TAGS:
        raise AnnotationError(f"{path}: more than {_MAX_TAGS:,} tags, which no ELAN file has")

    def refuse(*_: object) -> None:
        raise AnnotationError(
            f"{path}: declares a document type (DOCTYPE), which no ELAN file does; save it anew "
            "from ELAN"
        )

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(data, True)
        root = ElementTree.fromstring(data)  # noqa: S314 - It declares no document type.
    except (expat.ExpatError, ElementTree.ParseError, ValueError, LookupError) as error:
        raise AnnotationError(
            f"{path}: no XML ({error}): expected an ELAN file (.eaf); save it anew from ELAN"
        ) from error
    if root.tag != "ANNOTATION_DOCUMENT":
        raise AnnotationError(
            f"{path}: begins with <{root.tag[:40]}>, expected an ELAN file (ANNOTATION_DOCUMENT)"
        )
    return root


def _chosen(path: Path, tiers: dict[str, ElementTree.Element], tier: str | None) -> str:
    """Name of the tier that is read."""
    aligned = [
        name
        for name, element in tiers.items()
        if element.find(".//ALIGNABLE_ANNOTATION") is not None
    ]
    if tier is None and SPOTTED in tiers:
        return SPOTTED
    if tier is None and aligned:
        return aligned[0]
    if tier in tiers:
        return str(tier)
    known = ", ".join(map(repr, tiers)) or "none"
    raise AnnotationError(
        f"{path}: no tier {tier or SPOTTED!r} with times: expected one of {known}; name it with "
        "--tier"
    )


def _milliseconds(path: Path, slot: ElementTree.Element) -> int | None:
    value = slot.get("TIME_VALUE")
    if value is None:  # ELAN leaves out times that it interpolates.
        return None
    if not _is_milliseconds(value):
        raise AnnotationError(f"{path}: time {value[:40]!r}, expected whole milliseconds")
    return int(value)


def _is_milliseconds(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 12


def _tier(
    root: ElementTree.Element, name: str, linguistic_type: str, parent: str | None = None
) -> ElementTree.Element:
    tier = ElementTree.SubElement(root, "TIER", LINGUISTIC_TYPE_REF=linguistic_type, TIER_ID=name)
    if parent is not None:
        tier.set("PARENT_REF", parent)
    return tier


def _nearest(times: Times, seconds: float) -> int:
    return int(np.abs(times - seconds).argmin())


def _text(text: str) -> str:
    """Return what XML can hold of a text."""
    return text.translate(_FORBIDDEN)
