"""The ``data`` verbs: find, describe, check, import, add and synthesise databases."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from mer_keras.cli import completion
from mer_keras.cli.listing import list_databases
from mer_keras.cli.show import Json, counts, print_json, print_wrapped, show_progress

if TYPE_CHECKING:
    from mer_keras.config.data import Policies
    from mer_keras.databases.samples import Samples

Name = Annotated[
    str, typer.Argument(help="Name of a database.", autocompletion=completion.databases)
]

#: What a database holds, by the name of the line.
Summary: TypeAlias = dict[str, str | int | list[str] | dict[str, int]]

app = typer.Typer(
    help="Find, describe, check, import, add and synthesise databases.", no_args_is_help=True
)


@app.command("list")
def data_list(as_json: Json = False) -> None:
    """List databases: where each is, and which can be synthesised.

    Example: mer-keras data list
    """
    list_databases(as_json)


@app.command("howto")
def data_howto(name: Name, as_json: Json = False) -> None:
    """Say whom to ask for a database and what tree is expected.

    Example: mer-keras data howto samm
    """
    from mer_keras.databases.registry import get_database, howto

    if as_json:
        database = get_database(name)
        fields = {"name", "title", "default_kind", "folders", "whom_to_ask", "tree"}
        print_json(database.model_dump(mode="json", include=fields))
        return
    print(howto(name))


@app.command("card")
def data_card(name: Name, as_json: Json = False) -> None:
    """Print a database's card as markdown.

    It says how to get the database, its counts, and who uses it.

    Example: mer-keras data card samm
    """
    from mer_keras.report import cards

    card = cards.data_card(name)
    if as_json:
        print_json({"database": name, "markdown": card})
        return
    print(card, end="")


@app.command("check")
def data_check(
    name: Name,
    root: Annotated[
        Path | None, typer.Option(help="Folder; found by MER_DATA if left out.")
    ] = None,
    frame_source: Annotated[str, typer.Option(help="Frames: cropped, raw, or auto.")] = "auto",
    corrections: Annotated[
        bool, typer.Option(help="Apply the known corrections to the official table.")
    ] = True,
    policy: Annotated[
        list[str] | None,
        typer.Option(help="What to do about a fault, such as frame_order=exclude. Repeatable."),
    ] = None,
    frames: Annotated[
        bool, typer.Option("--frames", help="Decode the frames of every clip too (slow).")
    ] = False,
    spot: Annotated[
        bool, typer.Option("--spot", help="Spot every annotated apex from flow, and compare.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Read a database as a run would, and say what deviates.

    It also says what is in it: clips, subjects, emotions, and what is left out and why.

    Example: mer-keras data check mmew --frames
    """
    from mer_keras.config.overrides import parse_policies
    from mer_keras.databases.registry import load

    policies = parse_policies(policy or [])
    samples = load(
        name, root, frame_source=frame_source, corrections=corrections, policies=policies
    )
    if frames:
        samples = _check_frames(samples, policies)
    summary = _summary(name, samples)
    if spot:
        summary["spotting"] = _check_spotting(samples, policies)
    _print_summary(summary, as_json=as_json)


@app.command("import")
def data_import(
    name: Annotated[
        str, typer.Argument(help="Which published set: megc2019_flow or megc2019_key_frames.")
    ],
    source: Annotated[
        Path,
        typer.Argument(help="The folder of its images, a clone of their repository, or a zip."),
    ],
    as_json: Json = False,
) -> None:
    """Copy a published set of flow images into MER_DATA.

    It is checked first, and goes into the first folder that MER_DATA names. It says how many clips,
    subjects and classes there are, and what is left out and why. Nothing is downloaded, and nothing
    in the source is changed: data howto NAME says where to get it.

    Example: mer-keras data import megc2019_flow HTNet
    """
    from mer_keras.clips.flow_import import import_flow

    with show_progress(f"importing {name}") as progress:
        imported = import_flow(name, source, partial(progress, "clips"))
    summary = _summary(name, imported.samples)
    _print_summary({**summary, "folder": str(imported.folder)}, as_json=as_json)


@app.command("add")
def data_add(
    table: Annotated[
        Path,
        typer.Argument(
            help="A table that lists clips (CSV or .xlsx), or a folder subject/emotion/clip."
        ),
    ],
    name: Annotated[str | None, typer.Option(help="By default that of its folder.")] = None,
    classes: Annotated[
        Path | None, typer.Option(help="A YAML file: which emotions are which class.")
    ] = None,
    replace_added: Annotated[
        bool, typer.Option("--replace", help="Replace own data of this name.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Add own data: a table that lists clips, or a folder of them.

    Columns of the table: sample, subject, path, onset, apex, offset, emotion. Labels, frame numbers
    and content that stands twice are checked first.

    Example: mer-keras data add my_lab/clips.csv --name my_lab --classes my_lab/classes.yaml
    """
    from mer_keras.clips.added import check_footage
    from mer_keras.databases.label_schemes import fitting_schemes, labels_remedy
    from mer_keras.databases.registry import add, get_database

    with show_progress("opening the footage") as progress:
        check = partial(check_footage, progress=partial(progress, "recordings"))
        samples = add(table, name, classes=classes, replaces=replace_added, check=check)
    database = samples.table["database"].iloc[0]
    people = samples.table["subject_id"].nunique()
    clips = samples.class_counts()
    clips_by_class = {
        scheme.name: {name: clips.get(name, 0) for name in scheme.classes}
        for scheme in get_database(database).schemes
    }
    schemes = [scheme.name for scheme in fitting_schemes(samples)]
    if as_json:
        summary = _summary(database, samples)
        print_json({**summary, "classes": clips_by_class, "fitting_labels": schemes})
        return
    print(f"{database}: {len(samples.table)} clips of {people} subjects")
    for name_of_scheme, of_classes in clips_by_class.items():
        print_wrapped(f"classes {name_of_scheme}: {counts(of_classes)}", indent=2)
    if schemes:
        print_wrapped(
            f"to see what a run would do: mer-keras plan EXPERIMENT --set data.database={database} "
            f"--set data.labels={schemes[0]}",
            indent=2,
        )
    print_wrapped(labels_remedy(samples), indent=2)
    for line in samples.warnings:
        print_wrapped(line, indent=2)


@app.command("remove")
def data_remove(name: Name, as_json: Json = False) -> None:
    """Forget own data that was added.

    Its table and its frames stay where they are.

    Example: mer-keras data remove my_lab
    """
    from mer_keras.databases.own import remove

    table = remove(name)
    if as_json:
        print_json({"database": name, "table": str(table)})
        return
    print(f"{name}: forgotten; {table} is still there")


@app.command("cache")
def data_cache(
    clear: Annotated[bool, typer.Option("--clear", help="Remove what is in it.")] = False,
    as_json: Json = False,
) -> None:
    """Show how large the cache of prepared clips is, or clear it.

    Example: mer-keras data cache --clear
    """
    from mer_keras.clips import cache

    size = cache.clear() if clear else cache.size()
    if as_json:
        print_json({"folder": str(cache.root()), "bytes": size, "removed": clear})
        return
    print(f"{cache.root()}: {size / 1e6:,.1f} MB{' removed' if clear else ''}")


@app.command("synth")
def data_synth(
    name: Name,
    motion: Annotated[bool, typer.Option(help="Let the faces move.")] = True,
    native: Annotated[
        bool, typer.Option("--native", help="The database's true resolution (large).")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything drawn.")] = 0,
    clips: Annotated[int | None, typer.Option(min=1, help="Only so many, evenly spaced.")] = None,
    out: Annotated[Path | None, typer.Option(help="New folder, instead of the cache.")] = None,
    as_json: Json = False,
) -> None:
    """Write a synthetic database in the official layout.

    It goes into the cache, unless --out names a folder; where it is, is printed.

    Example: mer-keras data synth samm --no-motion
    """
    from mer_keras.synthetic import stand_ins

    options = stand_ins.StandInOptions(seed=seed, motion=motion, native=native, clips=clips)
    with show_progress(f"synthetic {name}") as progress:
        report = partial(progress, "clips")
        if out is None:
            root = stand_ins.ensure(name, options, report)
        else:
            root = out / stand_ins.get_layout(name).folder
            stand_ins.write(name, root, options, report)
    if as_json:
        print_json({"database": name, "folder": str(root)})
        return
    print(root)


def _summary(name: str, samples: "Samples") -> Summary:
    """What is in a database, and what deviates."""
    emotions = samples.table["emotion"].value_counts().sort_index()
    return {
        "database": name,
        "data_kind": str(samples.data_kind),
        "editions": list(samples.editions),
        "clips": len(samples.table),
        "subjects": int(samples.table["subject_id"].nunique()),
        "emotions": {str(k): int(v) for k, v in emotions.items()},
        "corrected": int(samples.table["corrected"].sum()),
        "excluded": [f"{e.clip}: {e.reason}" for e in samples.excluded],
        "warnings": list(samples.warnings),
    }


def _print_summary(summary: Summary, *, as_json: bool) -> None:
    if as_json:
        print_json(summary)
        return
    for key, value in summary.items():
        if isinstance(value, list):
            print(f"{key}: {len(value)}" + "".join(f"\n  {line}" for line in value))
        else:
            print(f"{key}: {counts(value) if isinstance(value, dict) else value}")


def _check_frames(samples: "Samples", policies: "Policies") -> "Samples":
    """Decode every frame of every clip, and return the samples with what deviates."""
    from mer_keras.clips.assemble import check_frames

    with show_progress("frames") as progress:
        excluded, warnings = check_frames(samples, policies, partial(progress, "clips"))
    return replace(
        samples,
        excluded=samples.excluded + excluded,
        warnings=samples.warnings + warnings,
    )


def _check_spotting(samples: "Samples", policies: "Policies") -> str:
    """Say how well spotting finds the annotated apexes."""
    from mer_keras.clips.assemble import spotting_errors

    with show_progress("spotting") as progress:
        errors = spotting_errors(samples, policies, partial(progress, "clips"))
    if not len(errors):
        return "no apex is annotated"
    within = (errors <= 0.1).mean()
    return (
        f"{within:.1%} of {len(errors)} annotated apexes found within 10 % of the clip's length "
        f"(mean error {errors.mean():.1%})"
    )
