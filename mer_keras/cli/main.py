"""Command line. Heavy imports happen inside the commands, so that ``--help`` is instant."""

import contextlib
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Argument, Option

from mer_keras import __version__
from mer_keras.cli import completion, streams
from mer_keras.cli.bundles import app as bundles_app
from mer_keras.cli.bundles import bundle_app
from mer_keras.cli.data import app as data_app
from mer_keras.cli.leaderboard import app as leaderboard_app
from mer_keras.cli.listing import app as list_app
from mer_keras.cli.listing import list_methods
from mer_keras.cli.machine_limits import what_is_refused
from mer_keras.cli.models import app as models_app
from mer_keras.cli.named_runs import Run, check_finished, named_run, results_beside, row_name
from mer_keras.cli.overview import app as overview_app
from mer_keras.cli.predicting import app as predicting_app
from mer_keras.cli.running import (
    Stopped,
    Watch,
    announce,
    announce_explanation,
    say,
    show_outcome,
    tell_what_stays,
)
from mer_keras.cli.score import app as score_app
from mer_keras.cli.show import (
    Json,
    counts,
    duration,
    print_json,
    print_table,
    print_wrapped,
    printable,
    show,
    show_progress,
)
from mer_keras.cli.stored import Experiments, check_folder, report_on
from mer_keras.cli.stored import app as stored_app
from mer_keras.cli.videos import app as spot_app
from mer_keras.cli.videos import video_app
from mer_keras.errors import MerKerasError, UserError
from mer_keras.training.quiet_start import import_keras

if TYPE_CHECKING:
    from mer_keras.config.experiment import Experiment
    from mer_keras.runs.executors import Executor
    from mer_keras.runs.folder import RunFolder

app = typer.Typer(
    name="mer-keras",
    help="Do published micro-expression results hold, and under which protocol?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(data_app, name="data")
app.add_typer(models_app, name="models")
app.add_typer(list_app, name="list")
app.add_typer(stored_app)
app.add_typer(overview_app)
app.add_typer(bundles_app)
app.add_typer(bundle_app, name="bundle")
app.add_typer(score_app)
app.add_typer(leaderboard_app)
app.add_typer(video_app, name="video")
app.add_typer(spot_app)
app.add_typer(predicting_app)
app.command("methods", hidden=True)(list_methods)

_YES = {True: "yes", False: "no"}

Profile = Annotated[
    str | None,
    Option(
        help="quick, full (the paper's settings), smoke, or reduced (leaderboard/). By default "
        "quick.",
        autocompletion=completion.profiles,
    ),
]
Data = Annotated[str, Option(help="real, synthetic, or auto: real where present, else synthetic.")]
Texts = list[str] | None
Overrides = Annotated[Texts, Option("--set", help="Override a value: train.epochs=5. Repeatable.")]
Yes = Annotated[bool, Option("--yes", help="Train for hours on drawn faces, unasked.")]
Workers = Annotated[int, Option(min=1, help="Processes that share the folds.")]


def main() -> None:
    """Run the command line; exit codes: 0 done, 2 the user's input, 3 what was promised fails.

    A fold that failed, and a broken invariant, end with 3: no other input would mend them.
    """
    # TensorFlow's start-up remarks drown ours; its kernels for newer CPUs serve older ones too.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    streams.open_closed_streams()
    streams.make_all_printable()
    try:
        try:
            app()
        finally:
            streams.flush()
    except MerKerasError as error:
        streams.complain(printable(f"mer-keras: {error}"))
        raise SystemExit(error.exit_code) from error
    except (OSError, MemoryError, RuntimeError, ImportError, SystemError) as error:
        refused = what_is_refused(error)
        if refused is None:
            raise
        streams.complain(printable(f"mer-keras: {refused}"))
        raise SystemExit(UserError.exit_code) from error
    except SystemExit as end:
        # Typer turns Ctrl-C into this exit, without a word.
        if end.code == 130 and not isinstance(end, Stopped):
            print(
                "mer-keras: stopped; a run goes on by the same command",
                file=sys.stderr,
            )
        raise


def _show_version(version: bool) -> None:
    if version:
        print(f"mer-keras {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, Option("--version", callback=_show_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    """Do published micro-expression results hold, and under which protocol?"""


@app.command()
def doctor(
    device: Annotated[str, Option(help="any, or gpu: fail where no GPU computes.")] = "any",
    as_json: Json = False,
) -> None:
    """Say what is wrong with this machine, and how to mend it.

    Example: mer-keras doctor
    """
    if device not in ("any", "gpu"):
        raise UserError(f"--device {device}: expected any or gpu")
    with contextlib.suppress(ImportError):  # A missing Keras is among the findings.
        import_keras()
    from mer_keras.doctor import examine

    checks = examine(device)
    show(
        as_json,
        [check.to_json() for check in checks],
        ["check", "found", "wrong", "remedy"],
        [[c.name, c.found, c.problem or "-", c.remedy or "-"] for c in checks],
    )
    problems = [f"{c.name}: {c.problem}: {c.remedy}" for c in checks if c.problem]
    if problems:
        raise UserError("; ".join(problems))


@app.command()
def run(
    experiments: Experiments,
    profile: Profile = None,
    data: Data = "auto",
    overrides: Overrides = None,
    weights: Annotated[
        Path | None, Option(help="Evaluate these instead of training: a file, or a folder.")
    ] = None,
    start_from: Annotated[
        Path | None, Option(help="Weights (.npz) that networks, or their pretraining, start from.")
    ] = None,
    workers: Workers = 1,
    isolate: Annotated[bool, Option("--isolate", help="A process for each fold.")] = False,
    cluster: Annotated[
        str | None, Option(help="Share the folds over a Ray cluster: local, auto, or HOST:PORT.")
    ] = None,
    gpus_per_fold: Annotated[
        float | None, Option(min=0, max=1, help="With --cluster; a quarter where it has a GPU.")
    ] = None,
    keep_weights: Annotated[
        bool, Option("--keep-weights", help="Store what each fold learned, for mer-keras train.")
    ] = False,
    report: Annotated[Path | None, Option(help="Write a report into this folder.")] = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Train and test every row of published tables.

    An interrupted run goes on. It first says what it will do and how long that takes,
    and last what came out.

    Example: mer-keras run shallow_convlstm/table1 --report results/report
    """
    from mer_keras.config.files import profile_names

    configs, profile = _load(experiments, profile, overrides)
    if cluster and (workers > 1 or isolate):
        raise UserError("--cluster shares the folds by itself: leave out --workers and --isolate")
    if gpus_per_fold is not None and not cluster:
        raise UserError("--gpus-per-fold is for --cluster")
    has_quick = all("quick" in profile_names(name) for name in experiments)
    forecasts = announce(
        configs, profile, data, trains=weights is None, yes=yes, has_quick=has_quick
    )
    import_keras()
    from mer_keras.runs.processes import visible_gpus
    from mer_keras.runs.run import run_experiments

    # A GPU is left to the processes that compute: networks that were tried here would fill it.
    computes_here = workers == 1 and not isolate and not cluster
    folders: list[RunFolder] = []
    with Watch(forecasts).shown() as watch:
        run_all = partial(
            run_experiments,
            profile=profile,
            data=data,
            weights=weights,
            initial=start_from,
            try_networks=computes_here or not visible_gpus(),
            keep_learned=keep_weights,
            watcher=watch,
        )
        if cluster:
            from mer_keras.runs.ray_cluster import RayExecutor, joined

            with joined(cluster, gpus=gpus_per_fold) as hosts:
                folders += run_all(configs, executor=RayExecutor(hosts))
        else:
            try:
                for config in configs:
                    folders += run_all([config], executor=_executor(workers, isolate))
                    watch.finish(config)
            except MerKerasError:
                _show_runs(folders, as_json=as_json)  # It is shown before the error.
                raise
    _show_runs(folders, as_json=as_json)
    if report:
        tell = say if as_json else print
        tell(f"report: {report_on(experiments, report)}")
    check_finished(folders)


@app.command()
def resume(
    run: Run,
    workers: Workers = 1,
    as_json: Json = False,
) -> None:
    """Go on with an interrupted run, by its stored config.

    Example: mer-keras resume latest
    """
    from mer_keras.runs.folder import RunFolder
    from mer_keras.runs.naming import find_whole_run
    from mer_keras.runs.repetition import how_it_was_run

    stored = RunFolder(find_whole_run(run))
    config, profile, data = how_it_was_run(stored)
    forecasts = announce([config], profile, data)
    import_keras()
    from mer_keras.runs.run import run_experiment

    with Watch(forecasts).shown() as watch, results_beside(stored):
        folder = run_experiment(
            config, profile=profile, data=data, executor=_executor(workers), watcher=watch
        )
    if folder.run_id != stored.path.resolve().name:
        raise UserError(f"{run}: data or config changed since; a new run was made in {folder.path}")
    _show_runs([folder], as_json=as_json)
    check_finished([folder])


@app.command()
def plan(
    experiments: Experiments,
    profile: Profile = None,
    data: Data = "auto",
    overrides: Overrides = None,
    find_batch: Annotated[bool, Option("--find-batch", help="Try larger batches instead.")] = False,
    as_json: Json = False,
) -> None:
    """Show folds, steps, memory and time of a run; train nothing.

    The classes of each fold are counted, and the space on the disk is estimated too. The clips of
    an experiment are read for a minute at most; sizes of the others are estimated.

    Example: mer-keras plan shallow_convlstm/table2
    """
    configs, _ = _load(experiments, profile, overrides)
    from mer_keras.runs.plan import describe_plan, find_batches

    if find_batch:
        import_keras()
        batches = [batch for config in configs for batch in find_batches(config, data)]
        header = ["experiment", "row", "batch", "clips a second", "fastest"]
        rows = [[*list(batch.values())[:-1], _YES[batch["fastest"]]] for batch in batches]
        show(as_json, batches, header, rows)
        return
    plans = []
    for config in configs:
        with show_progress(config.name) as progress:
            plans.append(describe_plan(config, data, progress))
    if as_json:
        print_json(plans)
        return
    for entry in plans:
        print_wrapped(
            f"{entry['experiment']}: {entry['data_kind']} data, {entry['n_samples']} clips, "
            f"{entry['n_subjects']} subjects, {entry['protocol']}, {entry['selection']}"
        )
        rows = [
            [fold["name"], fold["train"], fold["val"], fold["test"], counts(fold["test_classes"])]
            for fold in entry["folds"]
        ]
        print_table(["fold", "train", "val", "test", "test clips by class"], rows)
        print_wrapped(
            f"steps in all: {entry['steps']:,}; clips: {entry['clips_mib']:,} MiB of memory, "
            f"and {entry['loading_mib']:,} MiB while they are read; "
            f"disk: {entry['disk_mib']:,} MiB; "
            f"about {duration(entry['estimated_seconds'])} on this machine's processor"
        )
        for name in entry["stages"]:
            print(f"before that: pretraining on {name}")
        print()
        for note in entry["notes"]:
            print_wrapped(f"note: {note}")


@app.command()
def explain(
    name: Annotated[
        str,
        Argument(
            metavar="NAME",
            help="An experiment, by name or YAML file; or RUN[:ROW], which is explained as it was "
            "run.",
            autocompletion=completion.experiments,
        ),
    ],
    profile: Profile = None,
    data: Data = "auto",
    overrides: Overrides = None,
    yes: Yes = False,
    row: Annotated[Texts, Option(help="A row's name. Repeatable.")] = None,
    sample: Annotated[Texts, Option(help="A sample id. Repeatable.")] = None,
    allow_face: Annotated[
        Texts, Option(help="A subject (database/subject) whose face may be shown. Repeatable.")
    ] = None,
    out: Annotated[Path, Option(help="Folder to write into.")] = Path("results/explanation"),
    as_json: Json = False,
) -> None:
    """Show where networks look: Grad-CAM and attention maps.

    Each tested clip is explained by the network of the fold that tests it; that fold is trained
    again unless its weights are there. Without --sample: the first clip of each class.

    Example: mer-keras explain latest --out results/explanation
    """
    from mer_keras.config.files import profile_names
    from mer_keras.runs.samples import classes_of

    check_folder(out)
    rows = row or []
    with contextlib.ExitStack() as stack:
        named = named_run(name)
        if named is None:
            (config, *others), profile = _load([name], profile, overrides)
            if others:
                names = ", ".join(part.name for part in (config, *others))
                raise UserError(f"{name} has several parts: give one of {names}")
            announce_explanation(
                config,
                profile,
                data,
                len(sample or classes_of(config.data)),
                yes=yes,
                has_quick="quick" in profile_names(name),
            )
        else:
            if overrides:
                raise UserError(f"{name} is a run, which is explained as it was run: no --set")
            from mer_keras.runs.folder import RunFolder
            from mer_keras.runs.repetition import how_it_was_run

            folder = RunFolder(named[0])
            config, profile, data = how_it_was_run(folder)
            rows += [row_name(folder, named[1])] if named[1] else []
            stack.enter_context(results_beside(folder))
        import_keras()
        from mer_keras.explanation import tested
        from mer_keras.report.explanation import write_explanation

        progress = stack.enter_context(show_progress(config.name))
        explanation = tested.explain(
            config,
            profile=profile,
            data=data,
            rows=rows,
            samples=sample or (),
            progress=progress,
        )
    subjects = {clip.subject_id for clip in explanation.explained}
    for subject in allow_face or ():
        if subject not in subjects:
            raise UserError(f"--allow-face {subject}: none of these clips is of that subject")
    page = write_explanation(explanation, out, allow_face or ())
    if as_json:
        print_json({"page": str(page)})
        return
    print(page)


def _show_runs(folders: "Sequence[RunFolder]", *, as_json: bool) -> None:
    """Say what came out of runs, and where they are."""
    if as_json:
        from mer_keras.report.status import status_of
        from mer_keras.runs.naming import read_stored_run

        statuses = [(status_of(read_stored_run(folder.path)), folder.path) for folder in folders]
        print_json([status.model_dump() | {"folder": str(path)} for status, path in statuses])
        return
    for folder in folders:
        show_outcome(folder)
    for folder in folders:
        print(f"{folder.manifest()['experiment']}: {folder.path}")


def _executor(workers: int, isolate: bool = False) -> "Executor":
    """Who computes: this process alone, or several."""
    if workers == 1 and not isolate:
        from mer_keras.runs.executors import SerialExecutor

        return SerialExecutor()
    from mer_keras.runs.processes import ProcessExecutor

    return ProcessExecutor(workers, isolate=isolate)


def _load(
    experiments: list[str], profile: str | None, overrides: list[str] | None
) -> "tuple[list[Experiment], str]":
    """Return the experiments that are named, and the profile that was applied to all of them.

    Raises:
        UserError: an experiment can't be read, or no profile is named and they differ in theirs.
    """
    from mer_keras.config.files import default_profile, load_experiments

    profile = profile or _common_profile({name: default_profile(name) for name in experiments})
    configs = [
        config
        for name in experiments
        for config in load_experiments(name, profile=profile, overrides=overrides or [])
    ]
    tell_what_stays(configs, overrides or [])
    return configs, profile


def _common_profile(profile_of: dict[str, str]) -> str:
    """Return the default profile of all experiments; where that isn't ``quick``, it is said.

    Raises:
        UserError: they differ in it.
    """
    without = [name for name, profile in profile_of.items() if profile != "quick"]
    if not without:
        return "quick"
    if len(without) < len(profile_of):
        raise UserError(
            f"{', '.join(without)}: no profile 'quick', which is the default of the others: run "
            "them apart, or name a profile of all by --profile"
        )
    say(f"{', '.join(without)}: no profile 'quick': the file's own values, as with --profile full")
    return "full"
