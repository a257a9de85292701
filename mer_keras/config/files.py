"""YAML files -> configs: profiles, parts of a table, shared bases, methods, overrides.

Beside the fields of ``config.Experiment`` a file may hold

- ``profiles``: named overrides, such as those of ``PROFILES``.
- ``parts``: named overrides too, of a table that has several runs, such as one a database. Each
  part is an experiment of its own, ``<name>/<part>``; published numbers that name another part are
  left out of it.
- ``base``: another experiment, whose values stand where this file has none: the name of a file
  beside this one, the name of any experiment, or a path such as ``./mine.yaml``. An empty value
  takes the base's away. What isn't true of other data or clips is not taken over (see
  ``config.inheritance``).

An experiment is named by its path, so that it is found by the name that its runs are filed under:
``<folder>/<file>`` in a folder ``experiments``, elsewhere by the end of its path. A ``name`` in a
file must say the same; a copy that kept the old one would put its runs among those of the other.

Methods that rows and baselines name are described in ``experiments/methods/<name>.yaml``; their
descriptions become part of the experiment, so that a stored config stands for itself.
"""

import glob
import re
from collections.abc import Sequence
from contextlib import suppress
from copy import deepcopy
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path

from mer_keras.config.experiment import Experiment, merge
from mer_keras.config.inheritance import drop_rows_without_anything, drop_untrue
from mer_keras.config.method import MethodConfig
from mer_keras.config.method_inputs import bring_inputs, complete_inputs
from mer_keras.config.naming import WHY_NAMED, name_of, path_parts
from mer_keras.config.overrides import assign, parse_overrides
from mer_keras.config.sets_of_values import (
    apply_set,
    check_inputs,
    choose_part,
    fields_of,
    names_of_inputs,
    sets_of_values,
)
from mer_keras.config.validation import validated
from mer_keras.config.yaml_text import Tree, Yaml, is_file, read_yaml
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
_BASES = (
    "expected the name of an experiment, such as shallow_convlstm/table1, of a file beside this "
    "one, or a path such as ./mine.yaml"
)


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
            also_reproduces = read_yaml(file).get("also_reproduces")
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
    return list(sets_of_values(_read_tree(path), "profiles", path))


def default_profile(name: str) -> str:
    """Return the profile that an experiment is run by where none is named.

    That is ``quick``, or ``full`` where the experiment has no such profile: its own values.

    Raises:
        ConfigError: see ``find_config``; or the file is damaged.
    """
    return "quick" if "quick" in profile_names(name) else "full"


def part_names(name: str) -> list[str]:
    """Names of the parts of an experiment; empty where it is one run.

    Raises:
        ConfigError: see ``find_config``; or the file is damaged.
    """
    path = find_config(name)[0]
    return list(sets_of_values(_read_tree(path), "parts", path))


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
    parts: list[str | None] = [*sets_of_values(_read_tree(path), "parts", path)]
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
        profile: name of an entry of ``profiles``: a mapping of dotted keys to values. Every file
            has ``full``, which is empty unless the file says otherwise.
        overrides: ``dotted.key=value`` texts; the value is read as YAML.
        part: name of an entry of ``parts``; needed where there are parts.

    Raises:
        ConfigError: the file is absent, too large, not YAML, has a key that nothing reads, a
            value of the wrong type, or no such profile or part.
    """
    tree = _read_tree(path)
    # A file may leave this profile out: it says that the file's own values hold.
    profiles: dict[str, Tree] = {"full": {}, **sets_of_values(tree, "profiles", path)}
    choose_part(tree, part, path)
    brought = _bring_inputs(tree, {})
    before = deepcopy(tree)
    apply_set(tree, profiles, "profile", profile, path)
    drop_untrue(tree, before, fields_of(profiles[profile]), f"profile {profile}")
    own = parse_overrides(overrides)
    try:
        return validated(Experiment, _overridden(tree, own, brought), str(path))
    except ConfigError:
        if not own or not _is_valid(tree, {}, brought):
            raise
    # The file is as it should be, so that an override is wrong: one of them, or all together.
    wrong = [key for key in own if _is_valid(tree, {k: own[k] for k in own if k != key}, brought)]
    text_of = {text.partition("=")[0].strip(): text for text in overrides}
    where = ", ".join(f"--set {text_of[key][:200]!r}" for key in wrong or own)
    return validated(Experiment, _overridden(tree, own, brought), where)


def _overridden(tree: Tree, overrides: Tree, brought: Tree) -> Tree:
    """A copy of a tree with overrides, descriptions of methods and the inputs that they bring."""
    before, tree = tree, deepcopy(tree)
    inputs = names_of_inputs(tree)
    for key, value in overrides.items():
        if key == "name":
            raise ConfigError(f"--set 'name': {WHY_NAMED}: copy the file under another name")
        assign(tree, key, value, f"--set {key!r}")
    check_inputs(tree, inputs, overrides, "--set ")
    drop_untrue(tree, before, fields_of(overrides), "--set")
    brought = _bring_inputs(tree, brought)  # An override may have named another method.
    if brought:
        complete_inputs(tree, brought)
    tree["methods"] = _methods_of(tree)
    if tree.get("not_inherited"):
        _drop_rows(tree)
    return tree


def _is_valid(tree: Tree, overrides: Tree, brought: Tree) -> bool:
    try:
        validated(Experiment, _overridden(tree, overrides, brought), "")
    except ConfigError:
        return False
    return True


def _drop_rows(tree: Tree) -> None:
    """Drop rows that say nothing; what is no list of rows is left to the later check."""
    with suppress(AttributeError, KeyError, TypeError):
        drop_rows_without_anything(tree)


def _methods_of(tree: Tree) -> Tree:
    """Descriptions of the methods that rows and baselines name, the file's own first.

    One of the file's own without a title has changes of the described method of its name. What is
    no list of rows is left to the check that follows.
    """
    try:
        names = [row.get("method") for row in tree["rows"]] + list(tree.get("baselines") or [])
        methods = {
            name: _completed(name, own)
            for name, own in dict(tree.get("methods") or {}).items()
            if name in names or _described_below(name, own) is None
        }
    except (AttributeError, KeyError, TypeError, ValueError):
        return tree.get("methods") or {}
    for name in names:
        method = load_method(name) if isinstance(name, str) and name not in methods else None
        if method is not None:
            methods[name] = method.model_dump(mode="json", exclude_unset=True)
    return methods


def _completed(name: str, own: Yaml) -> Yaml:
    """A file's own description of a method; what has no title stands over the described one."""
    described = _described_below(name, own)
    if described is None or not isinstance(own, dict):
        return own
    return merge(described.model_dump(mode="json", exclude_unset=True), own)


def _described_below(name: object, own: Yaml) -> MethodConfig | None:
    """The described method that a file's own description has changes of; None if it has none."""
    if not isinstance(name, str) or not isinstance(own, dict) or "title" in own:
        return None
    return load_method(name)


def _bring_inputs(tree: Tree, known: Tree) -> Tree:
    """Add the inputs that methods bring; what has the wrong form is left to the later check."""
    try:
        return bring_inputs(tree, _methods_of(tree), known)
    except (AttributeError, KeyError, TypeError, ValueError):
        return known


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
    own = read_yaml(path)
    own["name"] = name_of(path, own.get("name"))
    base = own.pop("base", None)
    if base is None:
        return own
    if depth >= MAX_BASES:
        raise ConfigError(f"{path}: more than {MAX_BASES} bases one below the other")
    base_path, part = _find_base(path, base)
    below = _read_tree(base_path, depth + 1)
    if part is not None:
        choose_part(below, part, base_path)
    paper, paper_below = (_paper_of(str(tree["name"])) for tree in (own, below))
    tree = merge(below, own)
    drop_untrue(tree, below, own, f"base {base}", same_paper=paper == paper_below != "")
    return tree


def _paper_of(name: str) -> str:
    """The paper's folder in the name of an experiment; empty in a name of one part."""
    paper, slash, _ = name.partition("/")
    return paper if slash else ""


def _find_base(path: Path, base: Yaml) -> tuple[Path, str | None]:
    """The file of a base, and the part of it that is meant.

    Raises:
        ConfigError: there is no such experiment.
    """
    if not isinstance(base, str):
        raise ConfigError(f"{path}: base {base!r}: {_BASES}")
    if Path(base).suffix in (".yaml", ".yml"):
        return path.parent / base, None
    beside = path.parent / f"{base}.yaml"
    if "/" not in base and is_file(beside):
        return beside, None
    paper = path_parts(path)[-2]
    for name in (base, f"{paper}/{base}"):
        try:
            return find_config(name)
        except ConfigError:
            continue
    names = experiment_names()
    name_of = {name.rpartition("/")[2]: name for name in reversed(names)} | {n: n for n in names}
    near = [name_of[name] for name in get_close_matches(base, name_of, n=1)]
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    raise ConfigError(f"{path}: base {base!r}: there is no such experiment{hint}; {_BASES}")
