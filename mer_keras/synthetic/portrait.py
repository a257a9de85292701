"""The picture of a procedural face at rest.

Everything is a smooth function of the face coordinates (see ``face_traits``): edges are a logistic
step of about a pixel, so the picture can be resampled at sub-pixel offsets.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_keras.synthetic.face_traits import FaceTraits

Image = NDArray[np.floating]


def grid(size: int) -> tuple[Image, Image]:
    """Return the face coordinates x and y of the pixel centres, each (size, size) float32."""
    line = (np.arange(size, dtype=np.float32) + 0.5) * np.float32(2 / size) - 1
    x, y = np.meshgrid(line, line)
    return x, y


def render_neutral(face: FaceTraits, size: int) -> NDArray[np.float32]:
    """Draw a face at rest.

    Args:
        face: whose face.
        size: side of the square picture in pixels.

    Returns:
        Float32 array (size, size) with values in 0..1.
    """
    x, y = grid(size)
    rng = np.random.default_rng(face.texture)
    edge = max(0.012, 1.2 / size)
    face_edge = _head(face, x, y)
    inside = _step(face_edge, edge)
    picture: Image = face.background + 0.10 * (face.light_x * x - y)
    picture = _over(picture, face.skin * 0.62, _neck(face, x, y, edge))
    strands = 0.05 * _noise(rng, size, 0.02, 0.12)
    picture = _over(picture, face.hair * 0.8 + strands, _hair_behind(face, x, y, edge))
    for side in (-1, 1):
        ear = _ellipse(x - side * face.face_width, y - face.eye_y - 0.1, 0.07, 0.17)
        picture = _over(picture, face.skin * 0.8, _step(ear, edge))
    picture = _over(picture, _skin(face, x, y, face_edge, rng), inside)
    picture = _nose(face, x, y, picture)
    picture = _mouth(face, x, y, picture, edge)
    for side in (-1, 1):
        picture = _eye(face, side * x, y, picture, edge, side * face.gaze)
        picture = _brow(face, side * x, y, picture, edge)
    picture = _over(picture, face.hair + strands, _fringe(face, x, y, face_edge))
    return np.clip(picture, 0, 1).astype(np.float32)


def _step(value: Image, width: float) -> Image:
    """Smooth step: 0 where ``value`` is far below zero, 1 far above, in about ``width``."""
    return 1 / (1 + np.exp(np.clip(-value * (2 / width), -40, 40)))


def _bell(dx: Image, dy: Image, width: float, height: float) -> Image:
    return np.exp(-0.5 * ((dx / width) ** 2 + (dy / height) ** 2))


def _ellipse(dx: Image, dy: Image, width: float, height: float) -> Image:
    """Roughly the signed distance to an ellipse's edge, positive inside."""
    return (1 - np.sqrt((dx / width) ** 2 + (dy / height) ** 2)) * min(width, height)


def _over(below: Image | float, above: Image | float, alpha: Image) -> Image:
    return below + (above - below) * alpha


def _noise(rng: np.random.Generator, size: int, across: float, down: float) -> Image:
    """Unit-variance noise, smooth over the given lengths; the same field at every size."""
    coarse = rng.standard_normal((192, 192)).astype(np.float32)
    smooth = cv2.GaussianBlur(coarse, (0, 0), sigmaX=across * 96, sigmaY=down * 96)
    field = cv2.resize(smooth, (size, size), interpolation=cv2.INTER_CUBIC)
    return field / np.float32(smooth.std())


def _head(face: FaceTraits, x: Image, y: Image) -> Image:
    """Roughly the distance inside the face's outline, in which the jaw is narrower."""
    width = face.face_width * (1 - face.jaw * np.clip(y, 0, None) ** 1.5)
    across, down = np.abs(x) / width, np.abs(y - 0.02) / face.face_height
    return (1 - (across**2.2 + down**2.2) ** (1 / 2.2)) * np.float32(face.face_width)


def _neck(face: FaceTraits, x: Image, y: Image, edge: float) -> Image:
    return _step(0.62 * face.face_width - np.abs(x), edge * 2) * _step(y - 0.5, edge * 2)


def _hair_behind(face: FaceTraits, x: Image, y: Image, edge: float) -> Image:
    """The hair's outline: a cap around the skull that may fall beside the cheeks."""
    cap = _ellipse(x, y + 0.08, face.face_width + 0.10, face.face_height + 0.02)
    return _step(cap, edge * 2) * _step(face.hair_length * 1.5 - 0.45 - y, 0.15)


def _fringe(face: FaceTraits, x: Image, y: Image, face_edge: Image) -> Image:
    line = face.hairline + 0.35 * (x - 0.4 * face.parting) ** 2
    return _step(line - y, 0.05) * _step(face_edge + 0.06, 0.03)


def _skin(
    face: FaceTraits, x: Image, y: Image, face_edge: Image, rng: np.random.Generator
) -> Image:
    """Skin with a rounded head's shading, blotches, pores and, for some, stubble."""
    size = x.shape[0]
    lit = face.light_x * x + face.light_y * y
    tone = face.skin * (1 + face.light * lit - 0.22 * np.exp(-np.clip(face_edge, 0, None) / 0.09))
    tone = tone + 0.018 * _noise(rng, size, 0.12, 0.12) + 0.010 * _noise(rng, size, 0.04, 0.04)
    spots = _noise(rng, size, 0.02, 0.02)
    tone = tone - face.freckles * np.clip(spots - 0.6, 0, None)
    for side in (-1, 1):
        cheek = _bell(side * x - face.eye_x - 0.06, y - face.eye_y - 0.28, 0.16, 0.12)
        tone = tone + 0.05 * cheek * (1 + 0.8 * side * face.light_x)
    beard = _step(y - 0.28, 0.12) * (1 - _bell(x, y - 0.2, 0.35, 0.12))
    growth = max(face.stubble, 0.0) * (1 + 0.5 * _noise(rng, size, 0.015, 0.015))
    tone = tone - growth * beard
    # The chin is round, so that its motion shows.
    return (
        tone
        + 0.04 * _bell(x, y - face.mouth_y - 0.27, 0.14, 0.07)
        - 0.05 * _bell(x, y - face.mouth_y - 0.16, 0.18, 0.035)
    )


def _nose(face: FaceTraits, x: Image, y: Image, picture: Image) -> Image:
    tip = face.eye_y + face.nose_length
    bridge = np.exp(-0.5 * ((y - (face.eye_y + tip) / 2) / (0.42 * face.nose_length)) ** 2)
    picture = picture + 0.07 * bridge * np.exp(-0.5 * (x / 0.045) ** 2)
    for side in (-1, 1):
        shade = 0.08 + 0.05 * side * -face.light_x
        flank = np.exp(-0.5 * ((side * x - 0.6 * face.nose_width) / 0.045) ** 2)
        picture = picture - face.skin * shade * bridge * flank
        wing = _bell(side * x - face.nose_width, y - tip + 0.04, 0.03, 0.05)
        nostril = _bell(side * x - 0.5 * face.nose_width, y - tip - 0.005, 0.03, 0.016)
        picture = picture - face.skin * (0.16 * wing + 0.50 * nostril)
        # The fold runs from the nose's wing towards the mouth's corner.
        along = np.clip((y - tip) / (face.mouth_y - tip + 0.02), 0, 1)
        path = face.nose_width + 0.04 + (face.mouth_width - face.nose_width + 0.03) * along
        fold = np.exp(-0.5 * ((side * x - path) / 0.022) ** 2)
        reach = _step(y - tip + 0.06, 0.06) * _step(face.mouth_y + 0.02 - y, 0.08)
        picture = picture - face.fold * fold * reach
    picture = picture + 0.06 * _bell(x - 0.02 * face.light_x, y - tip + 0.07, 0.05, 0.04)
    return picture - face.skin * 0.14 * _bell(x, y - tip - 0.03, 0.8 * face.nose_width, 0.018)


def _mouth(face: FaceTraits, x: Image, y: Image, picture: Image, edge: float) -> Image:
    across = x / face.mouth_width
    body = np.sqrt(np.clip(1 - across**2, 0, 1))
    line = face.mouth_y - face.mouth_curve * across**2
    bow = 1 - 0.28 * np.exp(-0.5 * (across / 0.16) ** 2) + 0.12 * np.cos(np.pi * across)
    top = line - face.upper_lip * body * bow
    bottom = line + face.lower_lip * body**1.3
    upper = _step(y - top, edge) * _step(line - y, edge) * _step(1 - np.abs(across), 0.1)
    lower = _step(bottom - y, edge) * _step(y - line, edge) * _step(1 - np.abs(across), 0.1)
    picture = _over(picture, picture * 0.64, upper)
    picture = _over(picture, picture * 0.76, lower)
    shine = _bell(x, y - line - 0.45 * face.lower_lip, 0.45 * face.mouth_width, 0.018)
    picture = picture + 0.06 * shine
    slit = np.exp(-0.5 * ((y - line) / 0.011) ** 2) * _step(1.03 - np.abs(across), 0.08)
    corners = _bell(np.abs(x) - face.mouth_width, y - face.mouth_y + face.mouth_curve, 0.022, 0.02)
    return picture * (1 - 0.55 * slit - 0.25 * corners)


def _eye(face: FaceTraits, x: Image, y: Image, picture: Image, edge: float, gaze: float) -> Image:
    dx, dy = x - face.eye_x, y - face.eye_y
    picture = picture * (1 - 0.16 * _bell(dx, dy + 0.02, 0.20, 0.11))
    across = dx / face.eye_width
    lid = np.clip(1 - across**2, 0, 1)
    top = -face.eye_height * lid**0.8 - 0.012 * across
    bottom = 0.62 * face.eye_height * lid - 0.012 * across
    opening = _step(dy - top, edge) * _step(bottom - dy, edge)
    opening = opening * _step(1 - np.abs(across), 0.08)
    white = min(0.92, face.skin + 0.25)
    ball = white - 0.20 * np.abs(across) ** 2 - 0.25 * np.exp(-np.clip(dy - top, 0, None) / 0.03)
    centre = np.sqrt((dx - gaze) ** 2 + (dy + 0.01) ** 2)
    ball = _over(ball, 0.10 + 0.5 * face.hair, _step(face.iris - centre, edge))
    ball = _over(ball, 0.03, _step(0.45 * face.iris - centre, edge))
    ball = ball + 0.55 * _bell(dx - gaze + 0.022, dy + 0.035, 0.014, 0.014)
    picture = _over(picture, ball, opening)
    inside = _step(1.06 - np.abs(across), 0.1)
    lash = np.exp(-0.5 * ((dy - top) / 0.014) ** 2) * inside
    crease = np.exp(-0.5 * ((dy - top + 0.055) / 0.014) ** 2) * inside
    under = np.exp(-0.5 * ((dy - bottom) / 0.012) ** 2) * inside
    bag = np.exp(-0.5 * ((dy - bottom - 0.055) / 0.02) ** 2) * inside
    return picture * (1 - 0.72 * lash) * (1 - 0.2 * crease - 0.25 * under - 0.07 * bag)


def _brow(face: FaceTraits, x: Image, y: Image, picture: Image, edge: float) -> Image:
    along = (x - face.eye_x + 0.18) / 0.40  # It is 0 at the inner end and 1 at the outer.
    middle = face.brow_y - face.brow_arch * np.sin(np.pi * np.clip(along, 0, 1) ** 1.2)
    middle = middle + face.brow_tilt * (along - 0.4) + 0.03 * np.clip(along - 0.6, 0, None)
    half = face.brow_thickness * (1 - 0.65 * np.clip(along, 0, 1) ** 2)
    ends = _step(along, 0.12) * _step(1 - along, 0.12)
    hairs = _step(half - np.abs(y - middle), max(edge, 0.025)) * ends
    tone = min(face.hair * 0.8 + 0.02, face.skin * 0.62)
    return _over(picture, tone, 0.88 * hairs)
