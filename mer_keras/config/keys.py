"""Every key that a config may have: where it stands, what it takes, what it means.

All of it is read from the models of this room, so that no list has to be kept beside them.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from mer_keras.config.experiment import Experiment
from mer_keras.config.yaml_text import Tree

#: Keys that are used up when a file is read (see ``config.files``).
_OF_FILES = {
    "base": ("text", "Another experiment, whose values stand where this file has none."),
    "profiles": ("mapping", "Named overrides: dotted keys, and the values that they get."),
    "parts": ("mapping", "The runs of a table that has several: overrides, as in profiles."),
}
#: Bounds in a JSON schema, and how they are written.
_BOUNDS = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<"}
#: Kinds of values in a JSON schema, in plain words.
_KINDS = {"string": "text", "boolean": "true | false", "object": "mapping"}


@dataclass(frozen=True)
class Key:
    """One key of a config.

    Attributes:
        name: dotted path, as ``--set`` takes it; NAME stands for a name that the file gives, N for
            a number from 0.
        values: what it takes.
        default: its value where the file has none, as JSON; None where a file must have it, or
            where it holds further keys.
        required: whether a file that has the block must have it.
        meaning: what it says, in a sentence or a few.
    """

    name: str
    values: str
    default: str | None
    required: bool
    meaning: str


def config_keys() -> list[Key]:
    """Return all keys of an experiment's file, those of the file's reading last.

    A block that stands at several places, such as a training recipe, is described at the first of
    them; elsewhere ``values`` names that place.
    """
    schema = Experiment.model_json_schema()
    of_files = (Key(path, kind, None, False, text) for path, (kind, text) in _OF_FILES.items())
    return [*_Walk(schema["$defs"]).keys_of(schema, ""), *of_files]


class _Walk:
    """A walk over the blocks of a JSON schema, which describes each of them once."""

    def __init__(self, blocks: Tree) -> None:
        self.blocks = blocks
        self.path_of_block: dict[str, str] = {}

    def keys_of(self, block: Tree, prefix: str) -> Iterator[Key]:
        """Yield the keys of a block, and below each those of the block that it holds."""
        for name, field in block["properties"].items():
            path = prefix + name
            inner, item = self._inner_block(field)
            first_path = self.path_of_block.get(inner)
            yield Key(
                name=path,
                values=f"as {first_path}" if first_path else self._values(field),
                default=None if inner or "default" not in field else json.dumps(field["default"]),
                required=name in block.get("required", ()),
                # A field whose meaning is that of its block has none of its own in a schema.
                meaning=_plain(field.get("description") or self.blocks[inner]["description"]),
            )
            if inner and not first_path:
                self.path_of_block[inner] = path + item
                yield from self.keys_of(self.blocks[inner], f"{path}{item}.")

    def _inner_block(self, field: Tree) -> tuple[str, str]:
        """Name of the block that a field holds, and what stands between field and block."""
        if "$ref" in field:
            name = field["$ref"].rpartition("/")[2]
            return (name, "") if "properties" in self.blocks[name] else ("", "")
        for key, item in (("items", ".N"), ("additionalProperties", ".NAME")):
            if isinstance(field.get(key), dict):
                name, _ = self._inner_block(field[key])
                return name, item if name else ""
        inner = (self._inner_block(alternative) for alternative in field.get("anyOf", ()))
        return next((block for block in inner if block[0]), ("", ""))

    def _values(self, field: Tree) -> str:
        """What a field takes, in words."""
        if "$ref" in field:
            return self._values(self.blocks[field["$ref"].rpartition("/")[2]])
        if "anyOf" in field:
            return " | ".join(dict.fromkeys(map(self._values, field["anyOf"])))
        if "enum" in field or "const" in field:
            return " | ".join(map(str, field.get("enum") or [field["const"]]))
        kind = field.get("type", "any value")
        if kind == "array":
            items = field.get("items") or field["prefixItems"][0]
            return f"list of {self._values(items)}"
        bounds = [f"{sign} {field[name]}" for name, sign in _BOUNDS.items() if name in field]
        return f"{_KINDS.get(kind, kind)} {', '.join(bounds)}".strip()


def _plain(text: str) -> str:
    """A meaning without marks for code and without references to modules."""
    text = re.sub(r"\s*\(see\s[^)]*\)", "", text)
    return " ".join(text.replace("``", "").split())
