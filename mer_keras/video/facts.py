"""What a recording is, in numbers: from its header and the first pass over its frames."""

from dataclasses import asdict, dataclass

import numpy as np

from mer_keras.video.survey import Survey
from mer_keras.video.timing import frame_rate, is_variable


@dataclass(frozen=True)
class VideoFacts:
    """Facts of a recording.

    Attributes:
        name: of the file or folder, without the folders above it.
        sha256: digest of the file.
        kind: ``video`` or ``images``.
        container: what kind of file it is.
        codec: four letters of the coding.
        width: of the first frame in pixels, as shown.
        height: likewise.
        rotation: degrees by which the header turns frames for showing.
        frames: how many can be decoded.
        claimed_frames: how many the header claims; 0 where it claims none.
        seconds: from the first to the last frame.
        fps: by the usual step between time stamps; 0 for one frame.
        claimed_fps: by the header, or as the user said.
        variable_rate: more than one step in a hundred is off the median by a quarter or more.
        longest_step: seconds between neighbours, at most.
        repeated_share: share of the frames that equal the one before.
        bits_per_pixel: of the coded file, sound included; None for images.
        brightness: mean gray level, 0..255.
        cuts: how often the picture changes at once.
        size_changes: how often frames change their size.
        looks: how many frames were looked at for a face.
        face_share: share of these with a face.
        several_faces_share: share of these with more than one.
        face_px: median side of the face's square in pixels; None without a face.
        eyes_px: median distance between the pupils; None if unknown.
        finder: what looked for the face: ``haar``, ``mesh``, or ``centre``, which takes the middle
            of every frame for one.
    """

    name: str
    sha256: str
    kind: str
    container: str
    codec: str
    width: int
    height: int
    rotation: int
    frames: int
    claimed_frames: int
    seconds: float
    fps: float
    claimed_fps: float
    variable_rate: bool
    longest_step: float
    repeated_share: float
    bits_per_pixel: float | None
    brightness: float
    cuts: int
    size_changes: int
    looks: int
    face_share: float
    several_faces_share: float
    face_px: float | None
    eyes_px: float | None
    finder: str = "haar"

    def to_json(self) -> dict[str, object]:
        """Return all of them, JSON-ready."""
        return asdict(self)


def facts_of(survey: Survey) -> VideoFacts:
    """Collect the facts of a recording."""
    recording, times = survey.recording, survey.times
    height, width = survey.shape
    steps = np.diff(times)
    seen = [look.face for look in survey.looks if look.face is not None]
    pixels = len(times) * height * width
    is_video = recording.kind == "video"
    return VideoFacts(
        name=recording.name,
        sha256=survey.sha256,
        kind=recording.kind,
        container=recording.container,
        codec=recording.codec,
        width=width,
        height=height,
        rotation=recording.rotation,
        frames=len(times),
        claimed_frames=recording.claimed_frames,
        seconds=float(times[-1]),
        fps=frame_rate(times) if len(times) > 1 else 0.0,
        claimed_fps=recording.claimed_fps,
        variable_rate=is_variable(times),
        longest_step=float(steps.max()) if len(steps) else 0.0,
        repeated_share=survey.repeated / max(1, len(times) - 1),
        bits_per_pixel=8 * recording.bytes / pixels if is_video else None,
        brightness=survey.brightness,
        cuts=survey.cuts,
        size_changes=survey.sizes,
        looks=len(survey.looks),
        face_share=len(seen) / len(survey.looks),
        several_faces_share=sum(face.faces > 1 for face in seen) / len(survey.looks),
        face_px=_median([face.side for face in seen]),
        eyes_px=_median([face.eyes_px for face in seen]),
        finder=survey.finder,
    )


def _median(values: list[float]) -> float | None:
    finite = [value for value in values if np.isfinite(value)]
    return float(np.median(finite)) if finite else None
