"""Values by dotted keys that a file's parts and profiles, and overrides, put into its tree."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from mer_keras.config.naming import WHY_NAMED
from mer_keras.config.overrides import assign
from mer_keras.config.yaml_text import Tree
from mer_keras.errors import ConfigError, did_you_mean


def sets_of_values(tree: Tree, key: str, path: Path) -> dict[str, Tree]:
    """Take a mapping of names to mappings out of a file's tree; empty ones may be left blank."""
    sets = tree.pop(key, None) or {}
    if isinstance(sets, dict):
        sets = {str(name): values or {} for name, values in sets.items()}
        if all(isinstance(v, dict) and all(isinstance(k, str) for k in v) for v in sets.values()):
            return sets
    raise ConfigError(f"{path}: {key!r}: expected names, each with keys and values below it")


def choose_part(tree: Tree, part: str | None, path: Path) -> None:
    """Make a tree that of one of its parts, which are taken out; needed where there are parts."""
    parts = sets_of_values(tree, "parts", path)
    if part is not None or parts:
        tree["name"], tree["table"] = f"{tree.get('name')}/{part}", f"{tree.get('table')}, {part}"
        apply_set(tree, parts, "part", str(part), path)
        _keep_part(tree, str(part))


def apply_set(tree: Tree, sets: dict[str, Tree], kind: str, name: str, path: Path) -> None:
    """Assign the values of one of a file's parts or profiles."""
    if name not in sets:
        known = ", ".join(sets) or "none"
        raise ConfigError(f"{path}: no {kind} {name!r}{did_you_mean(name, sets)}; known: {known}")
    if "name" in sets[name]:
        raise ConfigError(f"{path}: {kind} {name!r}: 'name': {WHY_NAMED}: leave it out")
    inputs = names_of_inputs(tree)
    for key, value in sets[name].items():
        assign(tree, key, value, f"{path}: {kind} {name!r}")
    check_inputs(tree, inputs, sets[name], f"{path}: {kind} {name!r}: ")


def fields_of(values: Tree) -> set[str]:
    """Names of the fields that dotted keys state; ``rows`` only with published numbers."""
    return {
        key.partition(".")[0]
        for key in values
        if key == "rows" or not key.startswith("rows.") or ".published" in key
    }


def names_of_inputs(tree: Tree) -> list[str]:
    """Names of a tree's inputs; none where these have no names."""
    inputs = tree.get("inputs")
    return list(inputs) if isinstance(inputs, dict) else []


def check_inputs(tree: Tree, known: Sequence[str], keys: Iterable[str], where: str) -> None:
    """Check that keys such as ``inputs.clips.size`` change known inputs, or make whole ones.

    Raises:
        ConfigError: an input is new and has no kind, so that its name is a slip.
    """
    for name in names_of_inputs(tree):
        recipe = tree["inputs"][name]
        if name in known or not isinstance(recipe, dict) or "kind" in recipe:
            continue
        for key in keys:
            if key.startswith(f"inputs.{name}."):
                raise ConfigError(
                    f"{where}{key!r}: no input {name!r}{did_you_mean(name, known)}; "
                    f"known: {', '.join(known)}"
                )


def _keep_part(tree: Tree, part: str) -> None:
    """Drop published numbers of other parts, and quoted rows of which nothing is left.

    What is no list of rows is left to the check that follows.
    """
    rows = []
    try:
        for row in tree["rows"]:
            numbers = row.get("published") or []
            published = [n for n in numbers if n.get("part") in (None, part)]
            quoted = numbers and all(n.get("quoted") for n in numbers)
            if published or not quoted:
                rows.append({**row, "published": published})
    except (AttributeError, KeyError, TypeError):
        return
    tree["rows"] = rows
