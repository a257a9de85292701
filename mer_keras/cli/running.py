"""How the verbs that train show it: what they will do, how long it still takes, what came out."""

import shlex
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from mer_keras.cli.show import print_table, printable
from mer_keras.errors import UserError
from mer_keras.terms import DataKind

if TYPE_CHECKING:
    from rich.progress import Task
    from rich.text import Text

    from mer_keras.config.experiment import Experiment
    from mer_keras.progress import Progress
    from mer_keras.runs.executors import OpenRun
    from mer_keras.runs.folder import RunFolder
    from mer_keras.runs.forecast import Forecast
    from mer_keras.runs.timetable import Moment

#: Seconds between two lines of progress, where there is no terminal to show a bar on.
SECONDS_BETWEEN_LINES = 10
#: Work on drawn faces that takes so many seconds must be wanted, whatever its profile.
LONG = 3 * 3600
_PROFILES = {
    "full": "profile full, the paper's settings",
    "quick": "profile quick, a small version",
    "smoke": "profile smoke, the smallest version",
}


def about(seconds: float) -> str:
    """Return ``"20 s"``, ``"7 min"``, ``"3 h 05 min"`` or ``"4 days"``."""
    if seconds < 90:
        return f"{max(5, 5 * round(seconds / 5))} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60:02} min"
    return f"{round(minutes / 60 / 24)} days"


def announce(
    configs: "Sequence[Experiment]",
    profile: str,
    data: str,
    *,
    trains: bool = True,
    yes: bool = True,
    has_quick: bool = True,
) -> "list[Forecast]":
    """Say what runs will do and how long that takes; return the forecasts.

    A full run on drawn faces must be wanted: on a terminal a question is asked.

    Args:
        configs: the experiments, their profile applied.
        profile: its name.
        data: see ``samples.load_samples``.
        trains: whether networks are trained; not where weights are given.
        yes: whether a full run on drawn faces is wanted for sure.
        has_quick: whether the experiments have a profile ``quick``.

    Raises:
        UserError: data can't be used, or a full run on drawn faces isn't wanted for sure.
    """
    from mer_keras.runs.expectation import Expectation
    from mer_keras.runs.forecast import forecast

    expectation = Expectation()
    forecasts = [forecast(config, data, expectation, trains=trains) for config in configs]
    for entry in forecasts:
        say(_announcement(entry, profile))
    total = sum(entry.seconds for entry in forecasts)
    in_all = f"{len(forecasts)} tables, " if len(forecasts) > 1 else ""
    say(
        f"in all: {in_all}about {about(total)} on this machine; what a run has stored already "
        "is not computed again"
    )
    of_drawn = [entry.seconds for entry in forecasts if entry.data_kind is DataKind.SYNTHETIC]
    if of_drawn and not yes and must_be_wanted(profile, max(of_drawn)):
        ask_for_drawn(total, profile, has_quick=has_quick)
    return forecasts


def announce_explanation(
    config: "Experiment", profile: str, data: str, clips: int, *, yes: bool, has_quick: bool
) -> None:
    """Say how many folds an explanation trains at most, and how long that takes.

    Args:
        config: the experiment, its profile applied.
        profile: its name.
        data: see ``samples.load_samples``.
        clips: how many clips are explained, each by the fold that tests it.
        yes: see ``announce``.
        has_quick: likewise.

    Raises:
        UserError: see ``announce``.
    """
    from mer_keras.runs.forecast import forecast

    entry = forecast(config, data)
    folds = min(clips, entry.folds)
    seconds = entry.seconds * folds / (entry.folds * len(config.seeds))
    drawn = entry.data_kind is DataKind.SYNTHETIC
    say(
        f"{config.name}: {data_words(entry.data_kind)}; profile {profile}; of each network at most "
        f"{folds} fold(s) are trained; about {about(seconds)} on this machine"
    )
    if drawn and not yes and must_be_wanted(profile, seconds):
        ask_for_drawn(seconds, profile, has_quick=has_quick)


def tell_what_stays(configs: "Sequence[Experiment]", overrides: Sequence[str]) -> None:
    """Say which rows keep their own recipe where an override changes that of the whole table.

    Args:
        configs: the experiments, overrides applied.
        overrides: as they were typed.
    """
    for key in (text.partition("=")[0].strip() for text in overrides):
        block, _, rest = key.partition(".")
        if block != "train" or not rest:
            continue
        for config in configs:
            if names := config.rows_apart(rest):
                say(
                    f"{config.name}: --set {key} doesn't reach {', '.join(names)}: such a row has "
                    f"a recipe of its own, which --set rows.N.{key} changes (N from 0, in the "
                    "order of the file)"
                )


def must_be_wanted(profile: str, seconds: float) -> bool:
    """Whether work on drawn faces must be asked for: the full profile, or hours of any other.

    Args:
        profile: name of the profile.
        seconds: that one table is expected to take.
    """
    return profile == "full" or seconds >= LONG


def data_words(kind: DataKind) -> str:
    """Say what a run's clips are."""
    if kind is DataKind.SYNTHETIC:
        return "drawn faces, which check the pipeline alone"
    return f"{kind} data"


def _announcement(entry: "Forecast", profile: str) -> str:
    config = entry.config
    data = data_words(entry.data_kind)
    settings = _PROFILES.get(profile, f"profile {profile}")
    if profile == "full" and config.paper is None:
        settings = "profile full, the experiment's own settings"
    untimed = f", without {', '.join(entry.untimed)}, whose cost is not known"
    stages = [f"; first pretraining on {stage.name}" for stage in config.stages]
    return (
        f"{config.name}: {data}, {entry.clips} clips of {entry.subjects} people; "
        f"{settings}{''.join(stages)}; {entry.folds} folds, "
        f"{entry.trainings} trainings, {entry.network_trainings} of networks; about "
        f"{about(entry.seconds)}{untimed if entry.untimed else ''}"
    )


def ask_for_drawn(seconds: float, profile: str, *, has_quick: bool) -> None:
    """Ask whether hours of work on drawn faces are wanted; without a terminal they are not.

    Args:
        seconds: that the work is expected to take.
        profile: name of the profile.
        has_quick: whether the experiments have a profile ``quick``.

    Raises:
        UserError: they are not wanted, with the command to type.
    """
    which = "the full profile" if profile == "full" else f"profile {profile} as it is changed"
    reason = (
        f"{which} takes about {about(seconds)} here, and numbers on drawn faces say "
        "nothing about people"
    )
    smaller_version = (
        "--profile quick as it is in the file checks the pipeline in minutes"
        if has_quick and profile == "quick"
        else "--profile quick checks the pipeline in minutes"
        if has_quick
        else "a profile quick in the experiment's file would check the pipeline in minutes"
    )
    if sys.stdin.isatty() and sys.stderr.isatty():
        if typer.confirm(f"{reason}; go on all the same?", err=True):
            return
        raise UserError(f"nothing was run; {smaller_version}")
    raise UserError(
        f"{reason}: {smaller_version}; if it is wanted all the same: {command_line('--yes')}"
    )


def command_line(*more: str) -> str:
    """Return the command that runs now, as it can be typed again."""
    return shlex.join(["mer-keras", *sys.argv[1:], *more])


def say(text: str) -> None:
    """Print a line for readers beside the results."""
    print(printable(text), file=sys.stderr, flush=True)


class Stopped(SystemExit):
    """The end after Ctrl-C or SIGTERM, where it was said what is kept."""


class Watch:
    """Follows runs: a bar on a terminal, a line now and then elsewhere; see ``runs.run.Watcher``.

    Attributes:
        timetable: all work and how far it is.
        opened_runs: the runs whose folders are open or were.
        show: shows where work stands after each report.
    """

    def __init__(
        self, forecasts: "Sequence[Forecast]", clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin; nothing is shown before ``shown``.

        Args:
            forecasts: what the runs will do.
            clock: returns seconds.
        """
        from mer_keras.runs.timetable import Timetable

        self.timetable = Timetable({entry.config.name: entry.pieces for entry in forecasts}, clock)
        self.opened_runs: list[OpenRun] = []
        self.show: Callable[[Moment], None] | None = None
        self._forecasts = {entry.config.name: entry for entry in forecasts}
        self._lock = threading.Lock()

    def begin(self, config: "Experiment") -> "Progress":
        """Data of a run are about to be read; return what is told of its progress."""
        with self._lock:
            report = self.timetable.begin(config.name)

        def report_and_show(title: str, done: float, total: float) -> None:
            with self._lock:
                report(title, done, total)
            if self.show:
                self.show(self.moment())

        return report_and_show

    def opened(self, run: "OpenRun") -> None:
        """All that a run reads is known, so that what is left of it is known exactly."""
        from mer_keras.runs.forecast import pieces_of_run

        name = run.context.config.name
        forecast = self._forecasts[name]
        pieces = pieces_of_run(run, forecast.expectation, trains=forecast.trains)
        with self._lock:
            self.timetable.expect(name, pieces)
        self.opened_runs.append(run)

    def finish(self, config: "Experiment") -> None:
        """Nothing is left to do of an experiment."""
        with self._lock:
            self.timetable.finish(config.name)

    def moment(self) -> "Moment":
        """Where all work stands now."""
        with self._lock:
            return self.timetable.moment()

    @contextmanager
    def shown(self) -> "Iterator[Watch]":
        """Show work while it goes on; after Ctrl-C or SIGTERM, say what is kept and how to go on.

        Raises:
            Stopped: with 130, after Ctrl-C or SIGTERM.
        """
        from mer_keras.runs.speeds import remember
        from mer_keras.runs.stopping import ended_like_by_ctrl_c

        with ended_like_by_ctrl_c():
            try:
                with _bar(self) if sys.stderr.isatty() else _lines(self):
                    yield self
            except KeyboardInterrupt:
                say(f"mer-keras: stopped. {self._kept()} To go on: {command_line()}")
                raise Stopped(130) from None
            finally:
                remember(self.timetable.timed())

    def _kept(self) -> str:
        """Say what an interrupted command leaves behind."""
        from mer_keras.runs.tasks import all_units

        done, total, paths = 0, 0, []
        for run in self.opened_runs:
            units = all_units(run.context)
            total += len(units)
            done += len(units) - len(run.pending(units))
            paths.append(str(run.folder.path))
        if not paths:
            return (
                "No training had begun; clips that were prepared, and stand-ins that were drawn "
                "whole, are kept in the cache."
            )
        return f"{done} of {total} trainings are kept in {', '.join(paths)}."


def describe(moment: "Moment") -> str:
    """Say what is being done: ``"table 2 of 5, meranet/table1/casme2: MERANet"``."""
    which = f"table {moment.number} of {moment.tables}, " if moment.tables > 1 else ""
    return printable(f"{which}{moment.table}" + (f": {moment.what}" if moment.what else ""))


@contextmanager
def _bar(watch: Watch) -> Iterator[None]:
    """Show a bar with named columns on the terminal."""
    from rich import progress as rich_progress
    from rich.console import Console
    from rich.text import Text

    class LeftColumn(rich_progress.ProgressColumn):
        max_refresh = 0.5

        def render(self, task: "Task") -> "Text":
            return Text(f"left: about {about(watch.moment().left)}")

    bar = rich_progress.Progress(
        rich_progress.TextColumn("done: {task.percentage:>3.0f} %"),
        rich_progress.BarColumn(bar_width=20),
        LeftColumn(),
        rich_progress.TextColumn("now: {task.description}", markup=False),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task("reading tables", total=1)

        def show(moment: "Moment") -> None:
            bar.update(task, description=describe(moment), completed=moment.share)

        watch.show = show
        yield


@contextmanager
def _lines(watch: Watch) -> Iterator[None]:
    """Print a line now and then, for a log."""
    latest = time.monotonic()

    def show(moment: "Moment") -> None:
        nonlocal latest
        now = time.monotonic()
        if now - latest >= SECONDS_BETWEEN_LINES:
            latest = now
            say(
                f"done: {100 * moment.share:.0f} %, left: about {about(moment.left)}, "
                f"now: {describe(moment)}"
            )

    watch.show = show
    yield


def show_outcome(folder: "RunFolder") -> None:
    """Print what came out of a run, and its folder last."""
    from mer_keras.report.outcome import outcome_of
    from mer_keras.report.view import read_view

    outcome = outcome_of(read_view(folder.path))
    print(printable(outcome.title))
    print_table(outcome.header, outcome.rows)
    if outcome.sentence:
        print(printable(outcome.sentence))
