"""YAML files -> configs: profiles, parts of a table, shared bases, methods, overrides.

Beside the fields of ``config.Experiment`` a file may hold

- ``profiles``: named overrides, such as those of ``PROFILES``.
- ``parts``: named overrides too, of a table that has several runs, such as one a database. Each
  part is an experiment of its own, ``<name>/<part>``; published numbers that name another part are
  left out of it.
- ``base``: another file of the folder, whose values stand where this one has none. An empty value
  takes the base's away.

Methods that rows and baselines name are described in ``experiments/methods/<name>.yaml``; their
descriptions become part of the experiment, so that a stored config stands for itself.
"""

import glob
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from mer_keras.config.experiment import Experiment, merge
from mer_keras.config.method import MethodConfig
from mer_keras.config.method_inputs import bring_inputs, complete_inputs
from mer_keras.config.overrides import assign, parse_overrides
from mer_keras.config.validation import validated
from mer_keras.config.yaml_text import Tree, is_file, read_yaml
from mer_keras.errors import ConfigError, did_you_mean
from mer_keras.settings import experiment_roots

#: Most files of which each is the base of the next.
MAX_BASES = 5
#: The folder of ``experiments`` that describes methods, and the file that describes no table.
METHODS, PUBLISHED = "methods", "published.yaml"
#: Profiles of the experiments that are shipped, and what each is for.
PROFILES = {
    "full": "the paper's settings",
    "quick": "a small version for two processor cores and some minutes",
    "smoke": "the smallest version: it shows that every step runs, and nothing else",
}


def experiment_names() -> list[str]:
    """Names of all experiments, ``<method>/<table>``, those of the working folder first."""
    names: list[str] = []
    for root in experiment_roots():
        names += sorted(f"{file.parent.name}/{file.stem}" for file in _configs(root, "*"))
    return list(dict.fromkeys(names))


def find_config(name: str) -> tuple[Path, str | None]:
    """Return the file of an experiment and the part of it that is meant, None for all.

    Args:
        name: a path, or ``<method>/<table>``, or ``<method>/<table>/<part>``. A table or figure
            that an experiment ``also_reproduces`` is found under its own name too. Names are
            looked up in ``experiments/`` of the working folder, then among those that are shipped.

    Raises:
        ConfigError: no such experiment.
    """
    if Path(name).suffix in (".yaml", ".yml"):
        return Path(name), None
    whole, _, part = name.rpartition("/")
    method, _, table = name.partition("/")
    for root in experiment_roots():
        if is_file(root / f"{name}.yaml"):
            return root / f"{name}.yaml", None
        if "/" in whole and is_file(root / f"{whole}.yaml"):
            return root / f"{whole}.yaml", part
        for file in sorted(_configs(root, glob.escape(method))) if method else ():
            also_reproduces = _read_tree(file).get("also_reproduces")
            if isinstance(also_reproduces, list) and table in also_reproduces:
                return file, None
    known = experiment_names()
    raise ConfigError(
        f"no experiment {name!r}{did_you_mean(name, known)}; known: {', '.join(known) or 'none'}"
    )


def profile_names(name: str) -> list[str]:
    """Names of the profiles of an experiment, in the order of its file and its bases.

    Raises:
        ConfigError: see ``find_config``; or the file is damaged.
    """
    path = find_config(name)[0]
    return list(_sets_of_values(_read_tree(path), "profiles", path))


def part_names(name: str) -> list[str]:
    """Names of the parts of an experiment; empty where it is one run.

    Raises:
        ConfigError: see ``find_config``; or the file is damaged.
    """
    path = find_config(name)[0]
    return list(_sets_of_values(_read_tree(path), "parts", path))


def method_names() -> list[str]:
    """Names of all described methods, those of the working folder first."""
    files = [
        file for root in experiment_roots() for file in sorted(_glob(root, f"{METHODS}/*.yaml"))
    ]
    return list(dict.fromkeys(file.stem for file in files))


def load_method(name: str) -> MethodConfig | None:
    """Read the description of a method; None where there is no file of that name.

    Raises:
        ConfigError: the file is no description of a method.
    """
    if not re.fullmatch(r"[\w-]+", name):  # A name is no path to elsewhere.
        return None
    for root in experiment_roots():
        path = root / METHODS / f"{name}.yaml"
        if is_file(path):
            facts = path.stat()
            version = (facts.st_dev, facts.st_ino, facts.st_mtime_ns, facts.st_size)
            return _read_method(path, version)
    return None


@lru_cache(maxsize=1024)
def _read_method(path: Path, version: tuple[int, ...]) -> MethodConfig:
    """Read a description once, as long as the file stays as it is: every table names the same."""
    return validated(MethodConfig, read_yaml(path), str(path))


def load_experiments(
    name: str, *, profile: str = "full", overrides: Sequence[str] = ()
) -> list[Experiment]:
    """Return the experiments that a name means: one, or one a part.

    Args:
        name: see ``find_config``.
        profile: see ``load_config``.
        overrides: see ``load_config``.

    Raises:
        ConfigError: see ``find_config`` and ``load_config``.
    """
    path, part = find_config(name)
    parts: list[str | None] = [*_sets_of_values(_read_tree(path), "parts", path)]
    chosen = [part] if part else parts or [None]
    return [load_config(path, profile=profile, overrides=overrides, part=p) for p in chosen]


def load_config(
    path: Path,
    *,
    profile: str = "full",
    overrides: Sequence[str] = (),
    part: str | None = None,
) -> Experiment:
    """Read a config; apply part, profile and overrides in this order, and check the result.

    Args:
        path: a YAML file (see the module).
        profile: name of an entry of ``profiles``: a mapping of dotted keys to values.
        overrides: ``dotted.key=value`` texts; the value is read as YAML.
        part: name of an entry of ``parts``; needed where there are parts.

    Raises:
        ConfigError: the file is absent, too large, not YAML, has a key that nothing reads, a
            value of the wrong type, or no such profile or part.
    """
    tree = _read_tree(path)
    profiles, parts = _sets_of_values(tree, "profiles", path), _sets_of_values(tree, "parts", path)
    if part is not None or parts:
        tree["name"], tree["table"] = f"{tree.get('name')}/{part}", f"{tree.get('table')}, {part}"
        _apply(tree, parts, "part", str(part), path)
        _keep_part(tree, str(part))
    brought = _bring_inputs(tree, {})
    _apply(tree, profiles, "profile", profile, path)
    own = parse_overrides(overrides)
    inputs = _names_of_inputs(tree)
    for key, value in own.items():
        assign(tree, key, value, f"override {key!r}")
    _check_inputs(tree, inputs, own, "override ")
    brought = _bring_inputs(tree, brought)  # An override may have named another method.
    if brought:
        complete_inputs(tree, brought)
    tree["methods"] = _methods_of(tree)
    return validated(Experiment, tree, str(path))


def _apply(tree: Tree, sets: dict[str, Tree], kind: str, name: str, path: Path) -> None:
    """Assign the values of one of a file's parts or profiles."""
    if name not in sets:
        known = ", ".join(sets) or "none"
        raise ConfigError(f"{path}: no {kind} {name!r}{did_you_mean(name, sets)}; known: {known}")
    inputs = _names_of_inputs(tree)
    for key, value in sets[name].items():
        assign(tree, key, value, f"{path}: {kind} {name!r}")
    _check_inputs(tree, inputs, sets[name], f"{path}: {kind} {name!r}: ")


def _names_of_inputs(tree: Tree) -> list[str]:
    inputs = tree.get("inputs")
    return list(inputs) if isinstance(inputs, dict) else []


def _check_inputs(tree: Tree, known: Sequence[str], keys: Iterable[str], where: str) -> None:
    """Check that keys such as ``inputs.clips.size`` change known inputs, or make whole ones.

    Raises:
        ConfigError: an input is new and has no kind, so that its name is a slip.
    """
    for name in _names_of_inputs(tree):
        recipe = tree["inputs"][name]
        if name in known or not isinstance(recipe, dict) or "kind" in recipe:
            continue
        for key in keys:
            if key.startswith(f"inputs.{name}."):
                raise ConfigError(
                    f"{where}{key!r}: no input {name!r}{did_you_mean(name, known)}; "
                    f"known: {', '.join(known)}"
                )


def _methods_of(tree: Tree) -> Tree:
    """Descriptions of the methods that rows and baselines name, the file's own first.

    What is no list of rows is left to the check that follows.
    """
    try:
        names = [row.get("method") for row in tree["rows"]] + list(tree.get("baselines") or [])
        methods = dict(tree.get("methods") or {})
    except (AttributeError, KeyError, TypeError, ValueError):
        return tree.get("methods") or {}
    for name in names:
        method = load_method(name) if isinstance(name, str) and name not in methods else None
        if method is not None:
            methods[name] = method.model_dump(mode="json", exclude_unset=True)
    return methods


def _bring_inputs(tree: Tree, known: Tree) -> Tree:
    """Add the inputs that methods bring; what has the wrong form is left to the later check."""
    try:
        return bring_inputs(tree, _methods_of(tree), known)
    except (AttributeError, KeyError, TypeError, ValueError):
        return known


def _sets_of_values(tree: Tree, key: str, path: Path) -> dict[str, Tree]:
    """Take a mapping of names to mappings out of a file's tree; empty ones may be left blank."""
    sets = tree.pop(key, None) or {}
    if isinstance(sets, dict):
        sets = {str(name): values or {} for name, values in sets.items()}
        if all(isinstance(v, dict) and all(isinstance(k, str) for k in v) for v in sets.values()):
            return sets
    raise ConfigError(f"{path}: {key!r}: expected names, each with keys and values below it")


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


def _configs(root: Path, paper: str) -> list[Path]:
    """Config files of a paper's tables; ``PUBLISHED`` holds what it prints beside them."""
    return [
        file
        for file in _glob(root, f"{paper}/*.yaml")
        if file.name != PUBLISHED and file.parent.name != METHODS
    ]


def _glob(root: Path, pattern: str) -> list[Path]:
    try:
        return list(root.glob(pattern))
    except OSError:  # The pattern holds a name that is too long.
        return []


def _read_tree(path: Path, depth: int = 0) -> Tree:
    """Read a file over its base."""
    tree = read_yaml(path)
    base = tree.pop("base", None)
    if base is None:
        return tree
    if depth >= MAX_BASES:
        raise ConfigError(f"{path}: more than {MAX_BASES} bases one below the other")
    if not isinstance(base, str) or Path(base).name != base:
        raise ConfigError(f"{path}: base {base!r}: expected the name of a file beside this one")
    return merge(_read_tree(path.with_name(f"{base}.yaml"), depth + 1), tree)
