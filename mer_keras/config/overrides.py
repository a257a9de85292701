"""``key=value`` texts of the command line, and how a dotted key reaches into a tree of values."""

from collections.abc import Mapping, Sequence

from mer_keras.config.data import Policies
from mer_keras.config.validation import validated
from mer_keras.config.yaml_text import Tree, Yaml, parse_yaml
from mer_keras.errors import ConfigError


def parse_overrides(texts: Sequence[str]) -> Tree:
    """Read ``dotted.key=value`` texts, the values as YAML.

    Raises:
        ConfigError: no ``=``, or a value that is not YAML.
    """
    overrides = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals:
            raise ConfigError(f"override {text!r}: expected key=value, such as train.epochs=5")
        try:
            overrides[key.strip()] = parse_yaml(value)
        except ConfigError as error:
            raise ConfigError(f"override {text!r}: the value is not YAML: {error}") from error
    return overrides


def parse_policies(texts: Sequence[str]) -> Policies:
    """Return the policies that ``name=value`` texts ask for.

    Raises:
        ConfigError: a text has another form, or names no policy or value.
    """
    tree: Tree = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals:
            raise ConfigError(f"policy {text!r}: expected name=value, such as frame_order=exclude")
        tree[key.strip()] = value.strip()
    return validated(Policies, tree, "policy")


def assign(tree: Tree, dotted: str, value: Yaml, where: str) -> None:
    """Set the value of a dotted key; a number in the key is a position in a list, from 0.

    Raises:
        ConfigError: the key goes into a value, or names no position of a list; ``where`` stands
            before the message.
    """
    *parents, last = dotted.split(".")
    node: Yaml = tree
    for part in parents:
        child = (
            node[_position(node, part, dotted, where)] if isinstance(node, list) else node.get(part)
        )
        if child is None:
            child = node[part] = {}
        if not isinstance(child, Mapping | list):
            raise ConfigError(f"{where}: {dotted!r} goes into {part!r}, which holds a value")
        node = child
    node[_position(node, last, dotted, where) if isinstance(node, list) else last] = value


def _position(entries: Sequence[Yaml], part: str, dotted: str, where: str) -> int:
    # As text first: not all that Python calls digits is a number, or one of bearable length.
    if part not in map(str, range(len(entries))):
        raise ConfigError(
            f"{where}: {dotted!r}: {part!r} is no place in a list of {len(entries)}, counted from 0"
        )
    return int(part)
