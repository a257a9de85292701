"""YAML files -> configs: profiles, parts of a table, shared bases, methods, overrides.

Beside the fields of ``config.Experiment`` a file may hold

- ``profiles``: named overrides. ``full`` is the paper's settings, ``quick`` a small version for two
  CPU cores, ``smoke`` a still smaller one that shows only that every step runs.
- ``parts``: named overrides too, of a table that has several runs, such as one a database. Each
  part is an experiment of its own, ``<name>/<part>``; published numbers that name another part are
  left out of it.
- ``base``: another file of the folder, whose values stand where this one has none. An empty value
  takes the base's away.

Methods that rows and baselines name are described in ``experiments/methods/<name>.yaml``; their
descriptions become part of the experiment, so that a stored config stands for itself.
"""

import glob
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from mer_keras.config.data import Policies
from mer_keras.config.experiment import Experiment, merge
from mer_keras.config.method import MethodConfig
from mer_keras.config.renamed import renamed_key
from mer_keras.errors import ConfigError, did_you_mean

#: What YAML gives before it is checked, and a mapping of it.
Yaml: TypeAlias = Any
Tree: TypeAlias = dict[str, Yaml]

MAX_CONFIG_BYTES = 1_000_000
#: Most values of a file or override; an alias counts as often as it is named.
MAX_VALUES = 100_000
#: Most files of which each is the base of the next.
MAX_BASES = 5
#: The folder of ``experiments`` that describes methods, and the file that describes no table.
METHODS, PUBLISHED = "methods", "published.yaml"


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
    try:
        return Policies.model_validate(tree)
    except ValidationError as error:
        raise ConfigError(f"policy: {_explain(error, Policies)}") from error


def experiment_names() -> list[str]:
    """Names of all experiments, ``<method>/<table>``, those of the working folder first."""
    return list(dict.fromkeys(name for root in _roots() for name in _names_under(root)))


def find_config(name: str) -> tuple[Path, str | None]:
    """Return the file of an experiment and the part of it that is meant, None for all.

    Args:
        name: a path, or ``<method>/<table>``, or ``<method>/<table>/<part>``. A table or figure
            that an experiment ``also_reproduces`` is found under its own name too. Names are
            looked up in ``experiments/`` of the working folder, then of the checkout.

    Raises:
        ConfigError: no such experiment.
    """
    if Path(name).suffix in (".yaml", ".yml"):
        return Path(name), None
    whole, _, part = name.rpartition("/")
    method, _, table = name.partition("/")
    for root in _roots():
        if _is_file(root / f"{name}.yaml"):
            return root / f"{name}.yaml", None
        if "/" in whole and _is_file(root / f"{whole}.yaml"):
            return root / f"{whole}.yaml", part
        for file in sorted(_configs(root, glob.escape(method))) if method else ():
            also_reproduces = _read_tree(file).get("also_reproduces")
            if isinstance(also_reproduces, list) and table in also_reproduces:
                return file, None
    known = experiment_names()
    raise ConfigError(
        f"no experiment {name!r}{did_you_mean(name, known)}; known: {', '.join(known) or 'none'}"
    )


def method_names() -> list[str]:
    """Names of all described methods, those of the working folder first."""
    files = [file for root in _roots() for file in sorted(_glob(root, f"{METHODS}/*.yaml"))]
    return list(dict.fromkeys(file.stem for file in files))


def load_method(name: str) -> MethodConfig | None:
    """Read the description of a method; None where there is no file of that name.

    Raises:
        ConfigError: the file is no description of a method.
    """
    for root in _roots():
        path = root / METHODS / f"{name}.yaml"
        if _is_file(path):
            try:
                return MethodConfig.model_validate(_read_yaml(path))
            except ValidationError as error:
                raise ConfigError(f"{path}: {_explain(error, MethodConfig)}") from error
    return None


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
        if part not in parts:
            known = ", ".join(parts) or "none"
            raise ConfigError(
                f"{path}: no part {part!r}{did_you_mean(str(part), parts)}; known: {known}"
            )
        tree["name"] = f"{tree.get('name')}/{part}"
        tree["table"] = f"{tree.get('table')}, {part}"
        for key, value in parts[part].items():
            _assign(tree, key, value, f"{path}: part {part!r}")
        _keep_part(tree, str(part))
    if profile not in profiles:
        raise ConfigError(
            f"{path}: no profile {profile!r}{did_you_mean(profile, profiles)}; "
            f"known: {', '.join(profiles) or 'none'}"
        )
    for key, value in profiles[profile].items():
        _assign(tree, key, value, f"{path}: profile {profile!r}")
    for key, value in parse_overrides(overrides).items():
        _assign(tree, key, value, f"override {key!r}")
    _add_methods(tree)
    try:
        return Experiment.model_validate(tree)
    except ValidationError as error:
        raise ConfigError(f"{path}: {_explain(error)}") from error


def _add_methods(tree: Tree) -> None:
    """Add the descriptions of the methods that rows and baselines name, but for the file's own."""
    rows, baselines, own = tree.get("rows"), tree.get("baselines"), tree.get("methods") or {}
    names = [row.get("method") for row in rows or []] if _is_list(rows) else []
    names += baselines if isinstance(baselines, list) else []
    if not isinstance(own, dict):
        return
    for name in names:
        if isinstance(name, str) and name not in own:
            method = load_method(name)
            if method is not None:
                own[name] = method.model_dump(mode="json", exclude_unset=True)
    tree["methods"] = own


def _sets_of_values(tree: Tree, key: str, path: Path) -> dict[str, Tree]:
    """Take a mapping of names to mappings out of a file's tree; empty ones may be left blank."""
    found = tree.pop(key, None) or {}
    if isinstance(found, dict):
        found = {str(name): values or {} for name, values in found.items()}
        if all(isinstance(v, dict) and all(isinstance(k, str) for k in v) for v in found.values()):
            return found
    raise ConfigError(f"{path}: {key!r}: expected names, each with keys and values below it")


#: Keys of a row that decide its results.
_DECIDES = ("method", "arguments", "input", "train")


def differences(shipped: Experiment, run: Experiment) -> tuple[str, ...]:
    """What of the second config decides results and is not as in the first: ``key=value`` texts.

    Published numbers and remarks are left out; so are rows that one of the two lacks, and what a
    new block leaves at its defaults.
    """
    told = {"paper", "table", "caption", "also_reproduces", "not_reproduced"}
    shared = {row.name for row in shipped.rows} & {row.name for row in run.rows}

    def given(config: Experiment, **options: Yaml) -> Tree:
        tree = config.model_dump(mode="json", exclude=told, **options)
        rows = {row["name"]: row for row in tree["rows"] if row["name"] in shared}
        methods = {
            name: {key: row[key] for key in _DECIDES if row.get(key)} for name, row in rows.items()
        }
        return dict(_leaves({**tree, "rows": methods}))

    first, second = (given(config, exclude_defaults=True) for config in (shipped, run))
    whole = given(run)
    return tuple(
        f"{key}={json.dumps(whole.get(key)).strip(chr(34))}"
        for key in sorted(first.keys() | second.keys())
        if first.get(key) != second.get(key)
    )


def _leaves(tree: Yaml, key: str = "") -> Iterator[tuple[str, Yaml]]:
    """Dotted key and value of every leaf; an empty list or mapping is one."""
    entries = dict(enumerate(tree)) if isinstance(tree, list) else tree
    if not isinstance(entries, Mapping) or not entries:
        yield key, tree
        return
    for name, value in entries.items():
        yield from _leaves(value, f"{key}.{name}" if key else str(name))


def _keep_part(tree: Tree, part: str) -> None:
    """Drop published numbers of other parts, and quoted rows of which nothing is left.

    A tree that is not a list of rows is left to the check that follows.
    """
    if not _is_list(tree.get("rows")):
        return
    rows = []
    for row in tree["rows"]:
        numbers = row.get("published") or []
        if not _is_list(numbers):
            return
        published = [n for n in numbers if n.get("part") in (None, part)]
        quoted = numbers and all(n.get("quoted") for n in numbers)
        if published or not quoted:
            rows.append({**row, "published": published})
    tree["rows"] = rows


def _is_list(tree: Yaml) -> bool:
    """Whether a tree is a list of mappings."""
    return isinstance(tree, list) and all(isinstance(entry, dict) for entry in tree)


def _roots() -> list[Path]:
    return [Path("experiments"), Path(__file__).parents[2] / "experiments"]


def _names_under(root: Path) -> list[str]:
    return sorted(str(file.relative_to(root).with_suffix("")) for file in _configs(root, "*"))


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
    tree = _read_yaml(path)
    base = tree.pop("base", None)
    if base is None:
        return tree
    if depth >= MAX_BASES:
        raise ConfigError(f"{path}: more than {MAX_BASES} bases one below the other")
    if not isinstance(base, str) or Path(base).name != base:
        raise ConfigError(f"{path}: base {base!r}: expected the name of a file beside this one")
    return merge(_read_tree(path.with_name(f"{base}.yaml"), depth + 1), tree)


def parse_overrides(texts: Sequence[str]) -> Tree:
    """Read ``dotted.key=value`` texts, the values as YAML.

    Raises:
        ConfigError: no ``=``, or a value that is not YAML.
    """
    found = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals:
            raise ConfigError(f"override {text!r}: expected key=value, such as train.epochs=5")
        try:
            found[key.strip()] = _parse(value)
        except ConfigError as error:
            raise ConfigError(f"override {text!r}: the value is not YAML: {error}") from error
    return found


def _parse(text: str) -> Yaml:
    """Read YAML that whoever wrote it may have got wrong, or made to exhaust memory."""
    try:
        tree = yaml.safe_load(text)
    except Exception as error:  # dates, numbers and depths beyond range each raise their own kind
        raise ConfigError(str(error)) from error
    # ten aliases of ten aliases of ... are few bytes here and a million values where they are
    # written out; an alias of what holds it is endless
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


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name too long, a folder that may not be looked into
        return False


def _read_yaml(path: Path) -> Tree:
    if not _is_file(path):
        raise ConfigError(f"{path}: no such config file")
    try:
        if path.stat().st_size > MAX_CONFIG_BYTES:
            raise ConfigError(f"{path}: larger than {MAX_CONFIG_BYTES:,} bytes, which no config is")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"{path}: can't be read ({error.strerror}); check that you may read it"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not a YAML file in UTF-8: {error}") from error
    try:
        tree = _parse(text)
    except ConfigError as error:
        raise ConfigError(f"{path}: not a YAML file: {error}") from error
    if not isinstance(tree, dict):
        raise ConfigError(f"{path}: expected a mapping at the top, found {type(tree).__name__}")
    return tree


def _assign(tree: Tree, dotted: str, value: Yaml, where: str) -> None:
    *parents, last = dotted.split(".")
    node: Yaml = tree
    for part in parents:
        child = (
            node[_place(node, part, dotted, where)] if isinstance(node, list) else node.get(part)
        )
        if child is None:
            child = node[part] = {}
        if not isinstance(child, Mapping | list):
            raise ConfigError(f"{where}: {dotted!r} goes into {part!r}, which holds a value")
        node = child
    node[_place(node, last, dotted, where) if isinstance(node, list) else last] = value


def _place(entries: Sequence[Yaml], part: str, dotted: str, where: str) -> int:
    # as text first: not all that Python calls digits is a number, or one of bearable length
    if part not in map(str, range(len(entries))):
        raise ConfigError(
            f"{where}: {dotted!r}: {part!r} is no place in a list of {len(entries)}, counted from 0"
        )
    return int(part)


def _explain(error: ValidationError, model: type[BaseModel] = Experiment) -> str:
    lines = []
    for item in error.errors():
        place = ".".join(str(part) for part in item["loc"]) or "config"
        if item["type"] == "extra_forbidden":
            known = _fields_at(item["loc"][:-1], model)
            key = str(item["loc"][-1])
            hint = (
                renamed_key(place, known)
                or did_you_mean(key, known)
                or f"; known: {', '.join(known)}"
            )
            lines.append(f"{place}: unknown key{hint}")
        else:
            # of a missing key the input is all that stands around it
            found = "" if item["type"] == "missing" else f" (found {item['input']!r})"
            lines.append(f"{place}: {item['msg']}{found}")
    return "; ".join(lines)


def _fields_at(location: Sequence[int | str], model: type[BaseModel]) -> list[str]:
    """Names of the fields of the model at a pydantic error location, from a model on."""
    is_name = False  # The part is a name that the file gives, such as that of an input.
    for part in location:
        if isinstance(part, int) or is_name:
            is_name = False
            continue
        if part not in model.model_fields:
            return []
        annotation = model.model_fields[part].annotation
        is_name = get_origin(annotation) is dict
        model = _model_in(annotation) or model
    return sorted(model.model_fields)


def _model_in(annotation: object) -> type[BaseModel] | None:
    """The first model that an annotation names."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    models = map(_model_in, getattr(annotation, "__args__", ()))
    return next((model for model in models if model), None)
