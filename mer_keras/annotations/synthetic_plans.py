"""What a synthetic database holds: its clips, their subjects, emotions, action units and frames.

Class and subject counts are those printed for the real databases. Who shows what, when and how
strongly is drawn from the seed; no annotation of a real clip is copied.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

#: Clips per emotion, as the database's authors count them.
SAMM_EMOTIONS: dict[str, int] = {
    "anger": 57,
    "other": 26,
    "happiness": 26,
    "surprise": 15,
    "contempt": 12,
    "disgust": 9,
    "fear": 8,
    "sadness": 6,
}
MMEW_EMOTIONS: dict[str, int] = {
    "happiness": 36,
    "anger": 8,
    "surprise": 89,
    "disgust": 72,
    "fear": 16,
    "sadness": 13,
    "others": 66,
}
#: The 29 of SAMM's 32 participants who stand in its table.
SAMM_SUBJECTS: tuple[str, ...] = tuple(
    f"{n:03d}" for n in (6, 7, *range(9, 27), 28, *range(30, 38))
)
MMEW_SUBJECTS: tuple[str, ...] = tuple(f"S{n:02d}" for n in range(1, 37))

#: SAMM's objective classes 1 to 6: which emotion's typical clips fill them. The rest is class 7.
SAMM_OBJECTIVE: dict[str, tuple[int, int]] = {
    "happiness": (1, 24),
    "surprise": (2, 13),
    "anger": (3, 20),
    "disgust": (4, 8),
    "sadness": (5, 3),
    "fear": (6, 7),
}
OBJECTIVE_OTHERS = 7

#: Frames in a clip, from and to: a quarter to half a second at 200 and 90 frames a second.
SAMM_FRAMES = (50, 101)
MMEW_FRAMES = (22, 40)
#: Clips whose frame numbers have four digits rather than five.
SAMM_FOUR_DIGITS = 6

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
PROTOTYPES["others"] = PROTOTYPES["other"]

#: Longest displacement at the apex, in pixels of a 90-pixel frame. Mixed expressions are fainter.
PEAK = (2.2, 3.0)
PEAK_MIXED = (1.4, 2.4)


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
        onset: first frame number.
        apex: frame number of the full expression.
        offset: last frame number.
        digits: to which a frame number is padded (1: not at all).
        objective: SAMM's objective class, else 0.
        inducement: which film was shown, 1 to 7.
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
    digits: int
    objective: int
    inducement: int

    @property
    def units_text(self) -> str:
        """The action units as coders write them, such as "6+12"."""
        return "+".join(sorted(self.units, key=lambda code: int(code.lstrip("LR"))))


def plan_samm(seed: int) -> list[ClipPlan]:
    """All 159 clips of a synthetic SAMM, in order of clip name."""
    rng = np.random.default_rng([seed, 1])
    cast = _cast(rng, SAMM_EMOTIONS, len(SAMM_SUBJECTS))
    objective = _objective_classes([emotion for _, emotion in cast])
    short = set(rng.choice(len(cast), SAMM_FOUR_DIGITS, replace=False).tolist())
    taken: dict[tuple[int, int], int] = {}
    plans = []
    for index, (person, emotion) in enumerate(cast):
        inducement = int(rng.integers(1, 8))
        number = taken[person, inducement] = taken.get((person, inducement), 0) + 1
        subject = SAMM_SUBJECTS[person]
        onset = int(rng.integers(300, 9000) if index in short else rng.integers(300, 18000))
        plans.append(
            _plan(
                rng,
                index=index,
                subject=subject,
                person=person,
                clip=f"{subject}_{inducement}_{number}",
                emotion=emotion,
                first=onset,
                frames=int(rng.integers(*SAMM_FRAMES)),
                digits=4 if index in short else 5,
                objective=objective[index],
                inducement=inducement,
            )
        )
    return sorted(plans, key=lambda plan: plan.clip)


def plan_mmew(seed: int) -> list[ClipPlan]:
    """All 300 clips of a synthetic MMEW, in order of clip name."""
    rng = np.random.default_rng([seed, 2])
    taken: dict[tuple[int, str], int] = {}
    codes = {emotion: code for code, emotion in enumerate(MMEW_EMOTIONS, start=1)}
    plans = []
    for index, (person, emotion) in enumerate(_cast(rng, MMEW_EMOTIONS, len(MMEW_SUBJECTS))):
        number = taken[person, emotion] = taken.get((person, emotion), 0) + 1
        subject = MMEW_SUBJECTS[person]
        plans.append(
            _plan(
                rng,
                index=index,
                subject=subject,
                person=person,
                clip=f"{subject}-{codes[emotion]:02d}-{number:03d}",
                emotion=emotion,
                first=1,
                frames=int(rng.integers(*MMEW_FRAMES)),
                digits=1,
                objective=0,
                inducement=int(rng.integers(1, 8)),
            )
        )
    return sorted(plans, key=lambda plan: plan.clip)


def _plan(
    rng: np.random.Generator,
    *,
    index: int,
    subject: str,
    person: int,
    clip: str,
    emotion: str,
    first: int,
    frames: int,
    digits: int,
    objective: int,
    inducement: int,
) -> ClipPlan:
    variants = PROTOTYPES[emotion]
    share = 0.5 ** np.arange(len(variants))
    units = variants[int(rng.choice(len(variants), p=share / share.sum()))]
    if objective == OBJECTIVE_OTHERS and emotion in SAMM_OBJECTIVE:
        # what an emotion's typical units don't explain is class 7: here, one unit more
        units = {**units, "17": 0.35}
    low, high = PEAK_MIXED if emotion in ("other", "others") else PEAK
    last = first + frames - 1
    return ClipPlan(
        index=index,
        subject=subject,
        person=person,
        clip=clip,
        emotion=emotion,
        units={code: weight * float(rng.uniform(0.75, 1.25)) for code, weight in units.items()},
        peak=float(rng.uniform(low, high)),
        onset=first,
        apex=first + round(float(rng.uniform(0.35, 0.6)) * (frames - 1)),
        offset=last,
        digits=digits,
        objective=objective,
        inducement=inducement,
    )


def _cast(
    rng: np.random.Generator, emotions: Mapping[str, int], people: int
) -> list[tuple[int, str]]:
    """Deal the clips to people: uneven in number, each emotion spread over many of them."""
    talent = rng.gamma(3.0, size=people)
    held = np.zeros((people, len(emotions)), int)
    for column, count in enumerate(emotions.values()):
        for _ in range(count):
            chance = talent / (1 + 3.0 * held[:, column]) ** 2
            held[rng.choice(people, p=chance / chance.sum()), column] += 1
    while (held.sum(axis=1) == 0).any():
        # the table has no subject without a clip: the busiest one gives away a frequent emotion
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


def _objective_classes(emotions: Sequence[str]) -> list[int]:
    """Give each clip an objective class so that the counts are the printed ones.

    An emotion's typical clips are spread evenly over its list, hence over the subjects.
    """
    classes = [OBJECTIVE_OTHERS] * len(emotions)
    for emotion, (number, count) in SAMM_OBJECTIVE.items():
        places = [k for k, e in enumerate(emotions) if e == emotion]
        for step in range(count):
            classes[places[step * len(places) // count]] = number
    return classes
