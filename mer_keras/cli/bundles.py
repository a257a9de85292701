"""``train`` makes a bundle of a row; ``bundle`` shows and checks one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Argument, Option

from mer_keras.cli import completion
from mer_keras.cli.running import (
    about,
    ask_for_drawn,
    data_words,
    must_be_wanted,
    say,
    tell_what_stays,
)
from mer_keras.cli.show import Json, print_json, print_table, printable, show_progress
from mer_keras.errors import UserError
from mer_keras.terms import DataKind

if TYPE_CHECKING:
    from mer_keras.bundles.bundle import Bundle
    from mer_keras.config.experiment import Experiment, RowPlan

app = typer.Typer()
bundle_app = typer.Typer(help="Show or check trained methods in one file.")

File = Annotated[Path, Argument(metavar="BUNDLE", help="A file that mer-keras train wrote.")]
Expect = Annotated[
    str | None, Option(help="SHA-256 that the file must have, or its first 12 digits or more.")
]
#: Ending of bundles.
SUFFIX = ".mer"


@app.command()
def train(
    name: Annotated[
        str,
        Argument(
            metavar="EXPERIMENT[:ROW]",
            help="An experiment by name or YAML file, and a row's key or name.",
            autocompletion=completion.experiments,
        ),
    ],
    out: Annotated[Path, Option(help="The new file, NAME.mer.")],
    profile: Annotated[
        str | None,
        Option(help="quick, full or smoke; by default quick.", autocompletion=completion.profiles),
    ] = None,
    data: Annotated[
        str, Option(help="real, synthetic, or auto: real where present, else synthetic.")
    ] = "auto",
    overrides: Annotated[
        list[str] | None, Option("--set", help="Override a value: train.epochs=5. Repeatable.")
    ] = None,
    seeds: Annotated[
        int | None, Option(min=1, max=100, help="So many trainings, which vote together.")
    ] = None,
    weights: Annotated[
        Path | None, Option(help="A network's weights, stored instead of a training.")
    ] = None,
    start_from: Annotated[
        Path | None, Option(help="Weights (.npz) that pretraining starts from, as ImageNet's.")
    ] = None,
    from_run: Annotated[
        str | None,
        Option(
            help="Keep the networks of this run's folds, which --keep-weights stored, instead.",
            autocompletion=completion.runs,
        ),
    ] = None,
    yes: Annotated[bool, Option("--yes", help="Train for hours on drawn faces, unasked.")] = False,
    as_json: Json = False,
) -> None:
    """Fit a row's method to all clips, and store it in one file.

    The file predicts anywhere. Epochs and other choices are fixed beforehand, from what the
    folds of a stored run chose; that run's numbers are the file's estimate. Any method can be
    trained: networks, classifiers, chance.

    Example: mer-keras train ststnet/megc2019:STSTNet --out ststnet.mer
    """
    from mer_keras.bundles.naming import experiment_and_row

    if out.suffix != SUFFIX:
        raise UserError(f"--out {out}: expected a file that ends in {SUFFIX}")
    if out.is_dir():
        raise UserError(f"--out {out}: is a folder: expected a new file")
    if from_run and (seeds or weights):
        raise UserError("--from-run keeps what the run has: leave out --seeds and --weights")
    experiment, row = experiment_and_row(name)
    config, profile = _config(experiment, profile, overrides or [])
    from mer_keras.bundles.fitting import find_plan, write_bundle
    from mer_keras.bundles.fitting import train as fit
    from mer_keras.config.files import profile_names
    from mer_keras.runs.folder import RunFolder
    from mer_keras.runs.naming import find_whole_run

    run = RunFolder(find_whole_run(from_run)) if from_run else None
    plan = find_plan(config, row)
    if run is None:
        _announce(
            config,
            plan,
            profile,
            data,
            seeds=seeds,
            trains=weights is None,
            yes=yes,
            has_quick="quick" in profile_names(experiment),
        )
    with show_progress(config.name) as progress:
        bundle = fit(
            config,
            profile=profile,
            data=data,
            row=plan.key,
            seeds=seeds,
            weights=weights,
            initial=start_from,
            from_run=run,
            progress=progress,
        )
    digest = write_bundle(bundle, out)
    if as_json:
        print_json({"file": str(out), "sha256": digest, **_tree(bundle)})
        return
    _show(bundle)
    print(f"{out}: SHA-256 {digest}")


@bundle_app.command()
def show(file: File, expect: Expect = None, as_json: Json = False) -> None:
    """Show what a bundle is: method, classes, estimate, terms.

    Its inputs and training data are shown too. It is checked as before a prediction.

    Example: mer-keras bundle show ststnet.mer
    """
    bundle = _load(file, expect)
    if as_json:
        print_json(_tree(bundle))
        return
    _show(bundle)
    print(f"{file}: SHA-256 {bundle.digest}")


@bundle_app.command()
def check(file: File, expect: Expect = None, as_json: Json = False) -> None:
    """Check a bundle: its form, digests, weights and probe.

    Sizes and names are checked too, and that it answers its probe. Digests within
    a file say that it is whole; --expect says that it is the one that is meant.

    Example: mer-keras bundle check ststnet.mer
    """
    bundle = _load(file, expect)
    checked = {
        "file": file.name,
        "sha256": bundle.digest,
        "members": len(bundle.card.members),
        "good": True,
    }
    if as_json:
        print_json(checked)
    else:
        print_table(
            ["file", "members", "SHA-256"], [[file.name, checked["members"], bundle.digest]]
        )


@bundle_app.command()
def schema() -> None:
    """Print the JSON schema of a bundle's manifest.

    The manifest is the file ``bundle.json`` in a bundle.

    Example: mer-keras bundle schema
    """
    from mer_keras.bundles.card import Card

    print_json(Card.model_json_schema())


def _config(experiment: str, profile: str | None, overrides: list[str]) -> "tuple[Experiment, str]":
    """The experiment that is meant, and its profile.

    Raises:
        UserError: there is none, or it has several parts.
    """
    from mer_keras.config.files import default_profile, load_experiments

    profile = profile or default_profile(experiment)
    config, *others = load_experiments(experiment, profile=profile, overrides=overrides)
    tell_what_stays([config, *others], overrides)
    if others:
        names = ", ".join(part.name for part in (config, *others))
        raise UserError(f"{experiment} has several parts: give one of {names}")
    return config, profile


def _announce(
    config: "Experiment",
    plan: "RowPlan",
    profile: str,
    data: str,
    *,
    seeds: int | None,
    trains: bool,
    yes: bool,
    has_quick: bool,
) -> None:
    """Say what is fitted to how many clips, and how long that takes.

    Raises:
        UserError: data can't be used, or a full training on drawn faces isn't wanted for sure.
    """
    from mer_keras.runs.forecast import forecast

    entry = forecast(config, data, trains=trains)
    rows = entry.pieces[-len(config.plans) :]
    row = rows[[other.key for other in config.plans].index(plan.key)]
    fits = seeds or len(config.seeds)
    seconds = entry.seconds - sum(piece.total for piece in rows)
    seconds += row.total * fits / (entry.folds * len(config.seeds))
    drawn = entry.data_kind is DataKind.SYNTHETIC
    kind = data_words(entry.data_kind)
    say(
        f"{config.name}: {plan.name}, fitted {fits} time(s) to {kind}, {entry.clips} clips of "
        f"{entry.subjects} people; profile {profile}; about {about(seconds)} on this machine"
    )
    if drawn and not yes and must_be_wanted(profile, seconds):
        ask_for_drawn(seconds, profile, has_quick=has_quick)


def _load(file: Path, expect: str | None) -> "Bundle":
    from mer_keras.bundles.loading import load_bundle

    return load_bundle(file, expect)


def _tree(bundle: "Bundle") -> dict[str, object]:
    """A bundle's card, JSON-ready, with the digest of its file."""
    return {"sha256": bundle.digest, "card": bundle.card.model_dump(mode="json")}


def _show(bundle: "Bundle") -> None:
    from mer_keras.bundles.text import card_text

    print(printable(card_text(bundle.card)))
