"""Procedural faces that move by action units: nobody's face, everybody's muscles.

A face is a picture at rest (see ``portrait``) warped by the sum of its action units' smooth
displacement fields, times an intensity that rises from onset to apex and falls to offset. The
motion is one to three pixels at 90 pixels, as in a micro-expression. The head drifts a little, the
light flickers and the sensor is noisy; none of this changes when the motion is switched off.
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import yaml
from numpy.typing import NDArray

from mer_keras.synthetic.face_traits import FaceTraits
from mer_keras.synthetic.portrait import grid, render_neutral

#: Displacements and drift are given in pixels of a frame of this side, and scale with the frame.
REFERENCE_SIZE = 90
#: Intensity of an expression at its offset: faces seldom return all the way.
RESIDUE = 0.1

_SUPERSAMPLING = 3
#: Amplitude of the head's drift and largest shift of its place, in pixels at the reference size.
_DRIFT, _PLACEMENT = 0.18, 0.4
#: Flicker of the light, as a share of the brightness.
_FLICKER = 0.006
#: Standard deviation of the sensor's noise, in grey levels of 255.
_NOISE = 1.6
#: Share of the brightness that is lost where the skin is compressed to nothing.
_CREASE = 0.25


class Bump(NamedTuple):
    """One Gaussian push of the skin.

    ``out`` is away from the face's middle line, ``down`` towards the chin; ``wide`` and ``high``
    are standard deviations in face coordinates.
    """

    landmark: str
    out: float
    down: float
    wide: float
    high: float


#: What each action unit moves, in units of its strongest push.
ACTION_UNITS: dict[str, list[Bump]] = {
    code: [Bump(*bump) for bump in bumps]
    for code, bumps in yaml.safe_load(
        Path(__file__).with_name("action_units.yaml").read_text(encoding="utf-8")
    ).items()
}


def displacement(
    action_units: Mapping[str, float],
    size: int,
    *,
    face: FaceTraits | None = None,
    peak: float | None = None,
) -> NDArray[np.float32]:
    """Sum the displacement fields of some action units at full strength of the course.

    Args:
        action_units: code -> intensity. A code is a key of ``ACTION_UNITS``; with the prefix ``L``
            or ``R`` it moves only the person's left (the picture's right) or right side. Intensity
            1 is a push of one pixel at ``REFERENCE_SIZE``.
        size: side of the frame in pixels.
        face: whose landmarks the units move; the average face's by default.
        peak: if given, the sum is scaled so that its longest displacement is this many pixels at
            ``REFERENCE_SIZE``, whatever the intensities (only their ratios count then).

    Returns:
        Float32 array (size, size, 2): how far what shows at each pixel at the apex has come, to
        the right and down, from where it was at rest.

    Raises:
        KeyError: a code names no known action unit.
    """
    x, y = grid(size)
    marks = (face or FaceTraits.average()).landmarks()
    field = np.zeros((size, size, 2), np.float32)
    for code, intensity in action_units.items():
        sides = {"L": (1,), "R": (-1,)}.get(code[0], (-1, 1))
        for bump in ACTION_UNITS[code.lstrip("LR")]:
            mark_x, mark_y = marks[bump.landmark]
            for side in sides:
                bell = np.exp(
                    -0.5 * ((side * x - mark_x) / bump.wide) ** 2
                    - 0.5 * ((y - mark_y) / bump.high) ** 2
                )
                field[..., 0] += intensity * side * bump.out * bell
                field[..., 1] += intensity * bump.down * bell
    longest = float(np.sqrt((field**2).sum(axis=-1)).max())
    if peak is not None and longest > 0:
        field *= peak / longest
    return field * np.float32(size / REFERENCE_SIZE)


def intensity_at(frame: float, onset: float, apex: float, offset: float) -> float:
    """Return the intensity of the expression at a frame.

    Args:
        frame: frame number, on the scale of the three that follow.
        onset: last frame at rest; the intensity is zero here and before.
        apex: frame of the full expression, where it is one.
        offset: last frame; ``RESIDUE`` is left here and after.

    Returns:
        A number from 0 to 1, smooth in between (half a cosine each way).
    """
    if frame == apex:
        return 1.0
    if frame <= onset:
        return 0.0
    if frame >= offset:
        return RESIDUE
    if frame < apex:
        return 0.5 - 0.5 * float(np.cos(np.pi * (frame - onset) / (apex - onset)))
    falling = 0.5 + 0.5 * float(np.cos(np.pi * (frame - apex) / (offset - apex)))
    return RESIDUE + (1 - RESIDUE) * falling


def render_clip(
    face: FaceTraits,
    action_units: Mapping[str, float],
    *,
    onset: int,
    apex: int,
    offset: int,
    rng: np.random.Generator,
    first: int | None = None,
    last: int | None = None,
    size: int = 96,
    peak: float | None = None,
    motion: bool = True,
) -> NDArray[np.uint8]:
    """Render one expression.

    The skin is moved by looking up where it came from, and where the field squeezes it it darkens
    a little, as creases do, and brightens where it is stretched.

    Args:
        face: whose face.
        action_units: see ``displacement``.
        onset: last frame at rest.
        apex: frame of the full expression.
        offset: last frame of the expression (inclusive).
        rng: draws placement, drift, flicker and noise; the draws don't depend on ``motion``.
        first: first frame that is rendered; by default the onset.
        last: last frame that is rendered; by default the offset.
        size: side of the square frames in pixels.
        peak: see ``displacement``.
        motion: without it the face never moves by action units; all else stays the same.

    Returns:
        uint8 array (frames, size, size), one frame for each number from ``first`` to
        ``last``.
    """
    start = onset if first is None else first
    count = (offset if last is None else last) - start + 1
    scale = size / REFERENCE_SIZE
    shift = (_drift(rng, count) * scale).astype(np.float32)  # (frames, 2)
    light = 1 + _FLICKER * (0.5 * rng.standard_normal(count) + _wave(rng, count))
    noise = rng.standard_normal((count, size, size), dtype=np.float32) * np.float32(_NOISE)

    fine = _fine_picture(face, size)  # (3 size, 3 size)
    field = displacement(action_units, size, face=face, peak=peak)  # (size, size, 2)
    crease = _CREASE * (
        np.gradient(field[..., 0], axis=1) + np.gradient(field[..., 1], axis=0)
    ).astype(np.float32)
    pixels = np.arange(size, dtype=np.float32)
    column, row = np.meshgrid(pixels, pixels)
    frames = np.empty((count, size, size), np.uint8)
    for k in range(count):
        share = np.float32(intensity_at(start + k, onset, apex, offset) if motion else 0)
        from_x = (column - field[..., 0] * share - shift[k, 0] + 0.5) * _SUPERSAMPLING
        from_y = (row - field[..., 1] * share - shift[k, 1] + 0.5) * _SUPERSAMPLING
        frame = cv2.remap(
            fine, from_x - 0.5, from_y - 0.5, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        frame = frame * (np.float32(light[k]) + share * crease)
        frames[k] = np.clip(frame + noise[k] + 0.5, 0, 255)
    return frames


@lru_cache(maxsize=64)  # A subject appears in several clips.
def _fine_picture(face: FaceTraits, size: int) -> NDArray[np.float32]:
    """Return the face at rest, finer than the frames, in grey levels from 0 to 255."""
    fine = render_neutral(face, size * _SUPERSAMPLING) * np.float32(255)
    # Each output pixel looks at one point of the finer picture: average what it would cover.
    return cv2.blur(fine, (_SUPERSAMPLING, _SUPERSAMPLING))


def _wave(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Draw a slow sine of amplitude one: less than one period over the clip, any phase."""
    periods, phase = rng.uniform(0.2, 0.9), rng.uniform(0, 2 * np.pi)
    return np.sin(phase + 2 * np.pi * periods * np.arange(count) / max(count - 1, 1))


def _drift(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Draw the head's shift in each frame, (frames, 2): a place of its own and a slow drift."""
    placement = rng.uniform(-_PLACEMENT, _PLACEMENT, size=2)
    sway = np.stack([_wave(rng, count), _wave(rng, count)], axis=1)  # (frames, 2)
    return placement + _DRIFT * rng.uniform(0.3, 1.0, size=2) * sway
