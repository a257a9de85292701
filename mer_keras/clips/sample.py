"""One row of the samples table, as far as its frames are concerned."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd


@dataclass(frozen=True)
class Sample:
    """A clip and its annotated frames; see ``databases.samples`` for the columns.

    Attributes:
        sample_id: database/subject/clip.
        database: name of the database.
        name: subject/clip.
        path: a folder of frames, an image, a video, a table of pixels or a flow image.
        onset: first frame number; None where nobody annotated it.
        apex: frame number of the strongest expression, likewise.
        offset: last frame number, likewise.
        fps: frames a second; None where it isn't known.
    """

    sample_id: str
    database: str
    name: str
    path: Path
    onset: int | None = None
    apex: int | None = None
    offset: int | None = None
    fps: float | None = None


def samples_of(table: pd.DataFrame) -> list[Sample]:
    """Return the rows of a samples table, in its order."""
    return [
        Sample(
            sample_id=str(row["sample_id"]),
            database=str(row["database"]),
            name=f"{row['subject']}/{row['clip']}",
            path=Path(row["path"]),
            onset=None if pd.isna(row["onset"]) else int(row["onset"]),
            apex=None if pd.isna(row["apex"]) else int(row["apex"]),
            offset=None if pd.isna(row["offset"]) else int(row["offset"]),
            fps=None if pd.isna(row["fps"]) else float(row["fps"]),
        )
        for row in table.to_dict("records")
    ]
