"""Which clips an experiment is about, and what is done about faults in them."""

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

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
    motionless: Literal["keep", "exclude"] = "keep"
    """Nothing moves in what an input reads of a clip (see ``clips.motionless``): it is kept and
    remarked, or left out.
    """


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
    synthetic_strength: float = Field(default=1.0, gt=0, le=4)
    """Synthetic data only: length of the motion, as a multiple of a micro-expression's."""

    @property
    def databases(self) -> tuple[str, ...]:
        """The databases, one or more."""
        return (self.database,) if isinstance(self.database, str) else self.database

    def scheme_of(self, database: str) -> str:
        """Name of a database's label scheme."""
        return self.labels if isinstance(self.labels, str) else self.labels[database]

    @field_validator("database")
    @classmethod
    def _each_database_once(cls, names: str | tuple[str, ...]) -> str | tuple[str, ...]:
        """Refuse a name that stands twice; a list of one is that one."""
        listed = (names,) if isinstance(names, str) else names
        if not listed or len(set(listed)) != len(listed):
            raise ValueError(f"'database' must name different databases, found {listed}")
        return listed[0] if len(listed) == 1 else listed

    @field_validator("labels")
    @classmethod
    def _one_scheme_for_each(
        cls, labels: str | dict[str, str], info: ValidationInfo
    ) -> str | dict[str, str]:
        """Check who has a scheme; one scheme for all databases is written once."""
        database = info.data.get("database")  # It is absent if it has an error of its own.
        if isinstance(labels, str) or database is None:
            return labels
        databases = (database,) if isinstance(database, str) else database
        if set(labels) != set(databases):
            raise ValueError(
                f"'labels' must have one scheme for each of {', '.join(databases)}, found "
                f"{', '.join(labels)}"
            )
        schemes = set(labels.values())
        return schemes.pop() if len(schemes) == 1 else labels
