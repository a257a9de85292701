"""Which runs a report shows, and what must be said of the others and of unfinished ones."""

from dataclasses import dataclass

from mer_keras.errors import MerKerasError
from mer_keras.names import slug
from mer_keras.report.view import RunView, read_view
from mer_keras.runs.naming import StoredRun, stored_runs


@dataclass(frozen=True)
class Remark:
    """What a reader must know of a run that is not shown, or not whole.

    Attributes:
        run: name of its folder.
        state: what it is in one or a few words; nothing in it names a path or a person.
        reason: the same at length, with what to do.
    """

    run: str
    state: str
    reason: str


def views_of(experiment: str) -> tuple[list[RunView], list[Remark]]:
    """All runs of an experiment that can be shown, and what must be said of the others.

    Of several copies of a run the one with most folds is shown. Complete runs come before
    unfinished ones, newer ones before older ones.
    """
    views, remarks = [], []
    for run in stored_runs():
        if _is_of(run, experiment):
            view, remark = read_stored(run)
            views += [view] if view is not None else []
            remarks += [remark] if remark is not None else []
    shown: dict[str, RunView] = {}
    for view in sorted(views, key=_worth, reverse=True):
        shown.setdefault(view.run_id, view)
    copies = [view for view in views if shown[view.run_id] is not view]
    remarks += [_copy(view, shown[view.run_id]) for view in copies]
    # The views are newest first already, and sorting keeps that.
    originals = [view for view in views if shown[view.run_id] is view]
    return sorted(originals, key=lambda view: view.done < view.expected), remarks


def remark_on(view: RunView) -> Remark | None:
    """What must be said of a run that is not whole; nothing of a whole one."""
    folds = f"{view.done} of {view.expected} folds"
    name = view.path.name
    if view.failures:
        return Remark(
            name,
            f"failed folds: {len(view.failures)}, done: {folds}",
            f"{folds} are done, {len(view.failures)} failed; the first: {view.failures[0]}; "
            f"mer-keras resume {name} tries them again",
        )
    if view.done < view.expected:
        return Remark(
            name,
            f"unfinished: {folds}",
            f"{folds} are done: mer-keras resume {name} goes on",
        )
    return None


def read_stored(run: StoredRun) -> tuple[RunView | None, Remark | None]:
    """Return the view of a run, if it can be read, and a remark, if it is not whole."""
    problem = run.problem
    if not problem:
        try:
            view = read_view(run.path)
        except MerKerasError as error:
            problem = str(error)
        else:
            return view, remark_on(view)
    return None, Remark(run.name, "broken: it can't be read or contradicts itself", problem)


def _copy(view: RunView, shown: RunView) -> Remark:
    folds = f"{view.done} of {view.expected} folds"
    return Remark(
        view.path.name,
        f"a copy of {view.run_id}, {folds}",
        f"it is a copy of run {view.run_id} with {folds}; {shown.path.name} is shown, "
        f"with {shown.done}",
    )


def _worth(view: RunView) -> tuple[int, bool]:
    """Folds that are done; of copies with as many, the folder that bears the run's name wins."""
    return view.done, view.path.name == view.run_id


def _is_of(run: StoredRun, experiment: str) -> bool:
    """Whether a run is of an experiment; what can't be read is by the name of its folder."""
    if run.problem:
        return run.name.startswith(f"{slug(experiment)}-")
    return run.experiment == experiment
