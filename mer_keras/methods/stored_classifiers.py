"""Fitted classifiers as arrays and plain values, and the predictors that these make again.

A stored classifier needs neither the version of scikit-learn that fitted it nor any class named in
a file: a support vector machine is its weights or its support vectors, a tree is its nodes. What is
read decides as the fitted classifier does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import AdaBoostClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from mer_keras.arrays import Labels
from mer_keras.errors import InvariantError, UserError
from mer_keras.features.arguments import check_arguments
from mer_keras.methods.classifiers import codebook_svm, kernel_svm
from mer_keras.methods.codebook import Codebook
from mer_keras.methods.kernels import KernelSVM
from mer_keras.training.learned import Learned

#: A classifier of features, or what stands in for one.
Classifier: TypeAlias = Pipeline | KernelSVM | DummyClassifier
Values: TypeAlias = NDArray[np.float64]
Facts: TypeAlias = dict[str, JsonValue]
Arrays: TypeAlias = dict[str, NDArray]


class Predictor(Protocol):
    """Decides for one class a clip."""

    def predict(self, x: NDArray) -> Labels:
        """Class numbers of feature vectors (clips, length), (clips,)."""


class Step(Protocol):
    """Changes feature vectors before they are classified."""

    def transform(self, x: NDArray) -> NDArray:
        """Feature vectors (clips, length) -> (clips, another length)."""


@dataclass(frozen=True)
class Chain:
    """Steps, then a predictor."""

    steps: tuple[Step, ...]
    last: Predictor

    def predict(self, x: NDArray) -> Labels:
        """See ``Predictor.predict``."""
        for step in self.steps:
            x = step.transform(x)
        return self.last.predict(x)


@dataclass(frozen=True)
class Standardise:
    """Subtracts a mean and divides by a scale, in the features' own number format.

    Attributes:
        mean: (length,) float64.
        scale: (length,) float64.
    """

    mean: Values
    scale: Values

    def transform(self, x: NDArray) -> NDArray:
        """See ``Step.transform``."""
        vectors = np.array(x)
        vectors -= self.mean.astype(vectors.dtype)
        vectors /= self.scale.astype(vectors.dtype)
        return vectors


@dataclass(frozen=True)
class PairwiseVotes:
    """The decisions of a support vector machine, one class against one.

    Attributes:
        coefficients: (pairs of classes, columns) float64.
        intercepts: (pairs,) float64.
        classes: (classes,) class numbers; the pairs are (0, 1), (0, 2), ..., (1, 2) and so on.
    """

    coefficients: Values
    intercepts: Values
    classes: Labels

    def predict(self, x: NDArray) -> Labels:
        """Class with the most votes, the first of equals; ``x`` (clips, columns)."""
        decisions = x @ self.coefficients.T + self.intercepts  # (clips, pairs)
        votes = np.zeros((len(x), len(self.classes)), np.int64)
        for pair, (first, second) in enumerate(combinations(range(len(self.classes)), 2)):
            wins = decisions[:, pair] > 0
            votes[:, first] += wins
            votes[:, second] += ~wins
        return self.classes[votes.argmax(axis=1)]


@dataclass(frozen=True)
class BoostedTrees:
    """Decision trees that vote, each with its weight (SAMME).

    Attributes:
        first_nodes: (trees,) number of each tree's root among all nodes.
        left: (nodes,) number of the node for values up to the threshold; -1 in a leaf.
        right: (nodes,) number of the node for greater ones.
        features: (nodes,) which value of a vector is looked at.
        thresholds: (nodes,) float64.
        leaves: (nodes,) position in ``classes`` of the class that a leaf decides for.
        weights: (trees,) float64.
        classes: (classes,) class numbers.
    """

    first_nodes: NDArray[np.int64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    features: NDArray[np.int64]
    thresholds: Values
    leaves: NDArray[np.int64]
    weights: Values
    classes: Labels

    def predict(self, x: NDArray) -> Labels:
        """See ``Predictor.predict``."""
        vectors = np.asarray(x, np.float32)
        clips, count = np.arange(len(vectors)), len(self.classes)
        scores = np.zeros((len(vectors), count))
        for root, weight in zip(self.first_nodes, self.weights, strict=True):
            nodes = np.full(len(vectors), root)
            inner = self.left[nodes] >= 0
            while inner.any():
                values = vectors[clips, np.where(inner, self.features[nodes], 0)]
                further = np.where(
                    values <= self.thresholds[nodes], self.left[nodes], self.right[nodes]
                )
                nodes = np.where(inner, further, nodes)
                inner = self.left[nodes] >= 0
            is_class = self.leaves[nodes][:, np.newaxis] == np.arange(count)
            scores += np.where(is_class, weight, -weight / (count - 1))
        if count == 2:  # Of equal votes, the first class has it here as well as below.
            return self.classes[(scores[:, 1] > scores[:, 0]).astype(int)]
        return self.classes[scores.argmax(axis=1)]


@dataclass(frozen=True)
class Draws:
    """The most frequent class, or draws from the training labels.

    Attributes:
        shares: (classes,) float64, each class's share of the training clips.
        classes: (classes,) class numbers.
        seed: of the draws, which begin anew with each call; None: the most frequent class.
    """

    shares: Values
    classes: Labels
    seed: int | None

    def predict(self, x: NDArray) -> Labels:
        """See ``Predictor.predict``."""
        if self.seed is None:
            return np.full(len(x), self.classes[self.shares.argmax()])
        drawn = np.random.RandomState(self.seed).multinomial(1, self.shares, size=len(x))
        return self.classes[drawn.argmax(axis=1)]


def packed(classifier: Classifier | Chain) -> Learned:
    """Return what a fitted classifier has learned.

    Raises:
        InvariantError: nobody said how a classifier of its kind is stored.
    """
    if isinstance(classifier, Pipeline):
        parts = [part for _, part in classifier.steps]
    elif isinstance(classifier, Chain):
        parts = [*classifier.steps, classifier.last]
    else:
        parts = [classifier]
    kinds: list[JsonValue] = []
    arrays: Arrays = {}
    for number, part in enumerate(parts):
        facts, of_part = _pack(part)
        kinds.append(facts)
        arrays |= {f"{number}/{name}": _canonical(array) for name, array in of_part.items()}
    return Learned(arrays, {"parts": kinds})


def unpacked(learned: Learned, classes: int, name: str) -> Chain:
    """Return a predictor that decides as the classifier did that ``packed`` was given.

    Args:
        learned: what ``packed`` returned, or a file that claims so.
        classes: how many there are, also such that no training clip had.
        name: names the file in messages.

    Raises:
        UserError: it is no such thing: a part, an array or a shape is not as it must be.
    """
    parts = learned.facts.get("parts")
    if not isinstance(parts, list) or not 1 <= len(parts) <= 4:
        raise UserError(f"{name}: 'parts' of a classifier are missing")
    predictors = []
    for number, facts in enumerate(parts):
        prefix = f"{number}/"
        arrays = {
            key.removeprefix(prefix): array
            for key, array in learned.arrays.items()
            if key.startswith(prefix)
        }
        kind = facts.get("kind") if isinstance(facts, dict) else None
        try:
            predictors.append(_READERS[str(kind)](_Part(facts, arrays, classes)))  # type: ignore[arg-type]
        except (KeyError, TypeError, ValueError, IndexError, UserError) as error:
            raise UserError(
                f"{name}: part {number} ({str(kind)[:40]!r}) is no classifier of this version: "
                f"{error}"
            ) from error
    *steps, last = predictors
    if not hasattr(last, "predict") or not all(hasattr(step, "transform") for step in steps):
        raise UserError(f"{name}: its parts are no steps with a classifier behind them")
    return Chain(tuple(steps), last)


def _canonical(array: NDArray) -> NDArray:
    """An array in one of two number formats, whichever machine or version it was fitted with."""
    return np.asarray(array, np.int64 if array.dtype.kind in "iu" else np.float64)


def holds_clips(learned: Learned) -> bool:
    """Say whether what a classifier learned contains feature vectors of training clips."""
    parts = learned.facts.get("parts")
    kernels = [part.get("kernel") for part in parts if isinstance(part, dict)] if parts else []  # type: ignore[union-attr]
    return any(kernel not in (None, *_ADDED_UP) for kernel in kernels)


def _pack(part: object) -> tuple[Facts, Arrays]:
    """Facts and arrays of one part of a classifier."""
    if isinstance(part, StandardScaler):
        return {"kind": "standardise"}, {"mean": part.mean_, "scale": part.scale_}
    if isinstance(part, Standardise):
        return {"kind": "standardise"}, {"mean": part.mean, "scale": part.scale}
    if isinstance(part, Codebook):
        sizes = {key: getattr(part, key) for key in _CODEBOOK}
        return {"kind": "codebook", **sizes}, {"pooling": part.pooling_}
    if isinstance(part, SVC):
        return {"kind": "votes"}, _votes_arrays(_votes(part, part.support_vectors_))
    if isinstance(part, PairwiseVotes):
        return {"kind": "votes"}, _votes_arrays(part)
    if isinstance(part, KernelSVM):
        return _pack_kernel(part)
    if isinstance(part, AdaBoostClassifier):
        return {"kind": "trees"}, vars(_trees(part))
    if isinstance(part, BoostedTrees):
        return {"kind": "trees"}, vars(part)
    if isinstance(part, DummyClassifier):
        seed = part.random_state if part.strategy == "stratified" else None
        return {"kind": "draws", "seed": seed}, {
            "shares": part.class_prior_,
            "classes": part.classes_,
        }
    if isinstance(part, Draws):
        return {"kind": "draws", "seed": part.seed}, {
            "shares": part.shares,
            "classes": part.classes,
        }
    raise InvariantError(
        f"nothing says how {type(part).__name__} is stored: add it to methods/stored_classifiers.py"
    )


#: Arguments of a codebook and of a kernel that belong to what was learned.
_CODEBOOK = ("points", "groups", "words", "kept")
_KERNEL = ("kernel", "unit", "degree", "coef0")
#: Kernels whose support vectors can be added up.
_ADDED_UP = ("linear", "hellinger")


def _pack_kernel(machine: KernelSVM) -> tuple[Facts, Arrays]:
    """Facts and arrays of a machine on a kernel.

    Where the kernel is a dot product, the support vectors are added up: what is left are weights of
    features, which hold no clip.
    """
    facts: Facts = {"kind": "kernel", **{key: getattr(machine, key) for key in _KERNEL}}
    facts["scale"] = float(machine.scale_)
    votes, vectors = machine.svm_, machine.vectors_
    if isinstance(votes, SVC):
        vectors = vectors[votes.support_]
        votes = _votes(votes, np.eye(len(vectors)))
        if machine.kernel in _ADDED_UP:
            vectors = votes.coefficients @ vectors  # (pairs, length)
            pairs = np.eye(len(vectors))
            votes = PairwiseVotes(pairs, votes.intercepts, votes.classes)
    arrays = {**_votes_arrays(votes), "vectors": vectors}
    scaler = machine.scaler_
    if isinstance(scaler, StandardScaler):
        scaler = Standardise(scaler.mean_, scaler.scale_)
    if scaler is not None:
        arrays |= {"mean": scaler.mean, "deviation": scaler.scale}
    return facts, arrays


def _votes(svm: SVC, vectors: Values) -> PairwiseVotes:
    """The decisions of a fitted machine as weights of ``vectors``, (support vectors, columns).

    Of more than two classes, the row j - 1 of ``dual_coef_`` has the weights of class i's support
    vectors against class j, and the row i those of class j's against class i. Of two classes,
    scikit-learn turns all signs, so that a positive decision is for the second.
    """
    count = len(svm.classes_)
    class_of = np.repeat(np.arange(count), svm.n_support_)  # (support vectors,)
    rows = []
    for first, second in combinations(range(count), 2):
        of_first = np.where(class_of == first, svm.dual_coef_[second - 1], 0)
        of_second = np.where(class_of == second, svm.dual_coef_[first], 0)
        rows.append(of_first + of_second)
    sign = -1 if count == 2 else 1
    coefficients = sign * (np.array(rows) @ vectors)  # (pairs, columns)
    return PairwiseVotes(coefficients, sign * svm.intercept_, svm.classes_)


def _votes_arrays(votes: PairwiseVotes) -> Arrays:
    return {
        "coefficients": votes.coefficients,
        "intercepts": votes.intercepts,
        "classes": np.asarray(votes.classes),
    }


def _trees(boosted: AdaBoostClassifier) -> BoostedTrees:
    """The nodes of all trees, one tree behind the other."""
    trees = [estimator.tree_ for estimator in boosted.estimators_]
    firsts = np.cumsum([0, *(tree.node_count for tree in trees)])[:-1]

    def joined(name: str, shifted: bool = False) -> NDArray:
        parts = []
        for tree, first in zip(trees, firsts, strict=True):
            values = np.asarray(getattr(tree, name))
            parts.append(np.where(values >= 0, values + first, -1) if shifted else values)
        return np.concatenate(parts)

    return BoostedTrees(
        first_nodes=firsts.astype(np.int64),
        left=joined("children_left", shifted=True),
        right=joined("children_right", shifted=True),
        features=joined("feature"),
        thresholds=joined("threshold"),
        leaves=np.concatenate([tree.value[:, 0, :].argmax(axis=1) for tree in trees]),
        weights=boosted.estimator_weights_[: len(trees)],
        classes=boosted.classes_,
    )


@dataclass(frozen=True)
class _Part:
    """A stored part; whatever is asked of it is checked."""

    facts: Mapping[str, JsonValue]
    arrays: Arrays
    all_classes: int

    def values(self, name: str, *shape: int | None) -> Values:
        """Real numbers of a shape, in which None stands for any length."""
        array = self.arrays[name]
        fits = len(array.shape) == len(shape) and all(
            side is None or side == own for side, own in zip(shape, array.shape, strict=True)
        )
        if not fits:
            raise ValueError(f"{name} has shape {array.shape}, expected {shape}")
        return np.asarray(array, np.float64)

    def numbers(self, name: str, low: int, high: int, count: int | None = None) -> NDArray:
        """Whole numbers from ``low`` to ``high`` - 1, (count,) int64."""
        array = self.values(name, count)
        whole = array.astype(np.int64)
        if (whole != array).any() or (len(whole) and not low <= whole.min() <= whole.max() < high):
            raise ValueError(f"{name} holds other than whole numbers from {low} to {high - 1}")
        return whole

    @property
    def classes(self) -> Labels:
        """The class numbers that can be decided for."""
        numbers = self.numbers("classes", 0, self.all_classes)
        if not 1 <= len(numbers) == len(set(numbers.tolist())):
            raise ValueError("classes are none, or one stands twice")
        return numbers

    def votes(self, columns: int | None = None) -> PairwiseVotes:
        """The decisions of a support vector machine."""
        classes = self.classes
        pairs = len(classes) * (len(classes) - 1) // 2
        return PairwiseVotes(
            self.values("coefficients", pairs, columns), self.values("intercepts", pairs), classes
        )


def _read_standardise(part: _Part) -> Standardise:
    mean = part.values("mean", None)
    scale = part.values("scale", len(mean))
    if not (scale > 0).all():
        raise ValueError("a scale is 0 or below")
    return Standardise(mean, scale)


def _read_codebook(part: _Part) -> Codebook:
    sizes = {key: part.facts[key] for key in _CODEBOOK}
    check_arguments("codebook", codebook_svm, sizes)
    codebook = Codebook(**sizes)  # type: ignore[arg-type]
    shape = codebook.groups, 2**codebook.points, codebook.kept
    codebook.pooling_ = part.values("pooling", *shape).astype(np.float32)
    return codebook


def _read_kernel(part: _Part) -> KernelSVM:
    arguments = {key: part.facts[key] for key in _KERNEL}
    check_arguments("kernel", kernel_svm, arguments)
    machine = KernelSVM(standardise="mean" in part.arrays, **arguments)  # type: ignore[arg-type]
    vectors = part.values("vectors", None, None)
    machine.vectors_, machine.scaler_ = vectors, None
    if machine.standardise:
        scaler = Standardise(
            part.values("mean", vectors.shape[1]), part.values("deviation", vectors.shape[1])
        )
        if not (scaler.scale > 0).all():
            raise ValueError("a deviation is 0 or below")
        machine.scaler_ = scaler
    machine.scale_ = float(part.facts["scale"])  # type: ignore[arg-type]
    if not np.isfinite(machine.scale_):
        raise ValueError(f"scale {machine.scale_}")
    machine.svm_ = part.votes(len(vectors))
    machine.classes_ = machine.svm_.classes
    return machine


def _read_trees(part: _Part) -> BoostedTrees:
    nodes = len(part.arrays["left"])
    own = np.arange(nodes)
    trees = BoostedTrees(
        first_nodes=part.numbers("first_nodes", 0, nodes),
        left=part.numbers("left", -1, nodes, nodes),
        right=part.numbers("right", -1, nodes, nodes),
        features=part.numbers("features", -2, 2**31, nodes),
        thresholds=part.values("thresholds", nodes),
        leaves=part.numbers("leaves", 0, len(part.classes), nodes),
        weights=part.values("weights", len(part.arrays["first_nodes"])),
        classes=part.classes,
    )
    inner = trees.left >= 0
    # A node whose children stand behind it can't be its own descendant.
    behind = (trees.left > own) & (trees.right > own) & (trees.features >= 0)
    if len(trees.classes) < 2 or not behind[inner].all():
        raise ValueError("its nodes are no trees")
    return trees


def _read_draws(part: _Part) -> Draws:
    classes = part.classes
    shares, seed = part.values("shares", len(classes)), part.facts.get("seed")
    if seed is not None and (not isinstance(seed, int) or not 0 <= seed < 2**32):
        raise ValueError(f"seed {seed!r}")
    if (shares < 0).any() or abs(shares.sum() - 1) > 1e-6:
        raise ValueError("shares of classes don't add up to 1")
    return Draws(shares, classes, seed)


_READERS = {
    "standardise": _read_standardise,
    "codebook": _read_codebook,
    "votes": lambda part: part.votes(),
    "kernel": _read_kernel,
    "trees": _read_trees,
    "draws": _read_draws,
}
