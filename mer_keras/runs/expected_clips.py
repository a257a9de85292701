"""The clips that a run will read, told before a stand-in is drawn or a frame is read."""

from dataclasses import replace

import pandas as pd

from mer_keras.config.data import Data
from mer_keras.config.inputs import Clip
from mer_keras.databases.label_schemes import get_scheme
from mer_keras.databases.labels import LabelScheme, apply_scheme, plain_emotion
from mer_keras.databases.samples import Samples, make_samples, pool
from mer_keras.errors import AnnotationError
from mer_keras.runs.samples import is_drawn, kind_of, load_samples, stand_in_options
from mer_keras.synthetic import stand_ins
from mer_keras.synthetic.synthetic_clip import SyntheticClip, evenly_spaced
from mer_keras.terms import DataKind

#: Frames of a clip whose onset or offset isn't annotated.
USUAL_FRAMES = 30


def expected_samples(data: Data, kind: str) -> Samples:
    """Return the labelled samples of a config, also of stand-ins that are not drawn yet.

    Args:
        data: the databases.
        kind: see ``samples.load_samples``.

    Raises:
        UserError: see ``samples.load_samples``.
    """
    if kind_of(data, kind) != "synthetic" or is_drawn(data):
        return load_samples(data, kind)
    return pool([_expected_of(name, data) for name in data.databases])


def _expected_of(name: str, data: Data) -> Samples:
    """Return the labelled samples of one stand-in that is not drawn yet."""
    layout = stand_ins.get_layout(name)
    rows = [
        {
            "database": part,
            "subject": clip.subject,
            # Recordings that hold several clips give them one name.
            "clip": f"{clip.name} {clip.index}",
            "path": part,
            "onset": clip.onset,
            "offset": clip.offset,
            "data_kind": DataKind.SYNTHETIC,
            **labels,
        }
        for part, clip in clips_to_draw(name, data)
        if (labels := layout.labels_of(clip)) is not None
    ]
    return _labelled(make_samples(rows, source=name), get_scheme(data.scheme_of(name)))


def _labelled(samples: Samples, scheme: LabelScheme) -> Samples:
    """Label clips that are not drawn yet, as far as their number goes.

    Readers leave out clips that their table gives no emotion. Where a scheme reads a column that
    only the drawn table has, the clips are spread evenly over the classes.
    """
    emotions = samples.table["emotion"].map(plain_emotion)
    known = emotions.isin({*scheme.mapping, *scheme.leaves_out})
    table = samples.table[known] if scheme.column == "emotion" and known.any() else samples.table
    table = table.reset_index(drop=True)
    try:
        return apply_scheme(replace(samples, table=table), scheme)
    except AnnotationError:
        classes = scheme.classes
        labels = [classes[number % len(classes)] for number in range(len(table))]
        return replace(samples, table=table.assign(label=labels))


def expected_shape(recipe: Clip, frames: int = USUAL_FRAMES) -> tuple[int, ...]:
    """Return the shape of a clip as a recipe makes it.

    Args:
        recipe: of an input.
        frames: of a clip, where the recipe takes all of them.
    """
    return tuple(frames if side is None else side for side in recipe.shape)


def clips_to_draw(name: str, data: Data) -> list[tuple[str, SyntheticClip]]:
    """Return the clips of a stand-in, each with the name of its database."""
    options, layout = stand_in_options(data), stand_ins.get_layout(name)
    clips = []
    for part in layout.parts or (name,):
        of_part = stand_ins.get_layout(part).draw_clips(options.seed)
        if options.clips is not None:
            of_part = evenly_spaced(of_part, min(options.clips, len(of_part)))
        clips += [(part, clip) for clip in of_part]
    return clips


def mean_frames(table: pd.DataFrame) -> int:
    """Return the mean number of frames of the clips of a samples table, onset to offset."""
    lengths = (table["offset"] - table["onset"] + 1).dropna()
    return max(1, round(float(lengths.mean()))) if len(lengths) else USUAL_FRAMES
