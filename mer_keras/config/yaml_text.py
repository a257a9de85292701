"""YAML text -> plain values, whoever wrote it: limits of size and depth, one kind of error."""

import os
from collections.abc import Hashable
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from mer_keras.errors import ConfigError

#: What YAML gives before it is checked, and a mapping of it.
Yaml: TypeAlias = Any
Tree: TypeAlias = dict[str, Yaml]

MAX_CONFIG_BYTES = 1_000_000
#: Most values of a file or override; an alias counts as often as it is named.
MAX_VALUES = 100_000
#: Most mappings and lists within each other.
MAX_DEPTH = 100

#: PyYAML's parser in C, five times as fast as the one in Python, where it was built with one.
_SafeLoader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_SafeLoader):  # type: ignore[valid-type, misc]
    """The safe loader, which also refuses a key that stands twice in one mapping."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Yaml]:
        texts: set[str] = set()
        for key, _ in node.value:
            text = repr(self.construct_object(key, deep=True))
            if text in texts:
                raise ConfigError(f"key {text} stands twice in one mapping")
            texts.add(text)
        return super().construct_mapping(node, deep)


def parse_yaml(text: str) -> Yaml:
    """Read YAML that whoever wrote it may have got wrong, or made to exhaust memory.

    Raises:
        ConfigError: it is not YAML, or has more than ``MAX_VALUES`` values or ``MAX_DEPTH`` levels.
    """
    try:
        _check_depth(text)
        loader = _Loader(text)
        try:
            tree = loader.get_single_data()
        finally:
            loader.dispose()
    except Exception as error:  # Dates, numbers and depths out of range each raise their own kind.
        raise ConfigError(str(error)) from error
    # Ten aliases of ten aliases of ... are few bytes here and a million values where they are
    # written out; an alias of what holds it is endless.
    count, waiting = 0, [tree]
    while waiting:
        value = waiting.pop()
        count += 1
        if count > MAX_VALUES:
            raise ConfigError(f"more than {MAX_VALUES:,} values, which no config has")
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list | tuple | set):
            waiting += value
    return tree


def _check_depth(text: str) -> None:
    """Refuse YAML so deep that the parser in C, which calls itself, would crash the process."""
    depth = 0
    for event in yaml.parse(text, Loader=_SafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise ConfigError(f"more than {MAX_DEPTH} levels, which no config has")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def read_yaml(path: Path) -> Tree:
    """Read a file that holds a mapping.

    Raises:
        ConfigError: it is absent, can't be read, is too large, not YAML, or holds no mapping.
    """
    if not is_file(path):
        raise ConfigError(f"{path}: no such config file")
    if path.stat().st_size > MAX_CONFIG_BYTES:
        raise ConfigError(f"{path}: larger than {MAX_CONFIG_BYTES:,} bytes, which no config is")
    try:
        tree = parse_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"{path}: can't be read ({error.strerror}); check that you may read it"
        ) from error
    except (UnicodeDecodeError, ConfigError) as error:
        raise ConfigError(f"{path}: not a YAML file in UTF-8: {error}") from error
    if not isinstance(tree, dict):
        raise ConfigError(f"{path}: expected a mapping at the top, found {type(tree).__name__}")
    return tree


def is_file(path: Path) -> bool:
    """Whether a path names a file; one that can't exist, or may not be looked at, doesn't."""
    return os.path.isfile(path)  # noqa: PTH113 - Path's own raises where a name is too long.
