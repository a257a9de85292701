"""What lowers the learning rate of a run, where that depends on what chooses the epoch."""

from mer_keras.report.view import RunView
from mer_keras.runs.stored_manifest import stored_config
from mer_keras.terms import Selection

#: The clips whose loss ``train.plateau`` watches, in words; with the last epoch there are none.
_WATCHED = {
    Selection.INNER_SUBJECTS: "held-back training subjects",
    Selection.INNER_CLIPS: "held-back clips of training subjects",
    Selection.TEST_FOLD: "the tested clips",
}


def plateau_sentence(view: RunView, key: str | None = None) -> str:
    """Say what ``train.plateau`` watches; empty where the recipe has none.

    Args:
        view: the run.
        key: key of a row; ``None``: of any row.
    """
    selection = Selection(view.manifest["selection"])
    if selection is Selection.EXTERNAL or not _has_plateau(view, key):
        return ""
    if selection is Selection.LAST_EPOCH:
        return (
            "the learning rate never falls, since train.plateau watches the loss on held-back "
            "clips and none are held back"
        )
    return f"train.plateau lowers the learning rate by the loss on {_WATCHED[selection]}"


def plateau_notes(view: RunView) -> list[str]:
    """What a reader must know of a run's plateau: that it rests, or that it sees tested clips."""
    silent = (Selection.INNER_SUBJECTS, Selection.INNER_CLIPS)
    sentence = "" if view.manifest["selection"] in silent else plateau_sentence(view)
    return [sentence] if sentence else []


def _has_plateau(view: RunView, key: str | None) -> bool:
    """Whether the recipe of a row, or of any row, has a plateau."""
    config = stored_config(view.manifest)
    if config is None:  # Of a config of another version the common recipe can still be read.
        return bool(view.manifest["config"]["train"].get("plateau"))
    recipes = [
        plan.recipe
        for plan in config.plans
        if plan.config.network is not None and key in (None, plan.key)
    ]
    return any(recipe.plateau for recipe in recipes)
