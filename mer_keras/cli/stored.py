"""Verbs that read stored runs and published numbers; only ``verify`` trains, one fold."""

from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from mer_keras.cli.show import Json, print_json, print_table, show, show_progress
from mer_keras.errors import InvariantError, UserError
from mer_keras.training.quiet_start import import_keras

app = typer.Typer()

Experiments = Annotated[
    list[str], Argument(help="Names such as shallow_convlstm/table1, or paths of YAML files.")
]


@app.command()
def verify(
    run: Annotated[str, Argument(help="A run id or a run folder.")],
    row: Annotated[str | None, Option(help="Key of a row; by default the first.")] = None,
    fold: Annotated[str | None, Option(help="Name of a fold; the first finished.")] = None,
    as_json: Json = False,
) -> None:
    """Compute one fold of a stored run anew, and compare it with what is stored.

    On the machine that made the run, by one process, every bit is the same. Exits with 3 if
    more than rounding differs.

    Example: mer-keras verify ststnet-megc2019-quick-public-3b6b82e3
    """
    import_keras()
    from mer_keras.runs.folder import find_folder
    from mer_keras.runs.verify import verify_fold

    with show_progress("verify") as progress:
        result = verify_fold(find_folder(run), row=row, fold=fold, progress=progress)
    if as_json:
        print_json(result.to_json())
    else:
        same = "identical" if result.identical else f"differs by {result.difference:.2g} at most"
        print(f"{result.unit.row}: {result.samples} clips, {same}; {result.changed} other classes")
    if not result.agrees:
        raise InvariantError(f"{run}: the fold can't be derived again from its config")


@app.command()
def status(as_json: Json = False) -> None:
    """List runs and how many of their folds are done.

    Example: mer-keras status
    """
    from mer_keras.report.view import run_states

    states = run_states()
    rows = [
        [s["run_id"], s["data_kind"], f"{s['done']}/{s['expected']}", s["failed"]] for s in states
    ]
    show(as_json, states, ["run", "data", "folds done", "failed"], rows)


@app.command()
def report(
    experiments: Experiments,
    out: Annotated[Path, Option(help="Folder to write into.")] = Path("results/report"),
) -> None:
    """Write tables, figures and one HTML file from the stored predictions.

    Example: mer-keras report shallow_convlstm/table1 --out results/report
    """
    report_on(experiments, out)


@app.command()
def overview(
    stored: Annotated[Path, Option(help="Folder of reports.")] = Path("results/published"),
    update: Annotated[Path | None, Option(help="Put it between the marks of this text.")] = None,
) -> None:
    """Show every published table on one line: what is printed, and what is stored of our runs.

    Example: mer-keras overview --update README.md
    """
    from mer_keras.report import overview as tables

    table = tables.as_markdown(tables.overview(stored))
    if update is None:
        print(table)
        return
    text = update.read_text(encoding="utf-8") if update.is_file() else ""
    if tables.BEGIN not in text or tables.END not in text:
        raise UserError(f"{update}: expected a text with the marks {tables.BEGIN} and {tables.END}")
    update.write_text(tables.put_into(text, table), encoding="utf-8")
    print(update)


@app.command()
def track(
    run_id: Annotated[str, Argument(metavar="RUN", help="A run id or a run folder.")],
    tensorboard: Annotated[Path | None, Option(help="Folder for TensorBoard logs.")] = None,
    mlflow: Annotated[str | None, Option(help="An MLflow server, or sqlite:///FILE.")] = None,
) -> None:
    """Send a stored run to an experiment tracker (extra: tracking). Nobody is named there.

    Example: mer-keras track RUN --tensorboard logs
    """
    from mer_keras.report import tracking
    from mer_keras.report.view import find_run

    view = find_run(run_id)
    if tensorboard is None and mlflow is None:
        raise UserError("give --tensorboard FOLDER or --mlflow URI")
    if tensorboard is not None:
        check_folder(tensorboard)
        print(f"{tensorboard}: {tracking.to_tensorboard(view, tensorboard)} trainings")
    if mlflow is not None:
        print(f"{mlflow}: {tracking.to_mlflow(view, mlflow)} rows")


@app.command()
def compare(
    first: Annotated[str, Argument(help="RUN or RUN:ROW.")],
    second: Annotated[str, Argument(help="RUN or RUN:ROW, on the same clips.")],
    as_json: Json = False,
) -> None:
    """Say whether two rows of stored runs differ by more than chance, clip by clip.

    Example: mer-keras compare RUN:residual-network RUN:baseline-linear-svm
    """
    from mer_keras.report import comparison

    compared = comparison.compare(first, second)
    if as_json:
        print_json(compared)
        return
    for name, row in (("first", compared["first"]), ("second", compared["second"])):
        print(f"{name}: {row['row']} ({row['run']}; {row['protocol']}; {row['selection']})")
    print(
        f"{compared['data_kind']} data, {compared['n_samples']} clips, "
        f"{compared['n_subjects']} subjects\n"
    )
    rows = []
    for metric in compared["differences"]:
        difference, low, high = (100 * v for v in (metric["difference"], *metric["interval"]))
        values = [f"{100 * metric[which]:.2f}" for which in ("first", "second")]
        interval = f"{difference:+.2f} [{low:+.1f}, {high:+.1f}]"
        rows.append([metric["metric"].upper(), *values, interval])
    print_table(["metric, %", "first", "second", "second - first [95 % over subjects]"], rows)
    test = compared["mcnemar"]
    print(
        f"\nright by the first alone: {test['only_first']}, by the second alone: "
        f"{test['only_second']}; McNemar's exact test: p = {test['p']:.3g}"
    )


@app.command()
def audit(
    papers: Annotated[list[str] | None, Argument(help="Such as meranet; all if none.")] = None,
    as_json: Json = False,
) -> None:
    """Say what the published numbers imply: what a metric is, how many samples stand behind it.

    Nothing is run; all is recomputed from the papers' own figures.

    Example: mer-keras audit shallow_convlstm
    """
    from mer_keras.audit import findings, published

    findings_of = {name: findings.audit(name) for name in papers or published.papers()}
    if as_json:
        print_json(
            {paper: [finding.to_json() for finding in fs] for paper, fs in findings_of.items()}
        )
        return
    for paper, paper_findings in findings_of.items():
        print(f"{paper}: {published.load(paper).title}\n")
        for finding in paper_findings:
            print(f"{finding.where}: {finding.about}\n  {finding.says}.")
            if finding.limits:
                print(f"  {finding.limits}")
        print()


def check_folder(path: Path) -> None:
    """Refuse a file where a folder is to be written.

    Raises:
        UserError: the path is that of a file.
    """
    if path.exists() and not path.is_dir():
        raise UserError(f"{path}: is a file: expected a folder to write into, or a new name")


def report_on(experiments: list[str], out: Path) -> None:
    """Write a report of experiments and say where it is."""
    check_folder(out)
    from mer_keras.config.files import load_experiments

    configs = [config for name in experiments for config in load_experiments(name)]
    from mer_keras.report.document import write_report
    from mer_keras.report.view import views_of

    paths = write_report([(config, views_of(config.name)) for config in configs], out)
    print(f"report: {next(path for path in paths if path.suffix == '.html')}")
