"""Published layouts of the MEGC 2019 flow images, with a few of the real clips' names."""

from mer_keras.databases.readers.published_flow import CLASSES
from tests.databases.trees import IMAGE, touch

#: Names in which a clip's own end looks like the number of an image are among them.
CLIPS = {
    "casme2/sub01/EP02_01f": "positive",
    "casme2/sub03/EP01_2": "surprise",
    "casme2/sub07/EP06_02_01": "negative",
    "casme2/sub07/EP06_02_02": "negative",
    "samm/006/006_1_2": "negative",
    "samm/006/006_3_5": "surprise",
    "smic/s03/s03_po_11": "positive",
}
IMAGES = ("", "_1", "_2", "_3")


def label_of(clip, clips=CLIPS):
    return str(CLASSES.index(clips[clip]))


def stem_of(clip):
    return "_".join(clip.split("/")[1:])


def divided(root, *, end=" .png", clips=CLIPS, trained=True):
    """Write the layout that is divided by subjects."""
    subjects = dict.fromkeys(clip.split("/")[1] for clip in clips)
    for subject in subjects:
        for clip in clips:
            own = clip.split("/")[1] == subject
            if own or trained:
                part = "u_test" if own else "u_train"
                touch(root / subject / part / label_of(clip) / f"{stem_of(clip)}{end}")
    return root


def flat(
    root,
    *,
    folder="STSNet_whole_norm_u_v_os",
    end=" .png",
    images=("",),
    table=True,
    clips=CLIPS,
    content=IMAGE,
):
    """Write the flat layout, with one or four images a clip."""
    for clip in clips:
        for image in images:
            touch(root / folder / f"{stem_of(clip)}{image}{end}", content)
    if table:
        write_table(root, clips, labels=clips)
    return root


def write_table(root, clips, name="combined_3_class2_for_optical_flow.csv", labels=CLIPS):
    lines = ["dataset,sub,filename_o,label,apex,imagename,sub_filename"]
    for clip in clips:
        database, subject, own_name = clip.split("/")
        label = label_of(clip, labels)
        lines.append(f"{database},{subject},{own_name},{label},,{stem_of(clip)}.jpg,")
    root.mkdir(parents=True, exist_ok=True)
    (root / name).write_text("\n".join(lines) + "\n")
