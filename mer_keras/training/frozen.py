"""A network whose first layers aren't trained: what they give of a clip is computed once.

ELRCN's authors store the values of VGG-16 and train an LSTM on them (Khor et al., FG 2018, section
2.3). Here every network is divided so whose first layers are frozen: its front maps clips to
values, and the rest, which is what is fitted, maps values to probabilities. Both share their
layers with the network.
"""

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mer_keras.arrays import Array
from mer_keras.clips import cache

if TYPE_CHECKING:
    import keras

    from mer_keras.layers.tensors import Tensor

#: Part of the path of variables that rule random numbers.
_RANDOM = "seed_generator"
#: Name of the step in the cache.
_STEP = "frozen layers"


class Front:
    """The first layers of a network, none of which is trained, and their values of clips.

    Attributes:
        rest: the remaining network, from the values of the front to probabilities.
    """

    def __init__(self, front: "keras.Model", rest: "keras.Model") -> None:
        """Take a network in two; see ``divide``."""
        self.rest = rest
        self._front = front
        self._weights = ""
        #: Names the function of the front with its present weights.
        self._function = ""
        #: Values of clips under these weights, by the digest of the clip.
        self._known: dict[str, list[Array]] = {}

    def values(self, clips: Sequence[Array], *, stored: bool = False) -> dict[str, Array]:
        """Return what the front gives of clips, by the names of the inputs of ``rest``.

        A clip's values don't depend on the other clips.

        Args:
            clips: as the network takes them, (clips, ...) float32 for each of its inputs.
            stored: whether values are kept on the disk, among the cached clips. That pays where
                folds and runs start from the same weights.
        """
        self._forget_values_of_other_weights()
        of_clips = [
            self._of_clip([of_input[row : row + 1] for of_input in clips], stored=stored)
            for row in range(len(clips[0]))
        ]
        names = [tensor.name for tensor in self.rest.inputs]
        return {
            name: np.concatenate([values[place] for values in of_clips])
            for place, name in enumerate(names)
        }

    def _of_clip(self, clip: list[Array], *, stored: bool) -> list[Array]:
        """Values of one clip, (1, ...) for each place where the network is cut."""
        digest = _digest(*clip)
        if digest not in self._known:
            self._known[digest] = self._stored(clip, digest) if stored else self._computed(clip)
        return self._known[digest]

    def _stored(self, clip: list[Array], digest: str) -> list[Array]:
        """Values of one clip from the cache, or computed and stored."""

        def compute(_: Array) -> Array:
            return np.concatenate([values.ravel() for values in self._computed(clip)])

        entry = cache.Entry(np.empty(0, "float32"), {}, key=digest)
        flat = cache.derive(entry, _STEP, {"function": self._function}, compute).array
        shapes = [(1, *tensor.shape[1:]) for tensor in self._front.outputs]
        ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
        parts = np.split(flat, ends[:-1])
        return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]

    def _computed(self, clip: list[Array]) -> list[Array]:
        given = clip if len(clip) > 1 else clip[0]
        values = self._front.predict_on_batch(given)
        return [np.asarray(v) for v in (values if isinstance(values, list) else [values])]

    def _forget_values_of_other_weights(self) -> None:
        """Forget what is known if a fold has given the front other weights."""
        weights = _digest(*(np.asarray(weight) for weight in self._front.weights))
        if weights == self._weights:
            return
        # Two networks of the same weights may still compute different things, such as by another
        # scale: what they make of one clip tells them apart.
        probe = [
            np.linspace(0, 1, int(np.prod(tensor.shape[1:])), dtype="float32").reshape(
                1, *tensor.shape[1:]
            )
            for tensor in self._front.inputs
        ]
        self._known.clear()
        self._weights = weights
        self._function = _digest(weights.encode(), *self._computed(probe))


def divide(network: "keras.Model") -> Front | None:
    """Cut a functional network behind its frozen front; None where nothing frozen comes first.

    A layer belongs to the front if all that it reads does, nothing in it is trained, and it draws
    no random numbers. Layers without weights alone are no front, since they cost next to nothing.
    """
    import keras

    constant = {id(tensor) for tensor in network.inputs}
    cut: dict[int, Tensor] = {}
    has_weights = False
    for depth in sorted(network._nodes_by_depth, reverse=True):
        for node in network._nodes_by_depth[depth]:
            if node.is_input:
                continue
            reads = {id(tensor): tensor for tensor in node.input_tensors}
            if reads.keys() <= constant and _is_constant(node.operation):
                constant |= {id(tensor) for tensor in node.output_tensors}
                has_weights |= bool(getattr(node.operation, "weights", ()))
            else:
                cut |= {key: tensor for key, tensor in reads.items() if key in constant}
    if not has_weights or not cut:
        return None
    front = keras.Model(network.inputs, list(cut.values()), name="front")
    rest = keras.Model(list(cut.values()), network.outputs[0], name="rest")
    return Front(front, rest)


def _is_constant(operation: "keras.Operation") -> bool:
    """Whether an operation gives the same of the same clip in every epoch."""
    import keras

    layers = operation._flatten_layers() if isinstance(operation, keras.Layer) else []
    is_trained = any(layer.trainable and layer.variables for layer in layers)
    is_random = any(_RANDOM in variable.path for layer in layers for variable in layer.variables)
    return not (is_trained or is_random)


def _digest(*parts: "Array | bytes") -> str:
    digest = hashlib.blake2b(digest_size=20)
    for part in parts:
        if isinstance(part, bytes):
            digest.update(part)
        else:
            digest.update(str((part.shape, part.dtype)).encode())
            digest.update(np.ascontiguousarray(part).data)
    return digest.hexdigest()
