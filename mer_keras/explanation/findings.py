"""What explanations hold; the report draws them."""

from dataclasses import dataclass

from mer_keras.arrays import Array


@dataclass(frozen=True)
class Attention:
    """What one attention layer says of clips.

    Attributes:
        layer: the layer's name.
        kind: ``map``: (clips, height, width) or (clips, time, height, width), a weight a place.
            ``channels``: (clips, channels). ``tokens``: (clips, heads, tokens), how much each
            token gives to the one that is read out, or to the mean of all.
        weights: float32 in 0..1.
    """

    layer: str
    kind: str
    weights: Array


@dataclass(frozen=True)
class Explained:
    """One clip, as one network saw it.

    Attributes:
        sample_id: the clip's id.
        subject_id: database and subject.
        label: true class.
        row: name of the table's row.
        predicted: class that the network gives it.
        as_stored: whether that is the run's stored prediction, within rounding; ``None`` where
            the run has not tested the clip yet.
        clip: the network's input before standardising, (height, width, channels) or
            (time, height, width, channels).
        heat: Grad-CAM for the predicted class, the shape of ``clip`` without channels.
        attention: weights of the attention layers, one clip each.
        frames: onset, a frame between, apex, a frame between, offset, (5, height, width) in 0..1;
            ``None`` where there is no footage.
    """

    sample_id: str
    subject_id: str
    label: str
    row: str
    predicted: str
    as_stored: bool | None
    clip: Array
    heat: Array
    attention: tuple[Attention, ...]
    frames: Array | None = None


@dataclass(frozen=True)
class Explanation:
    """The explained clips of one run."""

    run_id: str
    caption: str
    data_kind: str
    explained: tuple[Explained, ...]
