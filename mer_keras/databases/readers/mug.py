"""MUG (Aifanti et al., WIAMIS 2010): posed expressions as sequences.

Its layout is put together from descriptions: no public loader was found to compare with, and a
remark says so wherever it is read.
"""

from pathlib import Path

from mer_keras.databases.entry import Database
from mer_keras.databases.folders import images, require_inside, subfolders
from mer_keras.databases.samples import ClipAnnotation, Reading
from mer_keras.errors import AnnotationError

NAME = "mug"
EMOTIONS = {
    "anger": "anger",
    "disgust": "disgust",
    "fear": "fear",
    "happiness": "happiness",
    "neutral": "neutral",
    "sadness": "sadness",
    "surprise": "surprise",
}
TREE = """MUG/
  001/anger/take000/img_0000.jpg   <subject>/<expression>/<take>/<frame>.jpg"""
UNVERIFIED = "the layout of MUG is unverified: compare the counts with your copy"


def read(root: Path) -> Reading:
    """Find the sequences; the level of takes may be missing.

    Args:
        root: the folder that holds one folder a subject.

    Returns:
        One annotation a take, without frame numbers: the apex is not annotated.

    Raises:
        AnnotationError: there is no sequence.
    """
    clips = []
    for subject in subfolders(root):
        for folder in subfolders(subject):
            emotion = EMOTIONS.get(folder.name.lower())
            if emotion is None:
                continue
            for take in subfolders(folder) or [folder]:
                if not images(take):
                    continue
                name = folder.name if take == folder else f"{folder.name}-{take.name}"
                path = require_inside(take, root, str(subject))
                clips.append(ClipAnnotation(NAME, subject.name, name, path, emotion))
    if not clips:
        raise AnnotationError(
            f"{root}: no sequence: expected the tree\n{TREE}\nunpack the database completely"
        )
    return Reading(root, clips, TREE, edition="folders", warnings=[UNVERIFIED])


DATABASE = Database(
    name=NAME,
    title="MUG facial expressions",
    folders=("MUG",),
    reader=read,
    whom_to_ask=(
        "Aristotle University of Thessaloniki, Multimedia Understanding Group: sign the licence\n"
        "agreement at https://mug.ee.auth.gr/fed/ and send it as described there."
    ),
    tree=TREE,
    expressions="macro",
)
