"""All targets by name, and the bounds that hold for each."""

from typing import NamedTuple

from tests.fuzz import media, received, texts, weights


class Bounds(NamedTuple):
    """What reading a file may take.

    Attributes:
        seconds: of computing, for one file.
        mebibytes: of memory, for the whole process.
    """

    seconds: float
    mebibytes: int


#: Name -> what makes its seeds, changes them and reads them.
TARGETS = {
    "contribution": texts.contribution_target,
    "workbook": texts.workbook_target,
    "manifest": texts.manifest_target,
    "config": texts.config_target,
    "image": media.image_target,
    "tiff": media.tiff_target,
    "video": media.video_target,
    "list": texts.list_target,
    "intervals": texts.intervals_target,
    "score": texts.score_target,
    "npz": weights.npz_target,
    "h5": weights.h5_target,
    "bundle": received.bundle_target,
    "run": received.run_target,
}
_EARLIER = ("contribution", "workbook", "manifest", "config", "image")


def bounds_of(name):
    """The bounds of a target."""
    return Bounds(5, 1500) if name in _EARLIER else Bounds(2, 1024)
