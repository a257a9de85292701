"""What a bundle says of its training clips: their footage, and the terms of their data."""

import pandas as pd

from mer_keras.bundles.card import Footage, Spread, Terms
from mer_keras.databases.registry import known_databases
from mer_keras.terms import DataKind

_USE = (
    "Research on recording and annotating facial expressions. Not for lie detection, hiring, "
    "interviews, schooling, policing, borders or insurance, nor for any decision about a person. "
    "A class is a label that annotators gave to clips, not what anybody feels. Who is filmed must "
    "have agreed."
)
_DATA = {
    DataKind.LICENSED: (
        "trained on databases that their owners license, for research as a rule: {names}"
    ),
    DataKind.PUBLIC: (
        "trained on data that anybody may download: {names}; what their publishers say of a "
        "licence: mer-keras data card {keys}"
    ),
    DataKind.OWN: "trained on clips of a user's own: {names}",
    DataKind.SYNTHETIC: "trained on drawn faces, which says nothing about people: {names}",
}
_REDISTRIBUTION = {
    DataKind.LICENSED: "ask the databases' owners before you pass it on",
    DataKind.PUBLIC: "make it anew from the public data rather than pass it on, unless their "
    "licence says that you may",
    DataKind.OWN: "ask the people that were filmed before you pass it on",
    DataKind.SYNTHETIC: "free: no person's face is in it",
}


def footage_of(table: pd.DataFrame) -> Footage:
    """Return frame rates and lengths of the clips of a samples table, where they are known."""
    fps = pd.to_numeric(table["fps"]).astype(float)
    onset, offset = (pd.to_numeric(table[name]).astype(float) for name in ("onset", "offset"))
    frames = offset - onset + 1
    return Footage(fps=_spread(fps), seconds=_spread(frames / fps), frames=_spread(frames))


def terms_of(databases: tuple[str, ...], kind: DataKind, *, holds_clips: bool) -> Terms:
    """Return the terms of a bundle.

    Args:
        databases: that it was trained on.
        kind: of their data.
        holds_clips: whether its weights contain features of training clips.
    """
    known = known_databases()
    titles = [known[name].title if name in known else name for name in databases]
    names = ", ".join(titles)
    redistribution = _REDISTRIBUTION[kind]
    if holds_clips and kind is not DataKind.SYNTHETIC:
        redistribution += "; it holds features of training clips, such as histograms"
    data = _DATA[kind].format(names=names, keys=", ".join(databases))
    return Terms(data=data, redistribution=redistribution, use=_USE)


def _spread(values: pd.Series) -> Spread | None:
    known = values.dropna()
    if known.empty:
        return None
    return Spread(
        least=float(known.min()), median=float(known.median()), greatest=float(known.max())
    )
