"""CausalNet, transformers on two flow images and their images of directions.

Paper: Zhang, Tang, Chen, "Rethinking key-frame-based micro-expression recognition: a robust and
accurate framework against key-frame errors", ICCV 2025.

Architecture, for four images (28, 28, 3), 0..255, each cut into four areas of the face (see
``layers.face_areas``): flow from onset to apex, flow from apex to offset, the directions of the
first, the directions of the second:

=====================================  ==========  ===========
part                                   output      parameters
=====================================  ==========  ===========
encoder of both flow images            2x1024      130,935,811
encoder of both directions             2x1024      130,935,811
four positions of 256 each             4x4x256     0
9 cross layers between the directions  2x4x256     7,103,232
sums with the flow images              2x4x256     0
causal block                           3x4x256     1,315,584
dense 2048, dense softmax              3           6,299,651
=====================================  ==========  ===========

- An encoder is HTNet's (see ``models.hierarchy``) with repeats (3, 3, 9) and no head. As in HTNet
  a block has one place, so that queries and keys are idle: 41,518,080 parameters in both.
- The 1,024 channels become four "positions" of a 2x2 grid, channel c being feature c // 4 of
  position c % 4. **No axis of the image is left there**, so that the mask and the distances of
  what follows (``layers.position_attention``) have no meaning in the image.
- A cross layer: na, nb = n(a), n(b); a = a + C(na, b); b = b + C(nb, a); then F on each. The
  context is not normalised; n, C and F are one set of weights for both.
- Causal block: direction(u, v) and direction(v, u) with one set of weights. f, s = n(first),
  n(second); each plus its masked attention S; s plus T(f, s), for each position of s a choice
  between that position of f and of s; then F on each. The two second results meet in an attention
  whose queries are of the one, keys of the other, and values of their sum; to this the sum is added
  before the last dense layer. Its result and the two first results are joined.
- Nothing stands between the last two dense layers: they are one linear map in effect.

Parameters: 276,590,089, as released, of which 235,072,009 are trained; those of queries and keys
that change nothing are kept and not computed (see ``layers.block_attention``).

**The images of directions are a function of the flow images**: they can be computed by the network
(``directions="computed"``), with the same values. From onset and apex alone only two of the four
images exist. With one input (``causalnet_onset_apex``) the second image is the first once more, so
that this is half of CausalNet: the two halves then see the same, at half the cost.

The paper's figure differs from the code in that it has three encoders, normalises the context of
the cross attention and has a further norm in the causal block. The code has the published weights;
``normal_context`` is the figure's cross attention. The figure's other readings aren't built.

What the paper leaves open: initial weights are PyTorch's. 36 configurations of the code were
compared on the tested subjects.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

import keras
from keras import layers

from mer_keras.arrays import Shape, each_shape
from mer_keras.layers.choice import choose
from mer_keras.layers.directions import DirectionImage
from mer_keras.layers.face_areas import FaceAreas
from mer_keras.layers.position_attention import HeadProducts
from mer_keras.layers.tensors import Tensor
from mer_keras.layers.tokens import TokenAt
from mer_keras.models.blocks import EPSILON, pytorch_dense, pytorch_start
from mer_keras.models.hierarchy import encode

#: Heads of the attention among positions.
HEADS = 8
#: Units of the first of the two last dense layers.
UNITS = 2048
#: Names of the four images.
IMAGES = ("clips", "apex_offset", "onset_apex_direction", "apex_offset_direction")

#: Applies layers with one set of weights, each time under another name: (tensor, name) -> tensor.
Step = Callable[[Tensor, str], Tensor]
#: The same of two tensors: (queries, keys and values, name) -> tensor.
Attend = Callable[[Tensor, Tensor, str], Tensor]


def build(
    input_shape: Shape = ((28, 28, 3),) * 4,
    classes: int = 3,
    *,
    crops: Literal["fixed", "none"] = "fixed",
    directions: Literal["given", "computed"] = "given",
    dim: int = 256,
    repeats: Sequence[int] = (3, 3, 9),
    hidden: int = 4,
    units: int = UNITS,
    gamma: float = 0.5,
    normal_context: bool = False,
    idle: bool = False,
) -> keras.Model:
    """Build CausalNet: images (batch, 28, 28, 3), 0..255 -> probabilities (batch, classes).

    Args:
        input_shape: of the four images; of two flow images, whose directions are computed; or of
            the one from onset to apex, which then stands for both.
        classes: number of classes.
        crops: ``fixed`` puts areas around fixed points together, ``none`` reads images as they are.
        directions: whether images of directions are inputs or are computed from the flow images.
        dim: channels of the encoders' first level, and of a position; a multiple of 8.
        repeats: transformers of each level; of the last, as many cross layers.
        hidden: width of hidden layers, as a multiple of the layer's.
        units: of the first of the two last dense layers.
        gamma: strength of the mask's bias.
        normal_context: whether the context of the cross attention is normalised, as in the figure.
        idle: whether queries and keys of blocks with one place are computed all the same.

    Raises:
        ValueError: another number of images, or arguments that don't fit each other.
    """
    shapes = each_shape(input_shape)
    is_given = directions == "given" and len(shapes) == len(IMAGES)
    if not is_given and len(shapes) not in (1, 2):
        raise ValueError(
            f"{len(shapes)} images with directions {directions!r}, expected all 4, or 1 or 2 of "
            "flow, whose directions are computed"
        )
    images = [keras.Input(shape, name=name) for shape, name in zip(shapes, IMAGES, strict=False)]
    flow = [_canvas(image, crops, f"flow{n}") for n, image in enumerate(images[:2])]
    if is_given:
        angles = [_canvas(image, crops, f"directions{n}") for n, image in enumerate(images[2:])]
    else:
        angles = [DirectionImage(name=f"directions{n}")(image) for n, image in enumerate(flow)]
    encoder = partial(encode, dim=dim, levels=3, repeats=repeats, hidden=hidden, idle=idle)
    flow = _positions(flow, "flow", encoder)
    angles = _positions(angles, "directions", encoder)
    for number in range(repeats[-1]):
        angles = _cross(angles, f"cross{number}", hidden, gamma, normal_context)
    sums = [
        layers.Add(name=f"sum{number}")([of_flow, of_angles])
        for number, (of_flow, of_angles) in enumerate(zip(flow, angles, strict=True))
    ]
    x = _causal(sums[0], sums[1], hidden, gamma)  # (batch, 12, dim)
    x = layers.Flatten(name="flat")(x)
    x = pytorch_dense(x, units, name="head")
    x = pytorch_dense(x, classes, activation="softmax", name="classes")
    name = "causalnet_onset_apex" if len(shapes) == 1 else "causalnet"
    return keras.Model(images if len(images) > 1 else images[0], x, name=name)


def _canvas(image: Tensor, crops: str, name: str) -> Tensor:
    """Four areas of an image as one, if it is cut."""
    return FaceAreas(name=f"{name}_areas")(image) if crops == "fixed" else image


def _positions(
    canvases: Sequence[Tensor], name: str, encoder: Callable[..., Tensor]
) -> list[Tensor]:
    """Encode one or two canvases with one set of weights; (batch, 4, dim) each, always two."""
    shape = tuple(canvases[0].shape[1:])
    canvas = keras.Input(shape, name="canvas")
    encoded = encoder(canvas, prefix=f"{name}_")  # (batch, 1, 1, 4 dim)
    network = keras.Model(canvas, encoded, name=f"{name}_encoder")
    # Both images pass through the encoder at once.
    stacked = [
        layers.Reshape((1, *shape), name=f"{name}{number}_part")(image)
        for number, image in enumerate(canvases)
    ]
    x = stacked[0]
    if len(stacked) > 1:
        x = layers.Concatenate(axis=1, name=f"{name}_parts")(stacked)  # (batch, 2, 28, 28, 3)
    x = choose(layers.TimeDistributed)(network, name=f"{name}_encoded")(x)
    # Channel c is feature c // 4 of position c % 4.
    dim = int(x.shape[-1]) // 4
    x = layers.Reshape((len(stacked), dim, 4), name=f"{name}_features")(x)
    x = layers.Permute((1, 3, 2), name=f"{name}_positions")(x)  # (batch, images, 4, dim)
    parts = [TokenAt(number, name=f"{name}{number}_out")(x) for number in range(len(stacked))]
    return parts * (3 - len(parts))


def _cross(
    pair: Sequence[Tensor], name: str, hidden: int, gamma: float, normal_context: bool
) -> list[Tensor]:
    """One cross layer: each of two tensors, (batch, 4, dim), attends to the other."""
    a, b = pair
    dim = int(a.shape[-1])
    norm = layers.LayerNormalization(epsilon=EPSILON, name=f"{name}_norm")
    attend = _masked_attention(dim, dim**-0.5, gamma, f"{name}_attention")
    feed = _feed(dim, hidden, f"{name}_dense")
    normal_a, normal_b = norm(a), norm(b)
    a = layers.Add(name=f"{name}_a")([a, attend(normal_a, normal_b if normal_context else b, "a")])
    context = norm(a) if normal_context else a
    b = layers.Add(name=f"{name}_b")([b, attend(normal_b, context, "b")])
    return [feed(a, "a"), feed(b, "b")]


def _causal(u: Tensor, v: Tensor, hidden: int, gamma: float) -> Tensor:
    """The causal block on two tensors, (batch, 4, dim), to (batch, 12, dim)."""
    dim = int(u.shape[-1])
    scale = (dim // HEADS) ** -0.5
    norm = layers.LayerNormalization(epsilon=EPSILON, name="causal_norm")
    spatial = _masked_attention(dim, scale, gamma, "causal_spatial")
    temporal = _choice_of_time(dim, scale, "causal_temporal")
    feed = _feed(dim, hidden, "causal_dense")

    def direction(first: Tensor, second: Tensor, name: str) -> tuple[Tensor, Tensor]:
        attended = []
        for tensor, part in ((norm(first), "first"), (norm(second), "second")):
            weighed = spatial(tensor, tensor, f"{name}_{part}")
            attended.append(layers.Add(name=f"causal_{name}_{part}")([tensor, weighed]))
        f, s = attended
        s = layers.Add(name=f"causal_{name}_time")([s, temporal(f, s, name)])
        return feed(f, f"{name}_first"), feed(s, f"{name}_second")

    forward, forward_last = direction(u, v, "forward")
    backward, backward_last = direction(v, u, "backward")
    total = layers.Add(name="causal_total")([forward_last, backward_last])
    queries, keys, values = (
        _dense(dim, dim, f"causal_joint_{name}")(tensor)
        for name, tensor in (("query", forward_last), ("key", backward_last), ("value", total))
    )
    joint = HeadProducts(HEADS, scale, name="causal_joint_products")([queries, keys, values])
    joint = layers.Add(name="causal_joint")([joint, total])
    joint = _dense(dim, dim, "causal_joint_out")(joint)
    return layers.Concatenate(axis=1, name="causal_out")([joint, forward, backward])


def _masked_attention(dim: int, scale: float, gamma: float, name: str) -> Attend:
    """Attention of four positions to four, under the mask, with one set of weights."""
    query, key, value, out = (
        _dense(dim, dim, f"{name}_{part}") for part in ("query", "key", "value", "out")
    )

    def attend(x: Tensor, context: Tensor, part: str) -> Tensor:
        products = HeadProducts(HEADS, scale, gamma, name=f"{name}_products_{part}")
        return out(products([query(x), key(context), value(context)]))

    return attend


def _choice_of_time(dim: int, scale: float, name: str) -> Attend:
    """Attention of each position of ``s`` to that position of ``f`` and of ``s``."""
    query, key, value, out = (
        _dense(dim, dim, f"{name}_{part}") for part in ("query", "key", "value", "out")
    )

    def attend(f: Tensor, s: Tensor, part: str) -> Tensor:
        def both(layer: keras.Layer, kind: str) -> Tensor:
            times = [
                layers.Reshape((4, 1, dim), name=f"{name}_{kind}_{part}_{time}")(layer(tensor))
                for time, tensor in (("first", f), ("second", s))
            ]
            return layers.Concatenate(axis=2, name=f"{name}_{kind}_{part}")(times)

        queries = layers.Reshape((4, 1, dim), name=f"{name}_queries_{part}")(query(s))
        products = HeadProducts(HEADS, scale, name=f"{name}_products_{part}")
        chosen = products([queries, both(key, "keys"), both(value, "values")])
        return out(layers.Reshape((4, dim), name=f"{name}_chosen_{part}")(chosen))

    return attend


def _feed(dim: int, hidden: int, name: str) -> Step:
    """Two dense layers, GELU between them, added to their input."""
    first = _dense(hidden * dim, dim, f"{name}1", "gelu")
    second = _dense(dim, hidden * dim, f"{name}2")
    return lambda x, part: layers.Add(name=f"{name}_{part}")([x, second(first(x))])


def _dense(units: int, fan_in: int, name: str, activation: str | None = None) -> keras.Layer:
    """A dense layer that can be applied several times."""
    return layers.Dense(units, activation=activation, name=name, **pytorch_start(fan_in))
