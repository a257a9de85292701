"""Networks written without this suite are those that their steps are compared with."""

import pytest

keras = pytest.importorskip("keras")
from mer_keras.bench.beside import cases, resized, take_turns  # noqa: E402
from mer_keras.bench.case import CaseOptions, case_file  # noqa: E402
from mer_keras.bench.loso import load_script  # noqa: E402
from mer_keras.bench.measure import NotMeasuredError  # noqa: E402
from mer_keras.models import registry  # noqa: E402

BESIDE = case_file()["beside"]
#: Networks that read frames, or capsules as such networks have them.
FRAME_NETWORKS = {
    *("learnet", "microexp_stcnn", "microexp_fusenet", "microexp_fusenet_late", "alexnet"),
    *("alexnet_lstm", "vgg16", "googlenet", "elrcn", "elrcn_te", "dtscnn", "strcn", "capsulenet"),
    *("emr", "icegan_discriminator"),
}
IN_KERAS = [name for name in BESIDE if "plain_keras_frames" in BESIDE[name]["scripts"]]
IN_TORCH = [name for name in BESIDE if "plain_torch_frames" in BESIDE[name]["scripts"]]


def test_every_network_on_frames_has_a_case():
    assert set(BESIDE) >= FRAME_NETWORKS
    assert [case.name for case in cases()] == [f"step-beside/{name}" for name in BESIDE]
    assert not any(case.quick for case in cases())


@pytest.mark.parametrize("name", IN_KERAS)
def test_plain_keras_has_as_many_trained_parameters(name):
    script = load_script("plain_keras_frames")
    with keras.StatelessScope(initialize_variables=False):
        count = script.parameter_count(script.build(name))
    assert count == registry.get_spec(name).trainable_parameters


@pytest.mark.parametrize("name", IN_TORCH)
def test_plain_pytorch_has_as_many_trained_parameters(name):
    torch = pytest.importorskip("torch")
    script = load_script("plain_torch_frames")
    with torch.device("meta"):
        network, _ = script.build(name, 1)
    assert script.parameter_count(network) == registry.get_spec(name).trainable_parameters


def test_images_of_another_side():
    assert resized((9, 224, 224, 4), None) == (9, 224, 224, 4)
    assert resized((9, 224, 224, 4), 64) == (9, 64, 64, 4)
    assert resized(((300, 245, 2),) * 2, 64) == ((64, 64, 2),) * 2


def test_forms_take_turns(monkeypatch, tmp_path):
    options = CaseOptions(quick=True, folder=tmp_path)
    *others, ours = take_turns(options, name="learnet", scripts=["plain_keras_frames"])
    (plain,) = others
    assert (plain.way, ours.way) == ("plain Keras", "mer_keras")
    ratio = ours.facts["times plain Keras"]
    assert ratio == pytest.approx(ours.seconds[0] / plain.seconds[0], abs=0.01)
    monkeypatch.setattr("mer_keras.bench.beside.importlib.util.find_spec", lambda module: None)
    with pytest.raises(NotMeasuredError, match="torch: not installed"):
        take_turns(options, name="learnet", scripts=["plain_torch_frames"])
