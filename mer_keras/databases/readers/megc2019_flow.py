"""MEGC 2019 composite set as optical flow: 442 clips of SMIC-HS, CASME II and SAMM, 68 subjects.

One 28x28 image a clip, made by its publishers from the onset and the apex frame: horizontal flow,
vertical flow and optical strain as red, green and blue, each scaled to 0..255. It is read as its
publishers ship it, divided by subjects or flat (see ``published_flow``), or listed by
``samples.csv``, whose emotions already are the three classes of the challenge.
"""

from pathlib import Path

from mer_keras.databases.delimited import read_csv
from mer_keras.databases.entry import Database, describe
from mer_keras.databases.folders import incomplete
from mer_keras.databases.readers.published_flow import (
    ClipName,
    PublishedFlow,
    clip_name,
    divided_images,
    flat_images,
    listed_database,
    listed_root,
    named_images,
    normal_subject,
    parts_of,
)
from mer_keras.databases.samples import ClipAnnotation, FlowImage, Reading
from mer_keras.databases.tables import table_rows
from mer_keras.errors import AnnotationError, InvariantError
from mer_keras.flow_channels import FlowOrder

NAME = "megc2019_flow"
TABLE = "samples.csv"
#: Name of the one image of a clip.
IMAGE = "onset_apex"

_COLUMNS = dict.fromkeys(("database", "subject", "clip", "emotion", "image"), ())


def read(root: Path) -> Reading:
    """Read the set in whichever layout it is there.

    Args:
        root: the folder that holds ``samples.csv``, or one of the published layouts.

    Returns:
        One annotation a clip, ``database`` that of the clip; no frame numbers. Its ``path`` is the
        image, also by its name in ``flow_images``.

    Raises:
        AnnotationError: no layout is there, or it breaks its format.
    """
    listed = listed_root(root, TABLE, _COLUMNS)
    if listed is not None:
        return _listed(listed)
    published = divided_images(root) or _flat(root)
    if published is None:
        problem = f"{root / TABLE} is absent, and {root} holds no images in a published layout"
        raise incomplete(problem, DATABASE.tree)
    clips = [
        _annotation(name, published.paths[name], published.classes[name], published.rows.get(name))
        for name in sorted(published.paths)
    ]
    if not clips:
        raise incomplete(f"{published.source}: no clip has both image and class", DATABASE.tree)
    return published.reading(clips, DATABASE.tree)


def _listed(root: Path) -> Reading:
    table = root / TABLE
    rows, remarks = table_rows(read_csv(table), _COLUMNS, table)
    clips = []
    for row in rows:
        database = listed_database(row, "database")
        subject = normal_subject(database, row.name("subject"), row.where("subject"))
        clip = ClipName(database, subject, row.name("clip"))
        emotion = row.required_text("emotion").lower()
        path = row.path("image", root, linked_trees=True)
        clips.append(_annotation(clip, path, emotion, row.number))
    return Reading(table, clips, DATABASE.tree, edition=TABLE, warnings=remarks)


def _flat(root: Path) -> PublishedFlow | None:
    found = named_images(root)
    if found is None:
        return None
    folder, paths = found
    if any(len(names) > 1 for names in parts_of(paths).values()):
        raise AnnotationError(
            f"{folder}: holds several images of a clip, such as those that end in _1, _2 and _3: "
            "it is the set megc2019_key_frames; read or import it under that name"
        )
    clips = {name: path for stem, path in paths.items() if (name := clip_name(stem))}
    published = flat_images(folder, root, clips)
    published.paths = {name: path for name, path in clips.items() if name in published.classes}
    return published


def _annotation(name: ClipName, path: Path, emotion: str, row: int | None) -> ClipAnnotation:
    images = {IMAGE: FlowImage(path, file_channels(DATABASE))}
    return ClipAnnotation(*name, path, emotion, row=row, flow_images=images)


def file_channels(database: Database) -> FlowOrder:
    """Return what red, green and blue of a database's flow images are.

    Raises:
        InvariantError: its entry doesn't say.
    """
    if database.flow_channels is None:
        raise InvariantError(f"{database.name}.yaml must say its flow_channels")
    return database.flow_channels


DATABASE = describe(NAME, read, Database)
