"""Clip recipes that methods bring along, among the inputs of an experiment.

A histogram of textures needs gray frames of a whole clip, whatever the networks of the same table
are given. Its description therefore holds the recipe, and the experiment that names the method has
that input too. Values of the experiment's own input of that name, of a profile or of an override
stand over the recipe's.
"""

from collections.abc import Mapping

from mer_keras.config.experiment import merge
from mer_keras.config.yaml_text import Tree
from mer_keras.errors import ConfigError

#: What a recipe may leave out because it belongs to the database, and the input that says it.
OF_DATABASE, TOLD_BY = ("crop", "align"), "clips"


def bring_inputs(tree: Tree, methods: Mapping[str, Tree], known: Mapping[str, Tree]) -> Tree:
    """Add the inputs that the methods of an experiment bring.

    Args:
        tree: the experiment; its ``inputs`` are changed.
        methods: descriptions of methods by name.
        known: the recipes of an earlier call, which are not added again.

    Returns:
        The recipes of all inputs that methods brought, by the input's name.

    Raises:
        ConfigError: two methods bring different recipes under one name.
    """
    recipes: Tree = dict(known)
    for method, names in _inputs_read(tree, methods):
        brought = methods[method].get("inputs") or {}
        for name in names:
            if name not in brought:
                continue
            if name not in recipes:
                recipes[name] = brought[name]
                tree["inputs"][name] = merge(brought[name], tree["inputs"].get(name) or {})
            elif recipes[name] != brought[name]:
                raise ConfigError(
                    f"{tree.get('name')}: method {method!r} brings an input {name!r}, and another "
                    "method brings another of that name: rename one of them"
                )
    return recipes


def complete_inputs(tree: Tree, names: Mapping[str, Tree]) -> None:
    """Give inputs that methods brought the crop of the experiment's own clips.

    Args:
        tree: the experiment; its ``inputs`` are changed.
        names: the inputs that methods brought.
    """
    inputs = tree["inputs"]
    if not isinstance(inputs, dict):  # The check of the whole config refuses it.
        return
    told = inputs.get(TOLD_BY)
    for name in names:
        recipe = inputs.get(name)
        if isinstance(told, dict) and isinstance(recipe, dict):
            inputs[name] = {key: told[key] for key in OF_DATABASE if key in told} | recipe


def _inputs_read(tree: Tree, methods: Mapping[str, Tree]) -> list[tuple[str, list[str]]]:
    """Names of the inputs that each row and baseline reads, with its method."""
    rows = [*tree["rows"], *({"method": name} for name in tree.get("baselines") or [])]
    read = []
    for row in rows:
        method = row.get("method")
        if method in methods and row.get("runs", True):
            names = row.get("input") or methods[method].get("input") or []
            read.append((method, [names] if isinstance(names, str) else list(names)))
    return read
