"""A bundle in memory: a method whose members vote on clips."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mer_keras.arrays import Array, Inputs, OneInput, count
from mer_keras.bundles.card import Card
from mer_keras.config.experiment import RowPlan
from mer_keras.errors import UserError
from mer_keras.flow_channels import FlowForm
from mer_keras.methods.contract import Method, Probabilities
from mer_keras.methods.registry import check_known, make_method
from mer_keras.training.fold import FoldFailedError
from mer_keras.training.learned import Learned


class Votes(NamedTuple):
    """What the members of a bundle say of some clips.

    Attributes:
        mean: (clips, classes) float32, the mean of the members' probabilities.
        per_seed: (members, clips, classes) float32; of a bundle of folds, one a fold and seed.
    """

    mean: NDArray[np.float32]
    per_seed: NDArray[np.float32]


class Bundle:
    """A fitted method and what is known of it.

    Attributes:
        card: what the bundle says of itself.
        digest: SHA-256 of its file; empty before it is written.
    """

    def __init__(self, card: Card, learned: Sequence[Learned], digest: str = "") -> None:
        """Prepare; nothing is built before the first prediction.

        Args:
            card: says how the method is built.
            learned: what each of the card's members has learned.
            digest: of the file.
        """
        self.card = card
        self.digest = digest
        self._learned = tuple(learned)
        self._method: Method | None = None
        self._present = -1  # The member whose weights the method has.

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the probabilities."""
        return self.card.classes

    @property
    def learned(self) -> tuple[Learned, ...]:
        """What each member has learned."""
        return self._learned

    def method(self, member: int = 0) -> Method:
        """The method as a member was fitted.

        Raises:
            UserError: the method can't be built, or the member's weights aren't its own.
        """
        if self._method is None:
            self._method = method_of(self.card)
        if self._present != member:
            self._present = -1
            self._method.restore(self._learned[member], self.card.members[member].file)
            self._present = member
        return self._method

    def predict_inputs(self, inputs: Mapping[str, OneInput]) -> Votes:
        """Let all members vote on some clips.

        Args:
            inputs: clips by the name of the input (``card.inputs``), as ``serving`` makes them:
                (clips, ...) float32, or a list where clips differ in length.

        Raises:
            UserError: an input is missing or unknown, its clips have another shape, inputs differ
                in the number of clips, or an answer is not finite.
        """
        clips = self._checked(inputs)
        if not count(clips):
            nothing = np.empty((len(self._learned), 0, len(self.classes)), np.float32)
            return Votes(nothing[0], nothing)
        per_seed = np.stack([self._vote(member, clips) for member in range(len(self._learned))])
        return Votes(per_seed.mean(axis=0, dtype=np.float32), per_seed)

    def _vote(self, member: int, clips: Inputs) -> Probabilities:
        try:
            return self.method(member).predict_proba(clips)
        except FoldFailedError as error:
            raise UserError(
                f"{self.card.title}: the answer of member {member} is no finite number: the clips "
                "lie far from those that it learned"
            ) from error

    def _checked(self, inputs: Mapping[str, OneInput]) -> Inputs:
        if set(inputs) != set(self.card.reads):
            raise UserError(
                f"inputs {', '.join(inputs) or 'none'}, expected {', '.join(self.card.reads)}"
            )
        for name, clips in inputs.items():
            shape = self.card.inputs[name].shape
            shapes: set[tuple[int, ...]] = {tuple(clip.shape) for clip in clips}
            if any(not _fits(own, shape) for own in shapes):
                raise UserError(
                    f"input {name!r}: clips of shape {', '.join(map(str, sorted(shapes)))}, "
                    f"expected {shape}"
                )
        counts = {len(clips) for clips in inputs.values()}
        if len(counts) > 1:
            raise UserError(f"inputs of {' and '.join(map(str, sorted(counts)))} clips")
        arrays = tuple(_float32(inputs[name]) for name in self.card.reads)
        return arrays[0] if len(arrays) == 1 else arrays


def plan_of(card: Card) -> RowPlan:
    """The row of an experiment that a bundle's method is, for prediction alone."""
    recipe = card.method.recipe.model_copy(
        update={
            "augmentation": None,
            "initializer": None,
            "engine": "sequential",
            "data_parallel": False,
            "jit_compile": None,
        }
    )
    return RowPlan(
        key=card.training.row,
        name=card.title,
        role="row",
        method=card.method.name,
        config=card.method.config,
        inputs=card.reads,
        recipe=recipe,
    )


def method_of(card: Card) -> Method:
    """A bundle's method, not yet fitted.

    Raises:
        UserError: this package has no such network, feature, classifier or argument.
    """
    plan = plan_of(card)
    check_known(plan)
    shapes = tuple(_closed(card.inputs[name].shape) for name in card.reads)
    flow = [card.inputs[name].flow for name in card.reads]
    forms = [None if facts is None else FlowForm(facts.channels, facts.mirroring) for facts in flow]
    return make_method(
        plan, lambda: shapes[0] if len(shapes) == 1 else shapes, len(card.classes), flow=forms
    )


def _closed(shape: tuple[int | None, ...]) -> tuple[int, ...]:
    """A shape without open sides, for what needs clips of one shape."""
    if any(side is None for side in shape):
        raise UserError(f"a network can't read clips of shape {shape}, whose length is open")
    return tuple(side for side in shape if side is not None)


def _fits(own: tuple[int, ...], shape: tuple[int | None, ...]) -> bool:
    return len(own) == len(shape) and all(
        side is None or side == length for side, length in zip(shape, own, strict=True)
    )


def _float32(clips: OneInput) -> OneInput:
    if isinstance(clips, list):
        return [np.asarray(clip, np.float32) for clip in clips]
    array: Array = np.asarray(clips, np.float32)
    return array
