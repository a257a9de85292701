"""Synthetic databases: procedural clips in the official layouts, with the official counts.

A reader can't tell one from a real database, on purpose. Only the marker file in its root
(``terms.SYNTHETIC_MARKER``) says it, and gives its data their kind. It is written first, so that no
kill leaves synthetic frames without it.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import yaml

from mer_keras import settings
from mer_keras.errors import UserError, did_you_mean
from mer_keras.progress import CountProgress
from mer_keras.synthetic.cas_me2 import CasMe2
from mer_keras.synthetic.casme import Casme
from mer_keras.synthetic.casme2 import Casme2
from mer_keras.synthetic.ckplus import CkPlus
from mer_keras.synthetic.layout import Layout
from mer_keras.synthetic.megc2019 import Megc2019
from mer_keras.synthetic.options import GENERATOR_VERSION, StandInOptions
from mer_keras.synthetic.rendering import rendered_clips
from mer_keras.synthetic.samm import Samm
from mer_keras.synthetic.stills import Fer2013, RafDb
from mer_keras.synthetic.synthetic_clip import SyntheticClip, evenly_spaced
from mer_keras.terms import SYNTHETIC_MARKER
from mer_keras.whole_files import draft_folder

_CLASSES: dict[str, type[Layout]] = {
    "cas_me2": CasMe2,
    "casme": Casme,
    "casme2": Casme2,
    "ckplus": CkPlus,
    "fer2013": Fer2013,
    "megc2019": Megc2019,
    "rafdb": RafDb,
    "samm": Samm,
}

#: Database -> its layout.
LAYOUTS: dict[str, Layout] = {
    path.stem: _CLASSES.get(path.stem, Layout)(
        name=path.stem, **yaml.safe_load(path.read_text(encoding="utf-8"))
    )
    for path in sorted((Path(__file__).parent / "layouts").glob("*.yaml"))
}


def get_layout(name: str) -> Layout:
    """Return the layout of a database.

    Raises:
        UserError: there is no synthetic stand-in for it.
    """
    if name not in LAYOUTS:
        raise UserError(
            f"no synthetic stand-in for database {name!r}{did_you_mean(name, LAYOUTS)}: "
            f"there is one for {', '.join(sorted(LAYOUTS))}"
        )
    return LAYOUTS[name]


def write(
    name: str,
    root: Path,
    options: StandInOptions | None = None,
    progress: CountProgress | None = None,
) -> None:
    """Write a synthetic database.

    Args:
        name: a key of ``LAYOUTS``.
        root: a folder that is empty or doesn't exist yet. The parts of a composite database are
            written beside it.
        options: how its clips are rendered.
        progress: called with (clips done, clips in all).

    Raises:
        UserError: there is no writer for ``name``, or ``root`` holds something.
    """
    layout, options = get_layout(name), options or StandInOptions()
    clips: list[SyntheticClip] = []
    for part in [get_layout(part) for part in layout.parts] or [layout]:
        clips += _choose(part.draw_clips(options.seed), options.clips)
        if layout.parts:
            write(part.name, root.parent / part.folder, options, progress)
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise UserError(
            f"{root} is not an empty folder: a synthetic database is only written to a new place"
        )
    root.mkdir(parents=True, exist_ok=True)
    marker = {
        "database": name,
        "generator_version": GENERATOR_VERSION,
        "seed": options.seed,
        "signal": options.motion,
        "strength": options.strength,
        "size": "native" if options.native else options.size or layout.size,
        "clips": len(clips),
        "note": "Procedural drawings that resemble nobody: a check of the pipeline, not data.",
    }
    (root / SYNTHETIC_MARKER).write_text(json.dumps(marker, indent=2) + "\n", encoding="utf-8")
    if not layout.parts:
        frames_root = root if layout.frame_file else None
        rendered = rendered_clips(layout, clips, options, progress, frames_root)
        layout.write_frames(root, rendered)
    layout.write_tables(root, clips)


def ensure(
    name: str, options: StandInOptions | None = None, progress: CountProgress | None = None
) -> Path:
    """Return the root of a synthetic database in the cache, writing it if it isn't there.

    It is written beside its final folder and renamed, so that this folder is always whole. Two
    processes may ask at once: both write, the first one's stays.

    Args:
        name: a key of ``LAYOUTS``.
        options: how its clips are rendered.
        progress: as for ``write``; not called if nothing is to be written.

    Raises:
        UserError: there is no writer for ``name``.
    """
    layout, options = get_layout(name), options or StandInOptions()
    root = _root_of(layout, options)
    if is_drawn(name, options):
        return root
    folder = root.parent
    cache = folder.parent
    cache.mkdir(parents=True, exist_ok=True)
    with draft_folder(cache, ".draft-") as draft:
        # A draft is private, so it is a folder within it that is moved.
        written = draft / folder.name
        write(name, written / layout.folder, options, progress)
        if folder.exists() and not (root / layout.last).exists():
            folder.rename(draft / "damaged")  # Somebody took files out of it.
        try:
            written.rename(folder)
        except OSError:
            # Another process may have been faster, with the same bytes.
            if not (root / layout.last).exists():
                raise
    return root


def is_drawn(name: str, options: StandInOptions | None = None) -> bool:
    """Whether ``ensure`` would find the database in the cache.

    Raises:
        UserError: there is no writer for ``name``.
    """
    layout = get_layout(name)
    return (_root_of(layout, options or StandInOptions()) / layout.last).exists()


def _root_of(layout: Layout, options: StandInOptions) -> Path:
    return settings.cache_root() / "synthetic" / options.key(layout) / layout.folder


def _choose(clips: Sequence[SyntheticClip], count: int | None) -> list[SyntheticClip]:
    """Return so many of the clips, evenly spaced."""
    if count is None:
        return list(clips)
    if not 1 <= count <= len(clips):
        raise UserError(f"clips={count}: expected 1 to {len(clips)}, or None for all")
    return evenly_spaced(clips, count)
