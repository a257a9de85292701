"""Traits of procedural faces: what makes one subject look unlike another.

Face coordinates: x to the right and y downwards, both from -1 to 1 over the square frame, so that
one unit is 45 pixels in a 90-pixel frame.
"""

from dataclasses import dataclass
from typing import Annotated, get_type_hints

import numpy as np

Point = tuple[float, float]


@dataclass(frozen=True)
class FaceTraits:
    """What makes one subject look unlike another; lengths in face coordinates, tones in 0..1.

    Each trait stands with its range. Shapes vary by some per cent, as faces do after alignment;
    tones, light and hair vary widely, so that a subject looks more like itself than like anybody
    else.
    """

    face_width: Annotated[float, 0.62, 0.76]
    face_height: Annotated[float, 0.86, 0.98]
    jaw: Annotated[float, 0.02, 0.24]  # The jaw is narrower than the cheekbones by this share.
    eye_x: Annotated[float, 0.29, 0.35]
    eye_y: Annotated[float, -0.175, -0.125]
    eye_width: Annotated[float, 0.135, 0.18]
    eye_height: Annotated[float, 0.05, 0.085]
    iris: Annotated[float, 0.055, 0.075]
    gaze: Annotated[float, -0.02, 0.02]
    brow_y: Annotated[float, -0.40, -0.345]
    brow_thickness: Annotated[float, 0.022, 0.05]
    brow_arch: Annotated[float, 0.02, 0.09]
    brow_tilt: Annotated[float, -0.05, 0.03]
    nose_length: Annotated[float, 0.33, 0.40]  # It is measured from the eye line to the nostrils.
    nose_width: Annotated[float, 0.10, 0.16]
    mouth_y: Annotated[float, 0.465, 0.525]
    mouth_width: Annotated[float, 0.21, 0.28]
    upper_lip: Annotated[float, 0.04, 0.075]
    lower_lip: Annotated[float, 0.055, 0.095]
    mouth_curve: Annotated[float, -0.02, 0.02]
    hairline: Annotated[float, -0.84, -0.60]
    parting: Annotated[float, -0.5, 0.5]
    hair_length: Annotated[float, 0.0, 1.0]
    skin: Annotated[float, 0.44, 0.80]
    hair: Annotated[float, 0.06, 0.36]
    background: Annotated[float, 0.25, 0.85]
    light_x: Annotated[float, -0.8, 0.8]
    light_y: Annotated[float, -0.7, 0.1]
    light: Annotated[float, 0.10, 0.32]
    fold: Annotated[float, 0.01, 0.07]  # It is the depth of the line from nose to mouth corner.
    stubble: Annotated[float, -0.08, 0.06]  # There is none at or below zero.
    freckles: Annotated[float, 0.005, 0.028]
    texture: int

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "FaceTraits":
        """Draw every trait uniformly from its range."""
        traits = {name: float(rng.uniform(low, high)) for name, (low, high) in RANGES.items()}
        return cls(**traits, texture=int(rng.integers(2**31)))

    @classmethod
    def average(cls) -> "FaceTraits":
        """Return the traits in the middle of every range, for landmarks of no particular face."""
        return cls(**{name: (low + high) / 2 for name, (low, high) in RANGES.items()}, texture=0)

    def landmarks(self) -> dict[str, Point]:
        """Return the points that action units move, on the picture's right half.

        Those of the left half have the opposite x.
        """
        nose_y = self.eye_y + self.nose_length
        return {
            "inner_brow": (self.eye_x - 0.15, self.brow_y),
            "middle_brow": (self.eye_x + 0.02, self.brow_y - self.brow_arch / 2),
            "outer_brow": (self.eye_x + 0.18, self.brow_y),
            "upper_lid": (self.eye_x, self.eye_y - self.eye_height),
            "lower_lid": (self.eye_x, self.eye_y + 0.7 * self.eye_height),
            "cheek": (self.eye_x + 0.06, self.eye_y + 0.24),
            "nose_root": (0.06, self.eye_y - 0.02),
            "nose_wing": (self.nose_width, nose_y - 0.04),
            "upper_lip": (0.09, self.mouth_y - self.upper_lip),
            "lower_lip": (0.09, self.mouth_y + self.lower_lip),
            "corner": (self.mouth_width, self.mouth_y - self.mouth_curve),
            "chin": (0.08, self.mouth_y + 0.27),
        }


#: Range of each trait.
RANGES: dict[str, tuple[float, float]] = {
    name: hint.__metadata__
    for name, hint in get_type_hints(FaceTraits, include_extras=True).items()
    if name != "texture"
}
