"""A synthetic CK+: its files of emotions."""

from collections.abc import Sequence
from pathlib import Path

from mer_keras.synthetic.layout import Layout
from mer_keras.synthetic.synthetic_clip import SyntheticClip


class CkPlus(Layout):
    """The layout of CK+. Sequences without a label have the emotion "other"."""

    def write_tables(self, root: Path, clips: Sequence[SyntheticClip]) -> None:
        """Write one file a labelled sequence; half of the others have an empty folder."""
        numbers = {emotion: number for number, emotion in enumerate(self.emotions, start=1)}
        for clip in clips:
            folder = root / "Emotion" / clip.subject / clip.name
            labelled = clip.emotion != "other"
            if labelled or clip.index % 2:
                folder.mkdir(parents=True, exist_ok=True)
            if labelled:
                name = f"{clip.subject}_{clip.name}_{clip.offset:08d}_emotion.txt"
                text = f"   {numbers[clip.emotion]:.7e}\n"
                (folder / name).write_text(text, encoding="ascii")
        super().write_tables(root, clips)
