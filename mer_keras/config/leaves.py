"""Trees of values as dotted keys."""

from collections.abc import Iterator, Mapping

from mer_keras.config.yaml_text import Yaml


def leaves(tree: Yaml, key: str = "") -> Iterator[tuple[str, Yaml]]:
    """Dotted key and value of every leaf of a tree.

    A leaf is a plain value, a list of plain values, or an empty mapping.

    Args:
        tree: mappings and lists, as YAML or JSON has them.
        key: dotted key of the tree itself.
    """
    if isinstance(tree, list) and any(isinstance(value, dict | list) for value in tree):
        entries: Mapping[object, Yaml] = dict(enumerate(tree))
    else:
        entries = tree if isinstance(tree, Mapping) else {}
    if not entries:
        yield key, tree
        return
    for name, value in entries.items():
        yield from leaves(value, f"{key}.{name}" if key else str(name))
