"""What a fitted method has learned: arrays and plain values, stored so that reading runs no code.

The file is an ``.npz``: a zip of ``.npy`` members, stored without compression, and ``facts.json``
where there are facts. Its members are sorted and bear one fixed date, so that equal content gives
equal bytes. A file may come from anybody: every size that it claims is compared with what it holds
before it is believed.
"""

import io
import json
import zipfile
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from mer_keras.array_files import (
    DAMAGE,
    MOST_ARRAYS,
    MOST_ENTRY,
    ZIP_END,
    ZIP_END_MARK,
    read_array,
)
from mer_keras.errors import UserError
from mer_keras.json_text import parse_json

#: The member that holds the facts.
FACTS = "facts.json"
#: Most bytes of the facts.
MOST_FACTS = 2**20
#: The date of every member: the first that a zip can hold.
DATE = (1980, 1, 1, 0, 0, 0)
#: Kinds of numbers that an array may hold: logical, whole, unsigned, real.
_KINDS = "biuf"


class Learned(NamedTuple):
    """What a method has learned.

    Attributes:
        arrays: numbers, by name; a network's weights bear the paths of its variables.
        facts: everything that is no array, JSON-ready.
    """

    arrays: Mapping[str, NDArray]
    facts: Mapping[str, JsonValue]


def to_bytes(learned: Learned) -> bytes:
    """Return the content of a file that holds what was learned."""
    members = {}
    for name, array in learned.arrays.items():
        buffer = io.BytesIO()
        np.lib.format.write_array(buffer, np.asarray(array, order="C"), allow_pickle=False)
        members[f"{name}.npy"] = buffer.getvalue()
    if learned.facts:
        members[FACTS] = json.dumps(learned.facts, sort_keys=True, allow_nan=False).encode()
    return zip_of(members)


def zip_of(members: Mapping[str, bytes]) -> bytes:
    """Return a zip of some members by name: sorted, not compressed, all of one date."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as stored:
        for name in sorted(members):
            stored.writestr(zipfile.ZipInfo(name, DATE), members[name])
    return archive.getvalue()


def from_bytes(content: bytes, name: str) -> Learned:
    """Read what ``to_bytes`` wrote.

    Args:
        content: of the file.
        name: names the file in messages.

    Raises:
        UserError: it is no such file, a size that it claims is not its own, it holds objects, or a
            number in it is not finite.
    """
    try:
        members = members_of(content, name, MOST_ARRAYS)
        facts = parse_json(members.pop(FACTS, b"{}")[: MOST_FACTS + 1].decode("utf-8"))
        arrays = {
            member.removesuffix(".npy"): _array(stored, f"{name}: {member}")
            for member, stored in members.items()
        }
    except DAMAGE as error:
        raise UserError(f"{name}: not a plain .npz of numeric arrays ({error})") from error
    if not isinstance(facts, dict):
        raise UserError(f"{name}: {FACTS} holds {type(facts).__name__}, expected a mapping")
    return Learned(arrays, facts)


def members_of(content: bytes, name: str, most: int) -> dict[str, bytes]:
    """Read a zip whose members are stored as they are, after its claims were checked.

    Args:
        content: of the file.
        name: names the file in messages.
        most: number of members that it may have.

    Returns:
        content by member.

    Raises:
        UserError: a member is compressed, encrypted, a link or a folder, its name leads elsewhere
            or stands twice, or the members claim more bytes than the file has.
        zipfile.BadZipFile: it is no zip, or a member is damaged.
    """
    _check_directory(content, most)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = archive.infolist()
        if len(entries) > most:
            raise UserError(f"{name}: {len(entries):,} members, expected {most:,} at most")
        # Members that are not compressed can't be larger than their archive, nor share its bytes.
        if sum(max(entry.file_size, entry.compress_size) for entry in entries) > len(content):
            raise UserError(f"{name}: its members claim more bytes than the file has")
        if len({entry.filename for entry in entries}) < len(entries):
            raise UserError(f"{name}: a member stands twice")
        for entry in entries:
            problem = _problem(entry)
            if problem:
                raise UserError(f"{name}: member {entry.filename[:200]!r}: {problem}")
        return {entry.filename: archive.read(entry) for entry in entries}


def _check_directory(content: bytes, most: int) -> None:
    """Compare the size of a zip's list of members with the file before the list is read.

    Raises:
        zipfile.BadZipFile: it is no zip, or the list isn't where ``zip_of`` writes it.
    """
    end = content[-ZIP_END.size :]
    if len(end) < ZIP_END.size or not end.startswith(ZIP_END_MARK):
        raise zipfile.BadZipFile("no list of members at its end")
    _, _, _, count, _, size, start, comment = ZIP_END.unpack(end)
    if comment or start + size + ZIP_END.size != len(content) or size > most * MOST_ENTRY:
        raise zipfile.BadZipFile(f"its list of {count} members isn't one that was written here")


def _problem(entry: zipfile.ZipInfo) -> str:
    """Say what is wrong with a member of a zip; empty if nothing is."""
    parts = entry.filename.split("/")
    if entry.filename.startswith("/") or ".." in parts or any(c in entry.filename for c in "\\:\0"):
        return "a name that leads elsewhere"
    if entry.is_dir() or "" in parts:
        return "a folder, expected files alone"
    mode = entry.external_attr >> 16
    if mode & 0o170000 not in (0, 0o100000):  # The bits that tell a file from a link or a device.
        return "a link or a device, expected files alone"
    if entry.flag_bits & 0x1:
        return "encrypted"
    if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
        return "compressed, expected members as they are"
    return ""


def _array(content: bytes, name: str) -> NDArray:
    """Read one ``.npy``; its header must claim exactly the bytes that follow it.

    Raises:
        UserError: it is none, the claim is another, or the values are no finite numbers.
    """
    try:
        array = read_array(content, _KINDS)
    except ValueError as error:
        raise UserError(f"{name}: not a plain .npz of numeric arrays ({error})") from error
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise UserError(f"{name}: holds values that are not finite numbers")
    return array
