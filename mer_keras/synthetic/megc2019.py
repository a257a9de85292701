"""A synthetic MEGC 2019 composite: the challenge's table over the three stand-ins beside it."""

from collections.abc import Sequence
from pathlib import Path

from mer_keras.synthetic.casme2 import NOT_IN_COMPOSITE
from mer_keras.synthetic.layout import Layout
from mer_keras.synthetic.synthetic_clip import SyntheticClip

#: The composite's classes, in the order of their numbers.
CLASSES = ("negative", "positive", "surprise")


class Megc2019(Layout):
    """The layout of the composite.

    Attributes:
        classes: database -> class of each emotion; clips of other emotions are not in the
            composite.
    """

    classes: dict[str, dict[str, int]]

    def labels_of(self, clip: SyntheticClip) -> dict[str, str] | None:
        """Return the class of a clip as its emotion; None: it is not in the composite."""
        number = self.classes[_database(clip)].get(clip.emotion)
        if number is None or not clip.listed or (clip.subject, clip.name) in NOT_IN_COMPOSITE:
            return None
        return {"emotion": CLASSES[number]}

    def write_tables(self, root: Path, clips: Sequence[SyntheticClip]) -> None:
        """Write the table as the challenge does: no header, SAMM's subjects without their zeros."""
        lines = []
        for clip in clips:
            if self.labels_of(clip) is None:
                continue
            database = _database(clip)
            label = self.classes[database][clip.emotion]
            subject, name = clip.subject, clip.name
            if database == "samm":
                subject = str(clip.subject_number)
            if database == "smic":
                subject = f"s{clip.subject_number:02d}"
                name = name.replace(clip.subject, subject, 1)
            lines.append(f"{database},{subject},{name},{label}\r\n")
        (root / self.last).write_bytes("".join(lines).encode())


def _database(clip: SyntheticClip) -> str:
    if clip.subject.isdigit():
        return "samm"
    return "casme2" if clip.subject.startswith("sub") else "smic"
