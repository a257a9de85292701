"""What a synthetic clip shows: whose face, which action units, how strongly, in which frames.

Class and subject counts are those printed for the real databases. Who shows what, when and how
strongly is drawn from the seed; no annotation of a real clip is copied.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import TypeVar

import numpy as np
import yaml

from mer_keras.errors import InvariantError

#: Emotion -> typical sets of action units, the commonest first; the share of clips is halved from
#: one to the next.
PROTOTYPES: dict[str, list[dict[str, float]]] = yaml.safe_load(
    Path(__file__).with_name("prototypes.yaml").read_text(encoding="utf-8")
)

#: Range of the longest displacement at the apex, in pixels of a 90-pixel frame.
PEAK = (2.2, 3.0)
#: The same for mixed expressions, which are fainter.
PEAK_MIXED = (1.4, 2.4)
#: The same for macro-expressions.
PEAK_MACRO = (5.0, 8.0)
#: Objective class of what the others don't hold.
OTHER_CLASS = 7
_MIXED = frozenset({"other", "others", "repression", "tense"})

#: A cell of an annotation table.
Cell = str | float
T = TypeVar("T")


@dataclass(frozen=True)
class SyntheticClip:
    """One clip before its frames are rendered.

    Attributes:
        index: its position in the whole database, which seeds its frames.
        subject: as the database writes it.
        person: the subject's position in the list of subjects, which seeds the face.
        name: the clip's name.
        emotion: in lower case.
        action_units: action unit -> intensity.
        peak: longest displacement at the apex, in pixels of a 90-pixel frame.
        onset: first frame number of the expression.
        apex: frame number of the full expression.
        offset: last frame number of the expression (inclusive).
        first_frame: first frame number that is rendered; None: the onset.
        last_frame: last frame number that is rendered; None: the offset.
        digits: number of digits that a frame number is padded to (1: not at all).
        objective_class: class by action units, 1 to 7; 0 where the database has none.
        recording: folder of the video that holds the clip, where a video holds several.
        cells: column -> what the annotation table says instead of the truth.
        listed: whether the annotation table has a row for it.
    """

    index: int
    subject: str
    person: int
    name: str
    emotion: str
    action_units: Mapping[str, float]
    peak: float
    onset: int
    apex: int
    offset: int
    first_frame: int | None = None
    last_frame: int | None = None
    digits: int = 1
    objective_class: int = 0
    recording: str = ""
    cells: Mapping[str, Cell] = field(default_factory=dict)
    listed: bool = True

    @property
    def subject_number(self) -> int:
        """The number in the subject's name."""
        return int(re.sub(r"\D", "", self.subject))

    @property
    def action_unit_text(self) -> str:
        """The action units as coders write them, such as "6+12"."""
        return "+".join(sorted(self.action_units, key=lambda code: int(code.lstrip("LR"))))

    @property
    def action_unit_cell(self) -> Cell:
        """The same as spreadsheet programs store it: a single unit becomes a number."""
        text = self.action_unit_text
        return int(text) if text.isdigit() else text

    @property
    def frame_numbers(self) -> range:
        """Frame numbers that are rendered."""
        first = self.onset if self.first_frame is None else self.first_frame
        last = self.offset if self.last_frame is None else self.last_frame
        return range(first, last + 1)


@dataclass(frozen=True)
class Role:
    """Who shows what in one clip; the fields are those of ``SyntheticClip``."""

    index: int
    person: int
    subject: str
    emotion: str


def assign_roles(
    rng: np.random.Generator,
    emotions: Mapping[str, int],
    subjects: Sequence[str],
    only: Mapping[str, Collection[str]] | None = None,
) -> list[Role]:
    """Assign clips to subjects: uneven in number, each emotion spread over many of them.

    Args:
        rng: draws who gets which clip.
        emotions: emotion -> number of clips.
        subjects: each gets at least one clip.
        only: subject -> the only emotions that this subject may get.

    Returns:
        The role of every clip, in order of the subject.
    """
    weight = rng.gamma(3.0, size=len(subjects))
    counts = np.zeros((len(subjects), len(emotions)), int)
    only = only or {}
    for column, (emotion, clips) in enumerate(emotions.items()):
        allowed = np.array([emotion in only.get(subject, emotions) for subject in subjects])
        for _ in range(clips):
            chance = allowed * weight / (1 + 3.0 * counts[:, column]) ** 2
            counts[rng.choice(len(subjects), p=chance / chance.sum()), column] += 1
    while (counts.sum(axis=1) == 0).any():
        # No table has a subject without a clip: the busiest one gives away a frequent emotion.
        idle, busy = int(counts.sum(axis=1).argmin()), int(counts.sum(axis=1).argmax())
        column = int(counts[busy].argmax())
        counts[busy, column] -= 1
        counts[idle, column] += 1
    return repeat_roles(counts.tolist(), emotions, subjects)


def repeat_roles(
    counts: Sequence[Sequence[int]], emotions: Collection[str], subjects: Sequence[str]
) -> list[Role]:
    """Return a role for each clip that is counted by subject (rows) and emotion (columns)."""
    roles: list[Role] = []
    for person, row in enumerate(counts):
        for emotion, clips in zip(emotions, row, strict=True):
            for _ in range(clips):
                roles.append(Role(len(roles), person, subjects[person], emotion))
    return roles


def assign_objective_classes(
    roles: Sequence[Role], shares: Mapping[int, Mapping[str, int]]
) -> list[int]:
    """Give each clip a class by action units, so that the counts are the printed ones.

    An emotion's clips of a class are spread evenly over its list, hence over the subjects.

    Args:
        roles: the clips.
        shares: class -> number of its clips by emotion. All other clips are of ``OTHER_CLASS``.
    """
    classes = [OTHER_CLASS] * len(roles)
    for number, counts in shares.items():
        for emotion, clips in counts.items():
            own = [k for k, role in enumerate(roles) if role.emotion == emotion]
            for index in evenly_spaced([k for k in own if classes[k] == OTHER_CLASS], clips):
                classes[index] = number
    return classes


def running_numbers() -> defaultdict[tuple[object, ...], Iterator[int]]:
    """Return counters from 1 on, one for each key."""
    return defaultdict(lambda: count(1))


def draw_clip(
    rng: np.random.Generator,
    role: Role,
    *,
    name: str,
    onset: int,
    frames: int,
    peak: tuple[float, float] | None = None,
    prototype: str | None = None,
    extra_units: Mapping[str, float] | None = None,
) -> SyntheticClip:
    """Draw how and how strongly an emotion shows, and when it peaks.

    Args:
        rng: draws all of it.
        role: who shows which emotion.
        name: the clip's name.
        onset: first frame number.
        frames: number of frames from onset to offset, both included.
        peak: range of the longest displacement; by default that of a micro-expression.
        prototype: key of ``PROTOTYPES`` whose action units are shown; by default the emotion.
        extra_units: action units beside the prototype's.
    """
    variants = PROTOTYPES[prototype or role.emotion]
    share = 0.5 ** np.arange(len(variants))
    units = variants[int(rng.choice(len(variants), p=share / share.sum()))]
    units = {**units, **(extra_units or {})}
    low, high = peak or (PEAK_MIXED if role.emotion in _MIXED else PEAK)
    return SyntheticClip(
        **vars(role),
        name=name,
        action_units={code: u * float(rng.uniform(0.75, 1.25)) for code, u in units.items()},
        peak=float(rng.uniform(low, high)),
        onset=onset,
        apex=onset + round(float(rng.uniform(0.35, 0.6)) * (frames - 1)),
        offset=onset + frames - 1,
    )


def evenly_spaced(items: Sequence[T], count: int) -> list[T]:
    """Return ``count`` of some items, evenly spaced over the list."""
    return [items[step * len(items) // count] for step in range(count)]


def rename_clip(clips: list[SyntheticClip], subject: str, name: str) -> int:
    """Give one clip of a subject a name that the official table has, and return its index.

    A clip that already has the name is taken; otherwise the subject's first one is renamed.

    Raises:
        InvariantError: the subject has no clip.
    """
    own = [index for index, clip in enumerate(clips) if clip.subject == subject]
    if not own:
        raise InvariantError(f"subject {subject} has no synthetic clip: {name} needs one")
    chosen = next((index for index in own if clips[index].name == name), own[0])
    clips[chosen] = replace(clips[chosen], name=name)
    return chosen
