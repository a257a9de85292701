"""Which clips an experiment is about, and what is done about faults in them."""

from typing import Literal

from pydantic import Field, model_validator

from mer_keras.config.strict import StrictModel


class Policies(StrictModel):
    """What is done about faults that leave a choice. The defaults guess nothing."""

    frame_order: Literal["error", "exclude"] = "error"
    """Onset <= apex <= offset doesn't hold: stop, or leave the clip out."""
    apex: Literal["middle", "spot", "exclude"] = "middle"
    """Nobody annotated it: the middle frame stands in, it is spotted from optical flow (with onset
    and offset, where none of the three is annotated), or the clip is left out.
    """
    sizes: Literal["error", "resize"] = "error"
    """Frames of one clip differ in size: stop, or resize each."""
    face: Literal["centre", "exclude"] = "centre"
    """None is found: the centre of the frame stands in, or the clip is left out."""


class Data(StrictModel):
    """Which clips, and how their emotions become classes."""

    database: str | tuple[str, ...]
    """Name of a database, or of several that are pooled."""
    labels: str | dict[str, str]
    """Label scheme, or one for each of several databases; their classes must be the same."""
    frame_source: Literal["auto", "cropped", "raw"] = "auto"
    """Which frames are read: the database's own cropped faces, or the camera's pictures."""
    corrections: bool = True
    """Whether known errors of the official table are corrected (see ``databases.corrections``)."""
    policies: Policies = Policies()
    """What is done about faults that leave a choice."""
    synthetic_motion: bool = True
    """Synthetic data only: with ``false`` nothing moves, so that every method must be at chance."""
    synthetic_clips: int | None = Field(default=None, ge=1)
    """Synthetic data only: so many clips of each database, evenly spaced over its table."""

    @property
    def databases(self) -> tuple[str, ...]:
        """The databases, one or more."""
        return (self.database,) if isinstance(self.database, str) else self.database

    def scheme_of(self, database: str) -> str:
        """Name of a database's label scheme."""
        return self.labels if isinstance(self.labels, str) else self.labels[database]

    @model_validator(mode="after")
    def _each_database_once(self) -> "Data":
        if not self.databases or len(set(self.databases)) != len(self.databases):
            raise ValueError(f"'database' must name different databases, found {self.databases}")
        if isinstance(self.labels, dict) and set(self.labels) != set(self.databases):
            raise ValueError(
                f"'labels' must have one scheme for each of {', '.join(self.databases)}, found "
                f"{', '.join(self.labels)}"
            )
        return self
