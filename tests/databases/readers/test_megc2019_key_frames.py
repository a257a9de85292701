"""Four flow images a clip: as published, as a list, and as several inputs."""

from dataclasses import replace

import pytest

from mer_keras.databases import registry
from mer_keras.databases.label_schemes import get_scheme
from mer_keras.databases.labels import apply_scheme
from mer_keras.databases.loading import finish
from mer_keras.databases.readers import megc2019_key_frames
from mer_keras.databases.readers.megc2019_key_frames import DIRECTION, IMAGES
from mer_keras.errors import AnnotationError
from mer_keras.terms import DataKind
from tests.databases import published_flow
from tests.databases.published_flow import CLIPS, divided, flat, stem_of
from tests.databases.trees import touch


@pytest.fixture(autouse=True)
def _no_other_data(tmp_path, monkeypatch):
    monkeypatch.setenv("MER_DATA", str(tmp_path / "nothing"))


def read(root):
    return finish(megc2019_key_frames.read(root), DataKind.PUBLIC)


def failure(root):
    with pytest.raises(AnnotationError) as caught:
        read(root)
    return str(caught.value)


def published(root, **options):
    return flat(
        root, folder="datasets/STSNet_whole_norm_u_v_os", images=published_flow.IMAGES, **options
    )


def check(samples):
    assert samples.table.set_index("sample_id")["emotion"].to_dict() == CLIPS
    for clip, images in samples.flow_images.items():
        assert tuple(images) == IMAGES
        names = [image.path.stem.strip() for image in images.values()]
        assert names == [stem_of(clip) + end for end in published_flow.IMAGES]
        flow, directions = list(images.values())[:2], list(images.values())[2:]
        assert {image.channels for image in flow} == {("u", "v", "strain")}
        assert {image.channels for image in directions} == {DIRECTION}
    labelled = apply_scheme(samples, get_scheme("megc3"))
    assert labelled.flow_images == samples.flow_images
    assert replace(labelled, warnings=()).ids == samples.ids


@pytest.mark.parametrize("end", [" .png", ".png"])
def test_published_images_beside_the_table_of_classes(tmp_path, end):
    check(read(published(tmp_path / "set", end=end)))


def test_published_images_with_the_classes_of_the_other_set(tmp_path):
    divided(tmp_path / "megc2019_flow")
    samples = read(published(tmp_path / "clone", table=False))
    check(samples)
    assert samples.editions == ("images of STSNet_whole_norm_u_v_os, classes of megc2019_flow",)


def test_without_classes_it_says_where_they_are(tmp_path):
    message = failure(published(tmp_path / "clone", table=False))
    assert "combined_3_class2_for_optical_flow.csv" in message and "megc2019_flow" in message


def test_a_clip_that_lacks_an_image_is_left_out_with_the_reason(tmp_path):
    root = published(tmp_path / "set")
    (root / "datasets/STSNet_whole_norm_u_v_os" / "006_006_1_2_2 .png").unlink()
    (excluded,) = read(root).excluded
    assert excluded.clip == "006/006_1_2"
    assert excluded.reason.startswith("no image onset_apex_direction of it")


def listed(root, *, absent=()):
    lines = [",".join(["database", "subject", "clip", "emotion", *IMAGES])]
    for clip, emotion in CLIPS.items():
        files = [f"images/{stem_of(clip)}{end}.png" for end in published_flow.IMAGES]
        for file in files:
            if file not in absent:
                touch(root / file)
        lines.append(",".join([*clip.split("/"), emotion, *files]))
    (root / "samples.csv").write_text("\n".join(lines) + "\n")
    return root


def test_a_list_of_four_images(tmp_path):
    check(read(listed(tmp_path / "set")))


def test_a_list_whose_image_is_absent(tmp_path):
    message = failure(listed(tmp_path / "set", absent=("images/sub03_EP01_2_1.png",)))
    assert "row 3, column 'apex_offset'" in message and "sub03_EP01_2_1.png is absent" in message


def test_neither_images_nor_list(tmp_path):
    (tmp_path / "set").mkdir()
    assert "holds no images named after clips" in failure(tmp_path / "set")


@pytest.mark.flow
def test_real_set(monkeypatch):
    monkeypatch.undo()
    if registry.find("megc2019_key_frames") is None:
        pytest.skip("megc2019_key_frames is not under MER_DATA")
    samples = apply_scheme(registry.load("megc2019_key_frames"), get_scheme("megc3"))
    assert samples.class_counts() == {"negative": 250, "positive": 109, "surprise": 83}
    assert samples.warnings == () and samples.excluded == ()
