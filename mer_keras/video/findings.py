"""What is wrong with a recording, and what to do about it."""

from typing import Literal, NamedTuple

from mer_keras.video.facts import VideoFacts

Level = Literal["refuse", "warn", "note"]

#: The order in which findings are listed.
LEVELS: tuple[Level, ...] = ("refuse", "warn", "note")
#: Frame rates: below the first nothing is spotted, below the second a warning stands.
LEAST_FPS, GOOD_FPS = 23.9, 59.9
#: Distances between the pupils in pixels, likewise.
LEAST_EYES, GOOD_EYES = 20.0, 60.0
#: Headers may promise so many frames too many, or this share, without a warning.
_FEW_MISSING, _SHARE_MISSING = 5, 0.01
#: Shares of frames.
_MUCH_REPEATED, _FACE_ALWAYS, _FACE_HARDLY, _OFTEN_SEVERAL = 0.2, 0.95, 0.1, 0.05
#: Bits a pixel below which coding smooths small motion away.
_FEW_BITS = 0.05
#: Mean gray levels that are dark or glaring.
_DARK, _GLARING = 50.0, 215.0

HOW_TO_RECORD = (
    "100 frames a second or more (a phone's slow motion gives 120 or 240), at a constant rate",
    "face from the front, at least 250 pixels wide, nothing over it",
    "still, even light; exposure of at most 1/250 s",
    "fixed camera; no stabilisation, no beauty filter, highest quality of coding",
    "the camera's own file, not one that a messenger or an editor has coded anew",
)


class Finding(NamedTuple):
    """Something that makes a recording less fit.

    Attributes:
        level: ``refuse``: nothing can be spotted in it; ``warn``: results are less sure; ``note``:
            good to know.
        code: a short name.
        message: what was found, in a sentence.
        remedy: what to do about it; empty if nothing need be.
    """

    level: Level
    code: str
    message: str
    remedy: str = ""


def findings_of(facts: VideoFacts) -> list[Finding]:
    """Return what is wrong with a recording, the gravest first."""
    findings = [*_of_time(facts), *_of_face(facts), *_of_picture(facts)]
    return sorted(findings, key=lambda finding: LEVELS.index(finding.level))


def _of_time(facts: VideoFacts) -> list[Finding]:
    findings = []
    missing = facts.claimed_frames - facts.frames
    if missing > 0:
        few = missing <= max(_FEW_MISSING, _SHARE_MISSING * facts.claimed_frames)
        text = (
            f"{facts.frames} of {facts.claimed_frames} frames that the header claims can be decoded"
        )
        remedy = "" if few else "the file's end is damaged or cut off: copy it anew"
        findings.append(Finding("note" if few else "warn", "missing_frames", text, remedy))
    if facts.fps < LEAST_FPS:
        text = f"{facts.fps:.1f} frames a second: a micro-expression of 1/5 s has fewer than five"
        findings.append(Finding("refuse", "slow", text, "record at 100 frames a second or more"))
    elif facts.fps < GOOD_FPS:
        text = (
            f"{facts.fps:.1f} frames a second: a micro-expression of 1/5 s has "
            f"{facts.fps / 5:.0f} frames, one of 1/25 s {max(1, round(facts.fps / 25))}"
        )
        findings.append(Finding("warn", "low_rate", text, "record at 100 frames a second or more"))
    if facts.variable_rate:
        text = (
            f"variable frame rate (up to {1000 * facts.longest_step:.0f} ms between frames): times "
            "are those of the file's stamps"
        )
        findings.append(
            Finding("note", "variable_rate", text, "set a constant rate if there is one")
        )
    if facts.repeated_share > _MUCH_REPEATED:
        text = (
            f"{facts.repeated_share:.0%} of the frames equal the one before: the true rate is lower"
        )
        findings.append(Finding("warn", "repeated", text, "use the camera's own file and rate"))
    if facts.cuts:
        text = f"{facts.cuts} cut(s): nothing is compared across them"
        findings.append(Finding("note", "cuts", text))
    if facts.size_changes:
        text = f"frames change their size {facts.size_changes} time(s): each part stands alone"
        findings.append(Finding("warn", "size_changes", text, "use the camera's own file"))
    return findings


def _of_face(facts: VideoFacts) -> list[Finding]:
    findings = []
    if facts.face_share < _FACE_HARDLY:
        text = f"a face in {facts.face_share:.0%} of {facts.looks} frames that were looked at"
        findings.append(Finding("refuse", "no_face", text, "film the face from the front"))
    elif facts.face_share < _FACE_ALWAYS:
        text = f"a face in {facts.face_share:.0%} of {facts.looks} frames that were looked at"
        findings.append(Finding("warn", "face_lost", text, "keep the face in the picture"))
    if facts.several_faces_share > _OFTEN_SEVERAL:
        text = (
            f"more than one face in {facts.several_faces_share:.0%} of the frames that were looked "
            "at: the largest is taken"
        )
        findings.append(Finding("warn", "several_faces", text, "film one person"))
    if facts.eyes_px is not None and facts.eyes_px < GOOD_EYES:
        level: Level = "refuse" if facts.eyes_px < LEAST_EYES else "warn"
        text = f"{facts.eyes_px:.0f} pixels between the eyes: small motion is lost in noise"
        findings.append(Finding(level, "small_face", text, "move the camera nearer"))
    return findings


def _of_picture(facts: VideoFacts) -> list[Finding]:
    findings = []
    if facts.bits_per_pixel is not None and facts.bits_per_pixel < _FEW_BITS:
        text = f"{facts.bits_per_pixel:.3f} bits a pixel: such coding smooths small motion away"
        findings.append(Finding("note", "compressed", text, "record in the highest quality"))
    if not _DARK <= facts.brightness <= _GLARING:
        word = "dark" if facts.brightness < _DARK else "glaring"
        text = f"the picture is {word} (mean gray level {facts.brightness:.0f} of 255)"
        findings.append(Finding("note", "light", text, "use still, even light"))
    if facts.rotation:
        text = f"the header turns frames by {facts.rotation} degrees, which is done"
        findings.append(Finding("note", "rotation", text))
    return findings
