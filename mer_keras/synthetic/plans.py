"""What a synthetic database holds: its clips, their subjects, emotions, action units and frames.

Class and subject counts are those printed for the real databases. Who shows what, when and how
strongly is drawn from the seed; no annotation of a real clip is copied.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from mer_keras.errors import InvariantError

#: Emotion -> typical sets of action units, the commonest first; the share of clips is halved from
#: one to the next.
PROTOTYPES: dict[str, tuple[Mapping[str, float], ...]] = {
    "happiness": ({"6": 0.7, "12": 1.0}, {"12": 1.0}, {"6": 0.6, "12": 1.0, "25": 0.2}),
    "surprise": (
        {"1": 1.0, "2": 1.0, "5": 0.5},
        {"1": 1.0, "2": 1.0},
        {"1": 0.9, "2": 0.9, "25": 0.5},
    ),
    "anger": ({"4": 1.0, "7": 0.5}, {"4": 1.0}, {"4": 1.0, "7": 0.4, "24": 0.6}),
    "disgust": ({"9": 1.0, "4": 0.4}, {"10": 1.0}, {"9": 1.0}),
    "fear": ({"1": 0.8, "2": 0.5, "4": 0.7, "20": 1.0}, {"1": 0.9, "4": 0.6, "20": 1.0}),
    "sadness": ({"1": 0.7, "15": 1.0}, {"15": 1.0}, {"1": 0.7, "4": 0.4, "15": 1.0}),
    "contempt": ({"R14": 1.0}, {"L14": 1.0}),
    "other": ({"14": 0.7, "17": 1.0}, {"17": 1.0}, {"24": 1.0}, {"7": 1.0}),
}
for _mixed in ("others", "repression", "tense"):
    PROTOTYPES[_mixed] = PROTOTYPES["other"]
PROTOTYPES["neutral"] = ({},)

#: Longest displacement at the apex, in pixels of a 90-pixel frame. Mixed expressions are fainter.
PEAK = (2.2, 3.0)
PEAK_MIXED = (1.4, 2.4)
#: Of a macro-expression.
PEAK_MACRO = (5.0, 8.0)
_MIXED = frozenset({"other", "others", "repression", "tense"})


@dataclass(frozen=True)
class ClipPlan:
    """One clip before it is filmed.

    Attributes:
        index: its place in the whole plan, which seeds its frames.
        subject: as the database writes it.
        person: the subject's place in the list of subjects, which seeds the face.
        clip: the clip's name.
        emotion: in lower case.
        units: action unit -> intensity.
        peak: longest displacement at the apex, in pixels of a 90-pixel frame.
        onset: first frame number of the expression.
        apex: frame number of the full expression.
        offset: last frame number of the expression.
        first: first frame number that is filmed; None: the onset.
        last: last frame number that is filmed; None: the offset.
        digits: to which a frame number is padded (1: not at all).
        objective: objective class by action units, else 0.
        code: what the database's naming needs besides: which film was shown, which take.
        cells: column -> what the annotation table says instead of the truth.
    """

    index: int
    subject: str
    person: int
    clip: str
    emotion: str
    units: Mapping[str, float]
    peak: float
    onset: int
    apex: int
    offset: int
    first: int | None = None
    last: int | None = None
    digits: int = 1
    objective: int = 0
    code: int = 0
    cells: Mapping[str, Any] = field(default_factory=dict)

    @property
    def units_text(self) -> str:
        """The action units as coders write them, such as "6+12"."""
        return "+".join(sorted(self.units, key=lambda code: int(code.lstrip("LR"))))

    @property
    def filmed(self) -> range:
        """Frame numbers that are filmed."""
        first = self.onset if self.first is None else self.first
        last = self.offset if self.last is None else self.last
        return range(first, last + 1)


def draw_clip(
    rng: np.random.Generator,
    *,
    emotion: str,
    first: int,
    frames: int,
    peak: tuple[float, float] | None = None,
    prototype: str | None = None,
    extra: Mapping[str, float] | None = None,
    **other: Any,
) -> ClipPlan:
    """Draw how and how strongly an emotion shows, and when it peaks.

    Args:
        rng: draws all of it.
        emotion: of the clip.
        first: the onset.
        frames: from onset to offset, both included.
        peak: range of the longest displacement; by default that of a micro-expression.
        prototype: key of ``PROTOTYPES`` whose action units are shown; by default the emotion.
        extra: action units beside the prototype's.
        other: the remaining fields of ``ClipPlan``.
    """
    variants = PROTOTYPES[prototype or emotion]
    share = 0.5 ** np.arange(len(variants))
    units = variants[int(rng.choice(len(variants), p=share / share.sum()))]
    units = {**units, **(extra or {})}
    low, high = peak or (PEAK_MIXED if emotion in _MIXED else PEAK)
    return ClipPlan(
        emotion=emotion,
        units={code: weight * float(rng.uniform(0.75, 1.25)) for code, weight in units.items()},
        peak=float(rng.uniform(low, high)),
        onset=first,
        apex=first + round(float(rng.uniform(0.35, 0.6)) * (frames - 1)),
        offset=first + frames - 1,
        **other,
    )


def cast(
    rng: np.random.Generator,
    emotions: Mapping[str, int],
    people: int,
    only: Mapping[int, Collection[str]] | None = None,
) -> list[tuple[int, str]]:
    """Deal clips to people: uneven in number, each emotion spread over many of them.

    Args:
        rng: draws who gets what.
        emotions: emotion -> number of clips.
        people: how many; each gets at least one clip.
        only: person -> the emotions that this person alone may get.

    Returns:
        (person, emotion) of every clip, in order of the person.
    """
    talent = rng.gamma(3.0, size=people)
    held = np.zeros((people, len(emotions)), int)
    only = only or {}
    for column, (emotion, count) in enumerate(emotions.items()):
        free = np.array([emotion in only.get(person, emotions) for person in range(people)])
        for _ in range(count):
            chance = free * talent / (1 + 3.0 * held[:, column]) ** 2
            held[rng.choice(people, p=chance / chance.sum()), column] += 1
    while (held.sum(axis=1) == 0).any():
        # no table has a subject without a clip: the busiest one gives away a frequent emotion
        idle, busy = int(held.sum(axis=1).argmin()), int(held.sum(axis=1).argmax())
        column = int(held[busy].argmax())
        held[busy, column] -= 1
        held[idle, column] += 1
    return [
        (person, emotion)
        for person in range(people)
        for column, emotion in enumerate(emotions)
        for _ in range(int(held[person, column]))
    ]


def spread(places: list[int], count: int) -> list[int]:
    """Return ``count`` of some places, evenly spaced over the list."""
    return [places[step * len(places) // count] for step in range(count)]


def rename(plans: list[ClipPlan], subject: str, clip: str, **changes: Any) -> list[ClipPlan]:
    """Give one clip of a subject a name that the official table has, and change other fields.

    A clip that already has the name is taken; otherwise the subject's first one is renamed.

    Raises:
        InvariantError: the subject has no clip.
    """
    own = [plan for plan in plans if plan.subject == subject]
    if not own:
        raise InvariantError(f"no clip of subject {subject} is planned: {clip} needs one")
    chosen = next((plan for plan in own if plan.clip == clip), own[0])
    return [replace(p, clip=clip, **changes) if p is chosen else p for p in plans]
