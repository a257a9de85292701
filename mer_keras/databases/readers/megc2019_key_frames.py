"""MEGC 2019 composite set, four images a clip, published with CausalNet (Zhang et al., ICCV 2025).

The clips, subjects and classes are those of ``megc2019_flow``; the flow was computed anew on faces
that were cropped otherwise. Beside the flow from the onset to the apex there is that from the apex
to the offset, and an image of the directions of each. A recipe names the one that it reads by
``image``; a network of several streams reads several inputs.

By its values, red and green of an image of directions are the colour of a hue from red over yellow
to green, and blue is empty: the angle of flow whose two channels were both scaled to 0 and above.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from mer_keras.databases.delimited import read_csv
from mer_keras.databases.entry import Database, describe
from mer_keras.databases.folders import incomplete, near_tables
from mer_keras.databases.locate import find_folder
from mer_keras.databases.readers import megc2019_flow
from mer_keras.databases.readers.megc2019_flow import file_channels
from mer_keras.databases.readers.published_flow import (
    TABLE as CLASS_TABLE,
)
from mer_keras.databases.readers.published_flow import (
    ClipName,
    PublishedFlow,
    clip_name,
    flat_images,
    listed_database,
    listed_root,
    named_images,
    normal_subject,
    parts_of,
)
from mer_keras.databases.samples import ClipAnnotation, FlowImage, Reading
from mer_keras.databases.tables import TableRow, table_rows
from mer_keras.errors import AnnotationError

NAME = "megc2019_key_frames"
TABLE = "samples.csv"
#: Images of a clip by name, in the order of the numbers at the end of their published names.
IMAGES = ("onset_apex", "apex_offset", "onset_apex_direction", "apex_offset_direction")
#: What red, green and blue of an image of directions are.
DIRECTION = ("red of the hue", "green of the hue", "empty")

_COLUMNS = dict.fromkeys(("database", "subject", "clip", "emotion", *IMAGES), ())


def read(root: Path) -> Reading:
    """Read the set as it is published, in one folder, or listed by ``samples.csv``.

    The published folder has no classes: they come from the table that ``megc2019_flow`` has beside
    its flat layout, or from ``megc2019_flow`` itself beside this folder or in a data root.

    Args:
        root: the folder that holds ``samples.csv`` or, somewhere, the images.

    Returns:
        One annotation a clip, its four images by name; ``path`` is that from onset to apex.

    Raises:
        AnnotationError: there are no images or no classes, or they break their format.
    """
    listed = listed_root(root, TABLE, _COLUMNS)
    if listed is not None:
        table = listed / TABLE
        rows, remarks = table_rows(read_csv(table), _COLUMNS, table)
        clips = [_listed(row, listed) for row in rows]
        return Reading(table, clips, DATABASE.tree, edition=TABLE, warnings=remarks)
    found = named_images(root)
    if found is None:
        problem = f"{root / TABLE} is absent, and {root} holds no images named after clips"
        raise incomplete(problem, DATABASE.tree)
    folder, paths = found
    images_of = {
        name: {number: paths[stem] for number, stem in parts.items()}
        for first, parts in parts_of(paths).items()
        if (name := clip_name(first))
    }
    published = _classes(folder, root, images_of)
    clips = []
    for name in sorted(images_of):
        if name not in published.classes:
            continue
        missing = [image for number, image in enumerate(IMAGES) if number not in images_of[name]]
        if missing:
            published.leave_out(name, f"no image {', '.join(missing)} of it in {folder.name}")
            continue
        images = {image: images_of[name][number] for number, image in enumerate(IMAGES)}
        row = published.rows.get(name)
        clips.append(_annotation(name, images, published.classes[name], row))
    if not clips:
        raise incomplete(f"{folder}: no clip has four images and a class", DATABASE.tree)
    return published.reading(clips, DATABASE.tree)


def _listed(row: TableRow, root: Path) -> ClipAnnotation:
    database = listed_database(row, "database")
    subject = normal_subject(database, row.name("subject"), row.where("subject"))
    images = {name: row.path(name, root, linked_trees=True) for name in IMAGES}
    absent = [name for name, path in images.items() if not path.is_file()]
    if absent:
        raise AnnotationError(
            f"{row.where(absent[0])}: {images[absent[0]]} is absent: expected an image; copy the "
            "set completely, or remove the row"
        )
    emotion = row.required_text("emotion").lower()
    return _annotation(ClipName(database, subject, row.name("clip")), images, emotion, row.number)


def _annotation(
    name: ClipName, images: Mapping[str, Path], emotion: str, row: int | None
) -> ClipAnnotation:
    order = file_channels(DATABASE)
    flow_images = {
        image: FlowImage(path, DIRECTION if image.endswith("direction") else order)
        for image, path in images.items()
    }
    path = images[IMAGES[0]]
    return ClipAnnotation(*name, path, emotion, row=row, flow_images=flow_images)


def _classes(folder: Path, root: Path, names: Iterable[ClipName]) -> PublishedFlow:
    """Return the classes of the clips, from a table in the folder or from ``megc2019_flow``."""
    tables = [Path(table).name for table in near_tables(root)]
    flow = None if CLASS_TABLE in tables else find_folder(megc2019_flow.DATABASE, root.parent)
    if flow is None and CLASS_TABLE not in tables:
        raise AnnotationError(
            f"{root}: no classes: expected {CLASS_TABLE} in it (it lies in HTNet's repository, see "
            "mer-keras data howto megc2019_flow), or the database megc2019_flow beside it or under "
            "MER_DATA"
        )
    if flow is None:
        return flat_images(folder, root, names)
    reading = megc2019_flow.read(flow)
    published = PublishedFlow(folder, f"images of {folder.name}, classes of {flow.name}")
    published.classes = {
        ClipName(clip.database, clip.subject, clip.clip): clip.emotion for clip in reading.clips
    }
    present = set(names)
    for name in sorted(present - set(published.classes)):
        published.leave_out(name, f"images, but no class in {flow.name}")
    for name in sorted(set(published.classes) - present):
        published.leave_out(name, f"a class in {flow.name}, but no image in {folder.name}")
    return published


DATABASE = describe(NAME, read, Database)
