"""A bundle as a file: written so that equal content gives equal bytes, read with suspicion."""

import hashlib
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from pydantic import JsonValue, ValidationError

from mer_keras.bounded_files import NoPlainFileError, TooLargeError, read_bounded
from mer_keras.bundles.card import CARD, FORMAT, MOST_MEMBERS, Card, FileFacts
from mer_keras.config.validation import explain
from mer_keras.errors import UserError
from mer_keras.json_text import parse_json
from mer_keras.training.learned import members_of, zip_of
from mer_keras.whole_files import write_whole

#: Most bytes of a bundle that is read.
MOST_BYTES = 2_000_000_000
#: Most bytes of its manifest.
MOST_CARD = 2**20
#: Digits of a digest that are shown.
SHOWN = 12


class Packed(NamedTuple):
    """A bundle's content after its form was checked.

    Attributes:
        card: what it says of itself.
        members: content of all other members, by name.
        digest: SHA-256 of the whole file.
    """

    card: Card
    members: Mapping[str, bytes]
    digest: str


def facts_of(members: Mapping[str, bytes]) -> dict[str, FileFacts]:
    """Return what a card says of its members."""
    return {
        name: FileFacts(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))
        for name, content in members.items()
    }


def write(path: Path, card: Card, members: Mapping[str, bytes]) -> str:
    """Write a bundle whole or not at all; return its SHA-256.

    Args:
        path: of the new file.
        card: what it says of itself; its ``files`` are those of ``members``.
        members: content of all other members, by name.

    Raises:
        UserError: the file can't be written, or would be larger than is read.
    """
    size = sum(map(len, members.values()))
    if size > MOST_BYTES - MOST_CARD:
        raise UserError(
            f"{path}: {len(card.members)} members take {size:,} bytes, and a bundle of more than "
            f"{MOST_BYTES:,} is not read: take fewer seeds (--seeds 1), or leave out --from-run"
        )
    tree = card.model_dump(mode="json")
    text = json.dumps(tree, indent=1, sort_keys=True, allow_nan=False) + "\n"
    content = zip_of({**members, CARD: text.encode()})
    try:
        write_whole(path, content)
    except OSError as error:
        raise UserError(f"{path}: can't be written: {error.strerror or error}") from error
    return hashlib.sha256(content).hexdigest()


def read(path: Path, expect: str | None = None) -> Packed:
    """Read a bundle and check its form; nothing that it holds is run, or written anywhere.

    Args:
        path: the file.
        expect: SHA-256 that the file must have, or its first digits, 12 or more.

    Raises:
        UserError: it is no bundle of this version, a member isn't what the manifest says, or the
            file has another digest than is expected.
    """
    content = _content(path)
    digest = hashlib.sha256(content).hexdigest()
    _check_digest(path, digest, expect)
    try:
        members = members_of(content, str(path), MOST_MEMBERS + 3)
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError) as error:
        raise UserError(f"{path}: not a bundle: {error}") from error
    if CARD not in members:
        raise UserError(f"{path}: not a bundle: it has no {CARD}")
    card = _card(members.pop(CARD), f"{path}: {CARD}")
    _check_members(card, members, path)
    return Packed(card, members, digest)


def _content(path: Path) -> bytes:
    try:
        return read_bounded(path, MOST_BYTES)
    except (FileNotFoundError, NoPlainFileError) as error:
        raise UserError(
            f"{path}: no such file: expected a bundle that mer-keras train wrote"
        ) from error
    except TooLargeError as error:
        raise UserError(f"{path}: {error.strerror}: no bundle") from error
    except OSError as error:
        raise UserError(f"{path}: can't be read: {error.strerror or error}") from error


def _check_digest(path: Path, digest: str, expect: str | None) -> None:
    if expect is None:
        return
    expected = expect.strip().lower()
    if len(expected) < SHOWN or set(expected) - set("0123456789abcdef"):
        raise UserError(f"--expect {expect[:80]}: expected {SHOWN} to 64 digits of a SHA-256")
    if not digest.startswith(expected):
        raise UserError(f"{path}: its SHA-256 is {digest}, expected {expected}: it is another file")


def _card(content: bytes, name: str) -> Card:
    """Read the manifest.

    Raises:
        UserError: it is too large, no JSON, of another version, or lacks something.
    """
    if len(content) > MOST_CARD:
        raise UserError(f"{name}: {len(content):,} bytes, expected {MOST_CARD:,} at most")
    try:
        tree = parse_json(content.decode("utf-8"), pairs=_once, constant=_finite)
    except ValueError as error:
        raise UserError(f"{name}: not JSON: {error}") from error
    version = tree.get("format") if isinstance(tree, dict) else None
    if version != FORMAT:
        raise UserError(
            f"{name}: format {str(version)[:80]!r}, expected {FORMAT!r}: the bundle is of another "
            "version of this program, or none"
        )
    try:
        return Card.model_validate(tree)
    except ValidationError as error:
        raise UserError(f"{name}: {explain(error, Card)}") from error


def _once(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    """A mapping in which each key stands once."""
    tree = dict(pairs)
    if len(tree) < len(pairs):
        raise ValueError("a key stands twice")
    return tree


def _finite(name: str) -> float:
    raise ValueError(f"{name} is no number")


def _check_members(card: Card, members: Mapping[str, bytes], path: Path) -> None:
    """Compare the members with what the manifest says of them."""
    absent, unlisted = set(card.files) - set(members), set(members) - set(card.files)
    if absent or unlisted:
        raise UserError(
            f"{path}: members {sorted(absent)[:5]} are missing and {sorted(unlisted)[:5]} are not "
            f"in {CARD}"
        )
    for name, facts in facts_of(members).items():
        if facts != card.files[name]:
            raise UserError(
                f"{path}: {name} is not what {CARD} says: the file is damaged or was changed"
            )
