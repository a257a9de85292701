"""``mer-keras doctor``: what is wrong is found and told with its remedy."""

import json

import pytest

pytest.importorskip("keras")
from mer_keras import doctor
from mer_keras.cli.main import app
from mer_keras.errors import UserError


def named(checks, name):
    return next(check for check in checks if check.name == name)


def test_a_machine_that_can_test_is_ready(places):
    checks = doctor.examine()
    assert {c.name for c in checks} == {
        "packages",
        "devices",
        "memory",
        "results",
        "cache",
        "databases",
    }
    assert [c.problem for c in checks] == [""] * 6
    assert "CPU cores" in named(checks, "devices").found
    assert "drawn faces" in named(checks, "databases").found


def test_a_gpu_that_is_asked_for_must_be_there(places):
    import keras

    if any("gpu" in str(d).lower() for d in keras.distribution.list_devices()):
        pytest.skip("there is one")
    check = named(doctor.examine("gpu"), "devices")
    assert check.problem == "no GPU is used"
    assert "make gpu-setup" in check.remedy


def test_a_device_that_computes_wrongly_is_found(places, monkeypatch):
    import keras

    monkeypatch.setattr(keras.ops, "matmul", lambda a, b: 0 * a)
    assert "computes wrongly" in named(doctor.examine(), "devices").problem


def test_a_backend_that_fails_is_told_not_thrown(places, monkeypatch):
    import keras

    def broken(*_):
        raise RuntimeError("libcuda.so: cannot open shared object file")

    monkeypatch.setattr(keras.distribution, "list_devices", broken)
    assert "libcuda" in named(doctor.examine(), "devices").problem


def test_an_old_package_is_named(places, monkeypatch):
    real = doctor.installed_version
    old = {"keras": "3.0.0"}
    monkeypatch.setattr(doctor, "installed_version", lambda name: old.get(name) or real(name))
    check = named(doctor.examine(), "packages")
    assert "keras 3.0.0, expected >=3.15.1" in check.problem
    assert check.remedy == "make setup"


@pytest.mark.parametrize(
    ("checkout", "remedy"), [("a clone", "make setup"), (None, "pip install --upgrade mer_keras")]
)
def test_a_package_that_runs_without_being_installed_is_told(monkeypatch, checkout, remedy):
    """It lies in a folder on the path, without what an installation notes of it."""

    def requires(name):
        raise doctor.PackageNotFoundError(name)

    monkeypatch.setattr(doctor, "requires", requires)
    monkeypatch.setattr(doctor.settings, "checkout", lambda: checkout)
    check = doctor._packages()
    assert "mer_keras itself is not installed" in check.problem
    assert check.remedy == remedy
    assert "keras 3." in check.found


def test_tensorflow_without_gpu_kernels_stands_for_tensorflow(monkeypatch):
    from mer_keras import provenance

    def version(package):
        if package == "tensorflow-cpu":
            return "2.21.0"
        raise provenance.PackageNotFoundError(package)

    monkeypatch.setattr(provenance, "version", version)
    assert provenance.versions()["tensorflow"] == "2.21.0"
    with pytest.raises(provenance.PackageNotFoundError):
        provenance.installed_version("keras")


def test_without_a_clone_the_remedies_are_pips(places, monkeypatch):
    import keras

    monkeypatch.setattr(doctor.settings, "checkout", lambda: None)
    monkeypatch.setattr(doctor, "installed_version", lambda name: "0.1")
    assert named(doctor.examine(), "packages").remedy == "pip install --upgrade mer_keras"
    if not any("gpu" in str(d).lower() for d in keras.distribution.list_devices()):
        assert "mer_keras[gpu]" in named(doctor.examine("gpu"), "devices").remedy


def test_little_memory_and_a_full_disk(places, monkeypatch):
    usage = doctor.shutil.disk_usage(places)
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: usage._replace(free=10**8))
    monkeypatch.setattr(doctor.os, "sysconf", lambda _: 2**16)
    checks = doctor.examine()
    assert "less than the 8 GiB" in named(checks, "memory").problem
    assert "less than 2 GiB free" in named(checks, "results").problem
    assert "MER_RESULTS" in named(checks, "results").remedy


def test_a_folder_that_cannot_be_written(places, monkeypatch):
    def refuse(**_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(doctor.tempfile, "NamedTemporaryFile", refuse)
    assert "can't be written: Permission denied" in named(doctor.examine(), "cache").problem


def test_data_that_is_nowhere(places, monkeypatch):
    monkeypatch.setenv("MER_DATA", str(places / "nowhere"))
    assert "no folder" in named(doctor.examine(), "databases").problem


def test_the_verb_ends_with_2_where_something_is_wrong(places, monkeypatch, capsys):
    from typer.testing import CliRunner

    done = CliRunner().invoke(app, ["doctor", "--json"])
    assert done.exit_code == 0
    assert len(json.loads(done.stdout)) == 6
    monkeypatch.setenv("MER_DATA", str(places / "nowhere"))
    done = CliRunner().invoke(app, ["doctor"])
    assert isinstance(done.exception, UserError)
    assert "set MER_DATA" in str(done.exception)
    done = CliRunner().invoke(app, ["doctor", "--device", "tpu"])
    assert "expected any or gpu" in str(done.exception)
