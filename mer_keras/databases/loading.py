"""A reader's annotations -> samples: known corrections, policies, checks, in this order."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from mer_keras.config.data import Policies
from mer_keras.databases.corrections import apply_corrections
from mer_keras.databases.entry import Database
from mer_keras.databases.folders import require_frames
from mer_keras.databases.labels import plain_emotion
from mer_keras.databases.samples import ClipAnnotation, Excluded, Reading, Samples, make_samples
from mer_keras.errors import AnnotationError
from mer_keras.terms import DataKind


def finish(
    reading: Reading,
    data_kind: DataKind,
    *,
    database: Database | None = None,
    policies: Policies | None = None,
    corrections: bool = True,
) -> Samples:
    """Turn what a reader returned into a validated samples table.

    The table's own faults are reported before the disk's.

    Args:
        reading: what a reader returned.
        data_kind: kind of the frames in the database's folder.
        database: its entry, whose printed counts the table is compared with.
        policies: what to do about faults that leave a choice.
        corrections: apply the known corrections to the official table.

    Raises:
        AnnotationError: frame numbers out of order (unless the policy leaves such clips out), a
            clip twice, frames absent, or no clip left.
    """
    policies = policies or Policies()
    clips, remarks = list(reading.clips), list[str]()
    if corrections:
        clips, remarks = apply_corrections(clips, reading.frame_source)
    clips, disordered = _in_order(clips, policies, reading.source)
    clips, without_apex = _with_apex(clips, policies)
    samples = make_samples((clip.sample(data_kind) for clip in clips), source=str(reading.source))
    paths = [clip.path for clip in clips]
    if data_kind is DataKind.OWN:
        remedy = f"correct the paths in {reading.source.name}, which are relative to its folder"
        require_frames(paths, reading.source, reading.tree, remedy=remedy)
    else:
        require_frames(paths, reading.source, reading.tree)
    return Samples(
        samples.table,
        excluded=(*reading.excluded, *disordered, *without_apex),
        warnings=(*reading.warnings, *remarks, *_count_warnings(reading, database)),
        editions=(reading.edition,) if reading.edition else (),
        flow_images={clip.sample_id: clip.flow_images for clip in clips if clip.flow_images},
    )


def _count_warnings(reading: Reading, database: Database | None) -> list[str]:
    """Return a line where the table as it was read holds other counts than are printed."""
    if database is None or not database.counts:
        return []
    counts = Counter(plain_emotion(clip.emotion) for clip in reading.clips)
    printed = database.counts
    differing = [
        f"{emotion} {counts[emotion]} (printed: {printed.get(emotion, 0)})"
        for emotion in sorted({*counts, *printed})
        if counts[emotion] != printed.get(emotion, 0)
    ]
    people = len({(clip.database, clip.subject) for clip in reading.clips})
    if database.subjects not in (None, people):
        differing.append(f"subjects {people} (printed: {database.subjects})")
    return [f"{database.name}: other counts than printed: {', '.join(differing)}"] * bool(differing)


def _in_order(
    clips: Sequence[ClipAnnotation], policies: Policies, source: Path
) -> tuple[list[ClipAnnotation], list[Excluded]]:
    """Return the clips whose onset, apex and offset are in order, and the others."""
    ordered, excluded = [], []
    for clip in clips:
        marks = (("onset", clip.onset), ("apex", clip.apex), ("offset", clip.offset))
        annotated = [(name, frame) for name, frame in marks if frame is not None]
        swapped = [(a, b) for a, b in pairwise(annotated) if a[1] > b[1]]
        if not swapped:
            ordered.append(clip)
            continue
        (earlier, first), (later, second) = swapped[0]
        fault = f"{earlier} {first} after {later} {second}"
        if policies.frame_order == "error":
            where = f"row {clip.row}" if clip.row else f"clip {clip.clip!r}"
            raise AnnotationError(
                f"{source}: {where}: {fault}: expected onset <= apex <= offset; correct the table, "
                "or leave such clips out with data.policies.frame_order=exclude"
            )
        excluded.append(clip.left_out(fault))
    return ordered, excluded


def _with_apex(
    clips: Sequence[ClipAnnotation], policies: Policies
) -> tuple[list[ClipAnnotation], list[Excluded]]:
    """Return the clips whose apex is annotated, and the others, where the policy says so."""
    if policies.apex != "exclude":
        return list(clips), []
    annotated = [clip for clip in clips if clip.apex is not None]
    return annotated, [c.left_out("apex not annotated") for c in clips if c.apex is None]
