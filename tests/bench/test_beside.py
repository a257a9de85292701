"""Networks written without this suite are those that their steps are compared with."""

import types
from functools import partial

import pytest

keras = pytest.importorskip("keras")
from mer_keras.bench import beside  # noqa: E402
from mer_keras.bench.beside import cases, resized  # noqa: E402
from mer_keras.bench.case import CaseOptions, case_file  # noqa: E402
from mer_keras.bench.loso import load_script  # noqa: E402
from mer_keras.bench.measure import NotMeasuredError  # noqa: E402
from mer_keras.models import registry  # noqa: E402
from mer_keras.models.counting import without_values  # noqa: E402

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
    network = without_values(partial(script.build, name))
    assert script.parameter_count(network) == registry.get_spec(name).trainable_parameters


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


class Form:
    """A network of six trained weights and four without gradient; its steps are written down."""

    trainable_weights = (types.SimpleNamespace(name="kernel", shape=(2, 3)),)
    weights = (
        *trainable_weights,
        types.SimpleNamespace(name="idle", shape=(4,)),
        types.SimpleNamespace(name="moving_mean", shape=(5,)),
    )

    def __init__(self, name="", batch=0, *, count=6):
        self.count, self.batch, self.steps = count, batch, STEPS

    def parameter_count(self):
        return self.count

    def __call__(self):
        self.steps.append("plain")

    def train_on_batch(self, clips, labels):
        self.steps.append("ours")


STEPS = []


@pytest.fixture
def forms(monkeypatch):
    """Networks and scripts give such forms, whose steps take a second each."""
    STEPS.clear()
    script = types.SimpleNamespace(Step=Form)
    monkeypatch.setattr(beside, "compiled_network", lambda *arguments: (Form(), [], []))
    monkeypatch.setattr(beside, "load_script", lambda name: script)
    monkeypatch.setattr(beside, "matrix_products", lambda **options: lambda: 384e9)
    monkeypatch.setattr(beside, "multiply_accumulates", lambda network: 2e9)
    monkeypatch.setattr(beside, "timed", lambda step, *_, **__: (step(), 1.0)[1:])
    return script


def measure(folder, *, quick=False, script="plain_keras_frames"):
    options = CaseOptions(quick=quick, folder=folder)
    return beside.take_turns(options, name="learnet", scripts=[script])


def test_forms_take_turns(forms, tmp_path):
    plain, ours = measure(tmp_path)
    assert STEPS == ["plain", "ours"] + ["plain", "ours", "ours", "plain"] * 2 + ["plain", "ours"]
    assert (plain.way, ours.way) == ("plain Keras", "mer_keras")
    assert plain.seconds == ours.seconds == (1.0,) * 5
    assert ours.facts == {  # 16 clips, six operations for each of 2e9 multiply-accumulates.
        "share of matrix products": 0.5,
        "matrix products, GFLOP/s": 384.0,
        "times plain Keras": 1.0,
    }
    assert [m.seconds for m in measure(tmp_path, quick=True)] == [(1.0,)] * 2


def test_this_suite_may_compute_in_other_formats_too(forms, monkeypatch, tmp_path):
    policies = []

    def compiled_network(*_):
        policies.append(keras.config.dtype_policy().name)
        return Form(), [], []

    monkeypatch.setattr(beside, "compiled_network", compiled_network)
    monkeypatch.setattr(
        beside,
        "matrix_products",
        lambda *, policy, **_: lambda: 768e9 if policy == "mixed_bfloat16" else 384e9,
    )
    options = CaseOptions(quick=True, folder=tmp_path)
    measured = beside.take_turns(
        options,
        name="learnet",
        scripts=["plain_keras_frames"],
        clips=16,
        precisions=["float32", "mixed_bfloat16"],
    )
    assert [m.way for m in measured] == ["plain Keras", "mer_keras", "mer_keras, mixed_bfloat16"]
    assert policies == ["float32", "mixed_bfloat16"]
    assert keras.config.dtype_policy().name == "float32"
    _, single, mixed = (m.facts for m in measured)
    assert single["share of matrix products"] == 2 * mixed["share of matrix products"]


def test_forms_of_other_sizes_are_not_compared(forms, monkeypatch, tmp_path):
    monkeypatch.setattr(forms, "Step", partial(Form, count=7))
    with pytest.raises(NotMeasuredError, match="7 parameters in plain Keras, 6 here"):
        measure(tmp_path)


def test_a_form_may_have_parameters_that_get_no_gradient(forms, monkeypatch, tmp_path):
    monkeypatch.setattr(forms, "Step", partial(Form, count=10))
    assert measure(tmp_path)


def test_a_form_whose_framework_is_missing_is_left_out(forms, monkeypatch, tmp_path):
    monkeypatch.setattr(beside.importlib.util, "find_spec", lambda module: None)
    with pytest.raises(NotMeasuredError, match="torch: not installed"):
        measure(tmp_path, script="plain_torch_frames")


@pytest.mark.long
def test_learnet_in_plain_keras_learns():
    assert load_script("plain_keras_frames").Step("learnet", 2)() > 0
