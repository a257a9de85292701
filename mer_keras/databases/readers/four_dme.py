"""4DME (Li et al., IEEE Trans. Affective Computing 2022): its gray videos, 60 frames a second.

Nothing of this reader was compared with a copy: table, columns and folders are put together from
descriptions, and a remark says so wherever it is read. No row of the real table is known.
"""

from pathlib import Path

from mer_keras.databases.entry import describe
from mer_keras.databases.folders import has_images, subfolders, wrappers
from mer_keras.databases.readers.coding import CodedDatabase, LocatedClip
from mer_keras.databases.samples import Reading
from mer_keras.databases.tables import TableRow

NAME = "four_dme"
UNVERIFIED = "the layout of 4DME is unverified: compare the counts with your copy"


def read(root: Path) -> Reading:
    """Read the table and find each clip's folder by its name, with or without a subject's above.

    Args:
        root: the folder that holds the table and the clips, in it or further below.

    Returns:
        One row a clip (see ``CodedDatabase.read_table``).

    Raises:
        AnnotationError: the table is absent, unreadable or breaks its format.
    """
    folders: dict[tuple[str, str], Path] = {}
    for wrapper in wrappers(root):
        for folder in subfolders(wrapper):
            if has_images(folder):
                for subject in (folder.parent.name.lower(), ""):
                    folders.setdefault((subject, folder.name.lower()), folder)

    def locate(row: TableRow) -> LocatedClip:
        subject, clip = row.name("Subject"), row.name("Filename")
        folder = folders.get((subject.lower(), clip.lower())) or folders.get(("", clip.lower()))
        return LocatedClip(subject, clip, folder or root / subject / clip)

    present = dict.fromkeys(folders.values())
    return DATABASE.read_table(root, locate, present, remarks=lambda _: [UNVERIFIED])


DATABASE = describe(NAME, read, CodedDatabase)
