"""``mer-keras list``: experiments, methods, databases, label schemes, profiles and config keys."""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from pydantic import JsonValue
from typer import Argument

from mer_keras.cli import catalogue, completion
from mer_keras.cli.show import Json, print_json, print_table, print_wrapped
from mer_keras.errors import UserError, did_you_mean

app = typer.Typer(invoke_without_command=True)


@app.callback()
def list_all(context: typer.Context, as_json: Json = False) -> None:
    """List the names of experiments, methods, databases and more.

    The others are label schemes, profiles and the keys of a config. Each kind has a list of
    its own that says more: mer-keras list experiments.

    Example: mer-keras list
    """
    if context.invoked_subcommand:
        return
    if as_json:
        print_json({kind: entries() for kind, entries in _ENTRIES.items()})
        return
    for kind, names in _names().items():
        print(f"{kind} ({len(names)}); more: mer-keras list {kind}")
        print_wrapped(", ".join(names), indent=4)


@app.command("experiments")
def list_experiments(as_json: Json = False) -> None:
    """List experiments: what each reproduces, databases, parts.

    Example: mer-keras list experiments
    """
    _show("experiments", as_json, ["experiment", "what it is"], _experiment_rows)


def _experiment_rows() -> list[list[str]]:
    rows = []
    for entry in catalogue.experiments():
        about = f"{entry.heading}: {entry.caption}" if entry.caption else entry.heading
        about = f"{about.rstrip('.')}. Databases: {', '.join(entry.databases)}."
        if entry.parts:
            about += f" Parts: {', '.join(entry.parts)}."
        rows.append([entry.name, f"can't be read: {entry.problem}" if entry.problem else about])
    return rows


@app.command("methods")
def list_methods(
    name: Annotated[
        str,
        Argument(help="Only this method, with what its paper claims.", show_default=False),
    ] = "",
    as_json: Json = False,
) -> None:
    """List every method that a row can name.

    It says what each is, and what it needs to run here. Of one method: the numbers that its
    paper claims, under which protocol, and what chose the epoch in the published code.

    Example: mer-keras list methods --json

    Example: mer-keras list methods emr
    """
    if name:
        _show_method(name, as_json)
        return
    _show("methods", as_json, ["method", "runs", "what it is"], _method_rows)


def _show_method(name: str, as_json: bool) -> None:
    """Print one method with its claims and facts.

    Raises:
        UserError: there is none of this name.
    """
    entries = {entry.name: entry for entry in catalogue.methods()}
    if name not in entries:
        raise UserError(
            f"no method {name!r}{did_you_mean(name, entries)}; all: mer-keras list methods"
        )
    if as_json:
        print_json(_method_entry(entries[name]))
        return
    entry = entries[name]
    print_wrapped(f"{entry.title} ({entry.paper})" if entry.paper else entry.title)
    if entry.config is None:
        return
    for text in (entry.config.about, entry.missing, *entry.config.facts):
        if text:
            print_wrapped(text, indent=4)
    rows = [
        [claim.number, claim.chosen_by, claim.protocol or "-", claim.where]
        for claim in entry.config.claims
    ]
    if rows:
        print()
        print_table(["claimed", "epoch chosen by", "protocol", "where"], rows)


def _method_rows() -> list[list[str]]:
    rows = []
    for entry in catalogue.methods():
        about = f"{entry.title} ({entry.paper})" if entry.paper else entry.title
        if entry.missing:
            first_sentence = entry.missing.split(". ")[0].rstrip(".")
            about = f"{about.rstrip('.')}. {first_sentence}."
        if entry.problem:
            about = f"can't be read: {entry.problem}"
        rows.append([entry.name, "yes" if entry.runs else "no", about])
    return rows


@app.command("databases")
def list_databases(as_json: Json = False) -> None:
    """List databases: where each is, and which can be synthesised.

    Example: mer-keras list databases
    """
    header = ["database", "data", "expressions", "title, where found"]
    _show("databases", as_json, header, _database_rows)
    _say_where_was_looked()


def _say_where_was_looked() -> None:
    """Name folders of MER_DATA that aren't there, and say how to get a database."""
    from mer_keras import settings

    for folder in settings.data_roots():
        if not folder.is_dir():
            source = "MER_DATA names" if "MER_DATA" in os.environ else "without MER_DATA, it is"
            print(
                f"mer-keras: {folder}: no such folder ({source} where databases are looked for); "
                "make it, or set MER_DATA; how to get a database: mer-keras data howto NAME",
                file=sys.stderr,
            )


def _database_rows() -> list[list[str]]:
    return [
        [
            entry.name,
            entry.data_kind,
            entry.expressions,
            f"{entry.title}: {entry.place or 'not found'}",
        ]
        for entry in catalogue.databases()
    ]


@app.command("labels")
def list_labels(as_json: Json = False) -> None:
    """List label schemes: classes, and whose division it is.

    Example: mer-keras list labels
    """
    _show("labels", as_json, ["labels", "classes, source"], _labels_rows)


def _labels_rows() -> list[list[str]]:
    return [
        [entry.name, f"{entry.title}: {', '.join(entry.classes)} ({entry.source})"]
        for entry in catalogue.labels()
    ]


@app.command("profiles")
def list_profiles(as_json: Json = False) -> None:
    """List profiles: what each is for, and its experiments.

    Example: mer-keras list profiles
    """
    _show("profiles", as_json, ["profile", "experiments", "what it is for"], _profile_rows)


def _profile_rows() -> list[list[str]]:
    return [
        [entry.name, str(len(entry.experiments)), entry.meaning or "-"]
        for entry in catalogue.profiles()
    ]


@app.command("keys")
def list_keys(
    below: Annotated[
        str,
        Argument(
            help="Only keys that begin so, such as train.optimizer.", autocompletion=completion.keys
        ),
    ] = "",
    as_json: Json = False,
) -> None:
    """List the keys of a config, for files and for --set.

    It says what they take and what they mean. NAME stands for a name that the file gives, N
    for a number from 0. A needed key must be in every file that has the block in which it stands.

    Example: mer-keras list keys train.optimizer
    """
    from mer_keras.config.keys import config_keys

    all_keys = config_keys()
    keys = [key for key in all_keys if key.name.startswith(below)]
    if not keys:
        known = [key.name for key in all_keys]
        raise UserError(f"no key begins with {below!r}{did_you_mean(below, known)}")
    if as_json:
        print_json([asdict(key) for key in keys])
        return
    for key in keys:
        default = "" if key.default in (None, '""') else f", default {key.default}"
        print_wrapped(f"{key.name}: {key.values}{', needed' if key.required else default}")
        print_wrapped(key.meaning, indent=4)


def _names() -> dict[str, list[str]]:
    """Names by kind; of the keys, those at the top of a file."""
    from mer_keras.config.experiment import Experiment
    from mer_keras.config.files import PROFILES, experiment_names
    from mer_keras.databases.label_schemes import known_schemes
    from mer_keras.databases.registry import known_databases
    from mer_keras.methods.registry import known_methods

    return {
        "experiments": experiment_names(),
        "methods": known_methods(),
        "databases": [*known_databases()],
        "labels": [*known_schemes()],
        "profiles": [*PROFILES],
        "keys": [*Experiment.model_fields],
    }


def _method_entries() -> list[JsonValue]:
    return [_method_entry(entry) for entry in catalogue.methods()]


def _method_entry(entry: catalogue.MethodEntry) -> JsonValue:
    return asdict(entry) | {"config": entry.config and entry.config.model_dump(mode="json")}


def _key_entries() -> list[JsonValue]:
    from mer_keras.config.keys import config_keys

    return [asdict(key) for key in config_keys()]


#: JSON-ready entries of each kind.
_ENTRIES: dict[str, Callable[[], list[JsonValue]]] = {
    "experiments": lambda: [asdict(entry) for entry in catalogue.experiments()],
    "methods": _method_entries,
    "databases": lambda: [asdict(entry) for entry in catalogue.databases()],
    "labels": lambda: [asdict(entry) for entry in catalogue.labels()],
    "profiles": lambda: [asdict(entry) for entry in catalogue.profiles()],
    "keys": _key_entries,
}


def _show(
    kind: str, as_json: bool, header: Sequence[str], rows: Callable[[], list[list[str]]]
) -> None:
    """Print the entries of a kind, as JSON or as a table."""
    if as_json:
        print_json(_ENTRIES[kind]())
    else:
        print_table(header, rows())
