"""How the clips of a stand-in are rendered, and how many."""

from dataclasses import dataclass

from mer_keras.synthetic.layout import Layout

#: Part of the cache folder's name: raise it whenever the same seed gives other files.
GENERATOR_VERSION = 3


@dataclass(frozen=True)
class StandInOptions:
    """How the clips of a stand-in are rendered, and how many.

    Attributes:
        seed: seeds everything that is drawn. The same seed gives the same bytes.
        motion: without it, nobody's face moves by action units; all else stays the same.
        strength: length of the motion, as a multiple of what the layout draws.
        size: side of the square frames in pixels; None: the layout's own.
        native: whether frames have the database's true size instead, with its camera's pictures.
        clips: only so many of the clips, evenly spaced over the table (to try something out); each
            has the same frames as in the whole database.
    """

    seed: int = 0
    motion: bool = True
    strength: float = 1.0
    size: int | None = None
    native: bool = False
    clips: int | None = None

    def key(self, layout: Layout) -> str:
        """Return the name of the cache folder of a database that is rendered in this way."""
        parts = [
            layout.name,
            f"v{GENERATOR_VERSION}",
            f"seed{self.seed}",
            "native" if self.native else f"{self.size or layout.size}px",
            "signal" if self.motion else "nosignal",
        ]
        if self.strength != 1:
            parts.append(f"strength{self.strength:g}")
        return "-".join(parts + ([] if self.clips is None else [f"{self.clips}clips"]))
