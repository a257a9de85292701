"""Arrays computed from files, kept under the cache folder and looked up by content.

There are two levels. The first knows files by path, size and times, and says which content they
have, so that a second run opens none of them. The second knows an array by that content, the step
that made it and its parameters, so that a changed parameter or a moved database redoes only what
depends on it. Entries are written aside and renamed, and carry a checksum of themselves and of what
they are the entry of: a killed or parallel writer can't leave a wrong one, and one that is damaged,
or lies in another's place, is computed anew.
"""

import contextlib
import hashlib
import io
import json
import os
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from mer_keras import settings
from mer_keras.clips.frames import read_bytes
from mer_keras.errors import FrameError

#: What a step says of its sources beside the array.
Facts: TypeAlias = dict[str, JsonValue]
#: What the values of a step's array depend on beside its sources.
Parameters: TypeAlias = Mapping[str, JsonValue]
Value = TypeVar("Value", bound=np.generic)
Derived = TypeVar("Derived", bound=np.generic)

# The folders of the two levels. Entries of another form need a new number, so that two versions of
# this package can share a cache.
_STATS, _ARRAYS = "stats-2", "arrays-2"
#: The folders of earlier forms, which ``clear`` removes too.
_EARLIER = ("stats-1", "arrays-1")
#: NumPy parses an array's header as Python source. Two threads that do so at once may end with "AST
#: constructor recursion depth mismatch" in Python 3.11.
_PARSER = threading.Lock()


@dataclass(frozen=True)
class Entry(Generic[Value]):
    """An array with the facts about its sources.

    Attributes:
        array: what the step computed.
        facts: what the step says of its sources.
        not_stored: why the entry could not be written, else empty. The array is good either way.
        key: digest of all that the array depends on, for what is derived from it; empty for what is
            kept out of the cache, as is all that is derived from it.
    """

    array: NDArray[Value]
    facts: Facts
    not_stored: str = ""
    key: str = ""


def root() -> Path:
    """Folder of this cache. Resolved when called."""
    return settings.cache_root() / "clips"


def fetch(
    sources: Sequence[Path],
    step: str,
    params: Parameters,
    compute: Callable[[Sequence[bytes]], tuple[NDArray[Value], Facts]],
) -> Entry[Value]:
    """Return the array of some files from the cache, or compute and store it.

    Args:
        sources: files, in an order that matters.
        step: name of what is computed; change it when ``compute`` gives other values.
        params: everything else that the values depend on.
        compute: contents of ``sources`` -> array and facts. They must depend on nothing else.

    Raises:
        FrameError: a source can't be read; and whatever ``compute`` raises. Neither is stored.
    """
    stat_key = _stat_key(sources)
    known = _load_content(stat_key)
    entry: Entry[Value] | None = None
    if known is not None:
        entry = _load_entry(array_key(known, step, params))
    if entry is None:
        contents = [read_bytes(path) for path in sources]
        content = _digest(*(hashlib.blake2b(data, digest_size=16).digest() for data in contents))
        entry = _load_or_compute(array_key(content, step, params), lambda: compute(contents))
        known_as = json.dumps({"content": content, "of": stat_key}).encode()
        not_stored = _store(_path(_STATS, stat_key, ".json"), known_as)
        entry = replace(entry, not_stored=entry.not_stored or not_stored)
    return entry


def derive(
    entry: Entry[Value],
    step: str,
    params: Parameters,
    compute: Callable[[NDArray[Value]], NDArray[Derived]],
) -> Entry[Derived]:
    """Return what a further step makes of an entry's array, from the cache or computed and stored.

    Args:
        entry: what ``fetch`` or ``derive`` returned; its sources are not touched.
        step: name of what is computed; change it when ``compute`` gives other values.
        params: everything else that the values depend on.
        compute: array -> array, which must depend on nothing else.

    Raises:
        FrameError: whatever ``compute`` raises; nothing is stored then.
    """
    if not entry.key:
        return Entry(compute(entry.array), {})
    key = array_key(entry.key, step, params)
    return _load_or_compute(key, lambda: (compute(entry.array), {}))


def size() -> int:
    """Bytes that the cache takes on the disk."""
    total = 0
    for path in _files():
        with contextlib.suppress(FileNotFoundError):  # Another process may have removed it.
            total += path.stat().st_size
    return total


def clear() -> int:
    """Remove the cache's own files, and nothing else in its folder; return the bytes freed."""
    freed = size()
    for path in _files():
        path.unlink(missing_ok=True)
    return freed


def _files() -> list[Path]:
    # Only where entries are written: the user may have named a folder that holds other things.
    return [
        path
        for level in (_STATS, _ARRAYS, *_EARLIER)
        for path in (root() / level).glob("[0-9a-f][0-9a-f]/*")
        if path.is_file()
    ]


def _load_or_compute(key: str, compute: Callable[[], tuple[NDArray[Value], Facts]]) -> Entry[Value]:
    entry: Entry[Value] | None = _load_entry(key)
    if entry is None:
        array, facts = compute()
        entry = Entry(array, facts, key=key)
        entry = replace(entry, not_stored=_store(_path(_ARRAYS, key, ".clip"), _pack(entry)))
    return entry


def _digest(*parts: bytes) -> str:
    return hashlib.blake2b(b"".join(parts), digest_size=20).hexdigest()


def _canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _path(level: str, key: str, suffix: str) -> Path:
    return root() / level / key[:2] / f"{key}{suffix}"


def array_key(content: str, step: str, params: Parameters) -> str:
    """Key of what a step makes of a content; see ``fetch``."""
    return _digest(_canonical([content, step, dict(params)]))


def _stat_key(sources: Sequence[Path]) -> str:
    """Digest of what the file system says about the files.

    The folder belongs to it: unpacked archives are full of frames ``1.bmp`` of one size and time.
    """
    rows = []
    for path in sources:
        try:
            stat = path.stat()
        except OSError as error:
            raise FrameError(
                f"{path}: can't be read ({error.strerror}): expected a file that was there when "
                "its folder was listed; check the database and the connection to it"
            ) from error
        name = os.path.abspath(path)  # noqa: PTH100 - Path has no function that keeps links.
        rows.append([os.fsencode(name).hex(), stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns])
    return _digest(_canonical(rows))


def _load_content(stat_key: str) -> str | None:
    try:
        known = json.loads(_path(_STATS, stat_key, ".json").read_bytes())
    except (OSError, ValueError, RecursionError):  # It is absent or damaged: read the files.
        return None
    if not isinstance(known, dict) or known.get("of") != stat_key:
        return None
    content = known.get("content")
    return content if isinstance(content, str) else None


def _pack(entry: Entry[Value]) -> bytes:
    buffer = io.BytesIO()
    buffer.write(_canonical(entry.facts) + b"\n")
    np.save(buffer, entry.array, allow_pickle=False)
    payload = buffer.getvalue()
    return _checksum(entry.key, payload) + b"\n" + payload


def _checksum(key: str, payload: bytes) -> bytes:
    """Checksum of an entry: the same payload has another one under another key."""
    return _digest(key.encode(), payload).encode()


def _load_entry(key: str) -> Entry[Value] | None:
    try:
        checksum, _, payload = _path(_ARRAYS, key, ".clip").read_bytes().partition(b"\n")
    except OSError:
        return None
    if checksum != _checksum(key, payload):
        return None
    facts, _, array = payload.partition(b"\n")
    with _PARSER:
        values = np.load(io.BytesIO(array), allow_pickle=False)
    return Entry(values, json.loads(facts), key=key)


def _store(path: Path, data: bytes) -> str:
    """Write a file so that it is there as a whole or not at all; return what went wrong.

    A full or read-only disk costs time in the next run and is no reason to stop this one.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
            temporary = Path(file.name)
            file.write(data)
        temporary.replace(path)
    except OSError as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
        return error.strerror or type(error).__name__
    return ""
