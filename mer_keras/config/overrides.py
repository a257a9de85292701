"""``key=value`` texts of the command line, and how a dotted key reaches into a tree of values."""

from collections.abc import Sequence

from mer_keras.config.data import Policies
from mer_keras.config.validation import validated
from mer_keras.config.yaml_text import Tree, Yaml, parse_yaml
from mer_keras.errors import ConfigError


def parse_overrides(
    texts: Sequence[str], *, kind: str = "--set", example: str = "train.epochs=5"
) -> Tree:
    """Read ``dotted.key=value`` texts, the values as YAML.

    Args:
        texts: as they were typed.
        kind: what they are called in messages.
        example: shown where a text has another form.

    Raises:
        ConfigError: no ``=``, or a value that is not YAML.
    """
    overrides = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals:
            raise ConfigError(f"{kind} {text!r}: expected key=value, such as {example}")
        try:
            overrides[key.strip()] = parse_yaml(value)
        except ConfigError as error:
            raise ConfigError(f"{kind} {text!r}: the value is not YAML: {error}") from error
    return overrides


def parse_policies(texts: Sequence[str]) -> Policies:
    """Return the policies that ``name=value`` texts ask for.

    Raises:
        ConfigError: a text has another form, or names no policy or value.
    """
    tree = parse_overrides(texts, kind="policy", example="frame_order=exclude")
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
        key = _key_in(node, part, dotted, where)
        child = node.get(key) if isinstance(node, dict) else node[key]
        if child is None:
            child = node[key] = {}
        if not isinstance(child, dict | list):
            raise ConfigError(f"{where}: {dotted!r} goes into {part!r}, which holds a value")
        node = child
    node[_key_in(node, last, dotted, where)] = value


def _key_in(node: Tree | list[Yaml], part: str, dotted: str, where: str) -> str | int:
    """A part of a dotted key as the key of a mapping, or as the position in a list."""
    if isinstance(node, dict):
        return part
    # As text first: not all that Python calls digits is a number, or one of bearable length.
    if part not in map(str, range(len(node))):
        raise ConfigError(
            f"{where}: {dotted!r}: {part!r} is no place in a list of {len(node)}, counted from 0"
        )
    return int(part)
