"""Verbs that read stored runs and published numbers; only ``verify`` trains, one fold."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Argument, Option

from mer_keras.cli import completion
from mer_keras.cli.named_runs import HOW_TO_NAME, Run, RunAndRow, named_run
from mer_keras.cli.show import (
    Json,
    print_json,
    print_table,
    print_wrapped,
    printable,
    show_progress,
)
from mer_keras.cli.statuses import print_statuses
from mer_keras.errors import InvariantError, UserError
from mer_keras.training.quiet_start import import_keras

if TYPE_CHECKING:
    from mer_keras.config.experiment import Experiment
    from mer_keras.report.shown_runs import Remark
    from mer_keras.report.view import RunView

app = typer.Typer()

Experiments = Annotated[
    list[str],
    Argument(
        metavar="EXPERIMENT",
        help="Names such as shallow_convlstm/table1, or paths of YAML files.",
        autocompletion=completion.experiments,
    ),
]


@app.command()
def verify(
    run: RunAndRow,
    row: Annotated[str | None, Option(help="A row's key or name; by default the first.")] = None,
    fold: Annotated[str | None, Option(help="Name of a fold; the first finished.")] = None,
    as_json: Json = False,
) -> None:
    """Compute one fold of a stored run anew, and compare the two.

    On the machine that made the run, by one process, every bit is the same. Exits with 3 if
    more than rounding differs. A network that another backend trained can't be compared: what
    needs no training is checked.

    Example: mer-keras verify latest
    """
    from mer_keras.runs.naming import find_run_and_row

    path, row_of_run = find_run_and_row(run)
    if row and row_of_run:
        raise UserError(f"{run} names a row: leave out --row {row}")
    import_keras()
    from mer_keras.runs.folder import RunFolder
    from mer_keras.runs.verify import verify_fold

    with show_progress("verify") as progress:
        result = verify_fold(RunFolder(path), row=row_of_run or row, fold=fold, progress=progress)
    if as_json:
        print_json(result.to_json())
    else:
        same = "identical" if result.identical else f"differs by {result.difference:.2g} at most"
        print(f"{result.unit.row}: {result.samples} clips, {same}; {result.changed} other classes")
        if result.elsewhere and not result.identical:
            print_wrapped(printable(f"the run was made elsewhere: {'; '.join(result.elsewhere)}"))
    if not result.agrees:
        reason = "the fold can't be derived again from its config"
        if result.elsewhere:
            reason += (
                " here, where other versions or devices compute: over many epochs rounding grows, "
                "so that this alone doesn't show that the run is false"
            )
        raise InvariantError(f"{run}: {reason}")


@app.command()
def status(
    runs: Annotated[
        list[str] | None,
        Argument(
            metavar="RUN",
            help=f"Some runs only: {HOW_TO_NAME}.",
            autocompletion=completion.runs,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """List runs: which folds are done, and what came out.

    UF1 and UAR are of rows that are complete. Of all runs the networks are shown, of a run that is
    named the baselines too.

    Example: mer-keras status latest
    """
    from mer_keras.report.status import status_of
    from mer_keras.runs.naming import find_whole_run, read_stored_run, stored_runs

    named = [read_stored_run(find_whole_run(name)) for name in runs or ()]
    statuses = [status_of(run) for run in (named if runs else stored_runs())]
    if as_json:
        print_json([run.model_dump() for run in statuses])
        return
    print_statuses(statuses, baselines=bool(runs))


@app.command()
def report(
    names: Annotated[
        list[str],
        Argument(
            metavar="NAME...",
            help="Experiments, by name or YAML file, with all their runs; or single runs: "
            f"{HOW_TO_NAME}.",
            autocompletion=completion.experiments_and_runs,
        ),
    ],
    out: Annotated[Path, Option(help="Folder to write into.")] = Path("results/report"),
    as_json: Json = False,
) -> None:
    """Write tables, figures and a page from stored predictions.

    Example: mer-keras report shallow_convlstm/table1 --out results/report
    """
    page = report_on(names, out)
    if as_json:
        print_json({"report": str(page)})
        return
    print(f"report: {page}")


@app.command()
def track(
    run: Run,
    tensorboard: Annotated[Path | None, Option(help="Folder for TensorBoard logs.")] = None,
    mlflow: Annotated[str | None, Option(help="An MLflow server, or sqlite:///FILE.")] = None,
    as_json: Json = False,
) -> None:
    """Send a stored run to an experiment tracker.

    It needs the extra tracking. Nobody is named there. Sent again, a run takes the place of
    what was sent of it before.

    Example: mer-keras track latest --tensorboard logs
    """
    from mer_keras.report import tracking
    from mer_keras.report.view import read_view
    from mer_keras.runs.naming import find_whole_run

    if tensorboard is None and mlflow is None:
        raise UserError("give --tensorboard FOLDER or --mlflow URI")
    view = read_view(find_whole_run(run))
    sent: list[dict[str, str | int]] = []
    if tensorboard is not None:
        check_folder(tensorboard)
        with show_progress("TensorBoard") as progress:
            report_trainings = partial(progress, "trainings")
            trainings = tracking.to_tensorboard(view, tensorboard, report_trainings)
        sent.append({"to": str(tensorboard), "sent": trainings, "what": "trainings"})
    if mlflow is not None:
        rows, updated = tracking.to_mlflow(view, mlflow)
        sent.append({"to": mlflow, "sent": rows, "what": "rows", "updated": updated})
    if as_json:
        print_json(sent)
        return
    for tracker in sent:
        known = tracker.get("updated")
        remark = f", {known} of them updated, as they had been sent before" if known else ""
        print(f"{tracker['to']}: {tracker['sent']} {tracker['what']}{remark}")


@app.command()
def compare(
    first: RunAndRow,
    second: RunAndRow,
    as_json: Json = False,
) -> None:
    """Say whether two rows of runs differ by more than chance.

    They are compared clip by clip.

    Example: mer-keras compare latest:proposed-convlstm latest:baseline-majority
    """
    from mer_keras.report import comparison

    compared = comparison.compare(first, second)
    if as_json:
        print_json(compared)
        return
    for name, row in (("first", compared["first"]), ("second", compared["second"])):
        print_wrapped(f"{name}: {row['row']} ({row['run']}; {row['protocol']}; {row['selection']})")
    print(
        f"{compared['data_kind']} data, {compared['n_samples']} clips, "
        f"{compared['n_subjects']} subjects\n"
    )
    rows = []
    for metric in compared["differences"]:
        difference, low, high = (100 * v for v in (metric["difference"], *metric["interval"]))
        values = [f"{100 * metric[which]:.2f}" for which in ("first", "second")]
        interval = f"{difference:+.2f} [{low:+.1f}, {high:+.1f}]"
        if metric["warning"]:
            interval += f" ({metric['warning']})"
        rows.append([metric["metric"].upper(), *values, interval])
    print_table(["metric, %", "first", "second", "second - first [95 % over subjects]"], rows)
    test = compared["mcnemar"]
    print()
    print_wrapped(
        f"right by the first alone: {test['only_first']}, by the second alone: "
        f"{test['only_second']}; McNemar's exact test: p = {test['p']:.3g}"
    )


@app.command()
def audit(
    papers: Annotated[
        list[str] | None,
        Argument(help="Such as meranet; all if none.", autocompletion=completion.papers),
    ] = None,
    corrections: Annotated[
        bool, Option("--corrections", help="Print the table of corrections, as markdown.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Say what the published numbers imply.

    It says what a metric is, and how many samples stand behind it. Nothing is run; all is
    recomputed from the papers' own figures.

    Example: mer-keras audit shallow_convlstm

    Example: mer-keras audit --corrections > corrections.md
    """
    if corrections:
        from mer_keras.audit.corrections import all_corrected_lines, as_markdown

        lines = all_corrected_lines(papers or ())
        if as_json:
            print_json([asdict(line) for line in lines])
        else:
            print(as_markdown(lines), end="")
        return
    from mer_keras.audit import findings, published

    findings_of = {name: findings.audit(name) for name in papers or published.papers()}
    if as_json:
        print_json(
            {paper: [finding.to_json() for finding in fs] for paper, fs in findings_of.items()}
        )
        return
    for paper, paper_findings in findings_of.items():
        print_wrapped(f"{paper}: {published.load(paper).title}")
        print()
        for finding in paper_findings:
            print_wrapped(f"{finding.where}: {finding.about} ({finding.kind})")
            print_wrapped(f"{finding.says}.", indent=2)
            if finding.limits:
                print_wrapped(finding.limits, indent=2)
        print()


def check_folder(path: Path) -> None:
    """Refuse a file where a folder is to be written.

    Raises:
        UserError: the path is that of a file.
    """
    if path.exists() and not path.is_dir():
        raise UserError(f"{path}: is a file: expected a folder to write into, or a new name")


def report_on(names: Sequence[str], out: Path) -> Path:
    """Write a report of experiments or runs; say which runs are not whole; return its page."""
    check_folder(out)
    # Two names may mean one run, which is shown once.
    section_of = {
        (config.name, *(view.run_id for view in views)): (config, views, remarks)
        for name in names
        for config, views, remarks in _sections(name)
    }
    sections = list(section_of.values())
    from mer_keras.report.document import write_report

    remarks = [remark for _, _, of_section in sections for remark in of_section]
    for remark in remarks:
        print(f"mer-keras: {remark.run}: {printable(remark.reason)}", file=sys.stderr)
    paths = write_report([(config, views) for config, views, _ in sections], out, remarks)
    return next(path for path in paths if path.suffix == ".html")


def _sections(name: str) -> "list[tuple[Experiment, list[RunView], list[Remark]]]":
    """Experiments that a name means, each with its runs and what must be said of some.

    Raises:
        UserError: neither an experiment nor a run is called so.
    """
    from mer_keras.config.files import load_experiments
    from mer_keras.report.shown_runs import remark_on, views_of
    from mer_keras.report.view import read_view

    named = named_run(name)
    if named is None:
        return [(config, *views_of(config.name)) for config in load_experiments(name)]
    path, row = named
    if row is not None:
        raise UserError(f"{name}: a report is of whole runs: leave out :{row}")
    view = read_view(path)
    if view.manifest["experiment"] == name:  # Its file is elsewhere; the runs have the config.
        return [(view.config, *views_of(name))]
    remark = remark_on(view)
    return [(view.config, [view], [remark] if remark else [])]
