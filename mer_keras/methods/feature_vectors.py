"""Feature vectors of clips: one clip after the other, on all cores, kept in the cache.

Only the clips that are being computed and the table of vectors are in memory, so that clips may
come from anywhere, and be many.
"""

import hashlib
import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np
from pydantic import JsonValue

from mer_keras import features
from mer_keras.arrays import Array, Inputs
from mer_keras.clips.cache import Entry, Parameters, derive
from mer_keras.features.registry import check_feature, extract, feature_table, vector_of

#: Features whose vector is read from the disk faster than it is computed.
CACHED = frozenset({"higo_top", "hog_3d", "hog_top", "lbp_mop", "lbp_top", "stclqp", "stlbp_ip"})


def feature_vectors(name: str, clips: Inputs, arguments: Mapping[str, JsonValue]) -> Array:
    """Compute a feature of each clip, as ``features.registry.extract``; some through the cache."""
    if name not in CACHED or isinstance(clips, tuple):
        return extract(name, clips, arguments)
    return cached_vectors(name, clips, len(clips), arguments)


def cached_vectors(
    name: str, clips: Iterable[Array], total: int, arguments: Mapping[str, JsonValue]
) -> Array:
    """Compute a feature of each clip, or read it from the cache, on all cores.

    A vector is known by the clip's values, the feature's arguments and the source code of all
    features: changed code reads no old vector.

    Args:
        name: a feature of one input, of the package itself.
        clips: asked for one after the other, a few ahead of those that are computed.
        total: how many there are.
        arguments: of the feature.

    Returns:
        float32 (total, length), in the order of ``clips``.

    Raises:
        ConfigError: see ``features.registry.extract``.
    """
    check_feature(name, arguments)
    params: Parameters = {
        "arguments": dict(arguments),
        "source": _source_digest(),
        "numpy": np.__version__,
    }

    def vector(number: int, clip: Array) -> Array:
        digest = hashlib.blake2b(f"{clip.shape} {clip.dtype}\n".encode(), digest_size=20)
        digest.update(np.ascontiguousarray(clip).data)
        entry = Entry(clip, {}, key=digest.hexdigest())
        return derive(
            entry,
            f"feature {name}",
            params,
            lambda array: vector_of(name, array, arguments, number, total),
        ).array

    def vectors() -> Iterator[Array]:
        cores = os.cpu_count() or 1
        waiting: deque[Future[Array]] = deque()
        with ThreadPoolExecutor(cores) as pool:
            try:
                for number, clip in enumerate(clips, start=1):
                    waiting.append(pool.submit(vector, number, clip))
                    if len(waiting) > 2 * cores:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            except BaseException:  # After Ctrl-C or a bad clip, no other clip is computed.
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    return feature_table(name, vectors(), total)


@cache
def _source_digest() -> str:
    """Digest of the modules of ``features``, on which vectors depend beside their clips."""
    digest = hashlib.blake2b(digest_size=16)
    for file in sorted(Path(features.__path__[0]).iterdir()):
        if file.suffix in (".py", ".yaml"):
            digest.update(file.read_bytes())
    return digest.hexdigest()
