"""Bundles that somebody made or changed: each is refused with a reason, and nothing is run."""

import hashlib
import io
import json
import os
import pickle
import stat
import struct
import zipfile

import numpy as np
import pytest

from mer_keras.bundles.card import CARD, CARD_TEXT, PROBE, Card
from mer_keras.bundles.loading import load_bundle
from mer_keras.errors import UserError
from mer_keras.training.learned import DATE, Learned, from_bytes, to_bytes, zip_of

MEMBER = "members/0.npz"


def members_of(file):
    """Content of a bundle by member."""
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


class Changed:
    """A bundle whose content a test changes, with digests that agree unless it says otherwise."""

    def __init__(self, file, target):
        self.members = members_of(file)
        self.card = json.loads(self.members.pop(CARD))
        self.file = target

    def arrays(self, name=MEMBER):
        return dict(from_bytes(self.members[name], name).arrays)

    def set_arrays(self, arrays, name=MEMBER, **facts):
        old = from_bytes(self.members[name], name)
        self.members[name] = to_bytes(Learned(arrays, {**old.facts, **facts}))

    def agree(self):
        """Write the members' digests into the manifest."""
        self.card["files"] = {
            name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
            for name, content in self.members.items()
        }
        return self

    def write(self, extra=()):
        content = {**self.members, CARD: json.dumps(self.card).encode()}
        self.file.write_bytes(zip_of(content))
        if extra:
            with zipfile.ZipFile(self.file, "a") as archive:
                for info, data in extra:
                    archive.writestr(info, data)
        return self.file


@pytest.fixture
def changed(svm, tmp_path):
    return Changed(svm[1], tmp_path / "changed.mer")


@pytest.fixture(autouse=True)
def nothing_is_written(tmp_path):
    """After each test, only its own file lies in its folder, and no marker beside it."""
    yield
    names = {path.name for path in tmp_path.iterdir()} | {
        path.name for path in tmp_path.parent.iterdir() if path.name in ("evil", "evil.npz")
    }
    assert names <= {"changed.mer", "link.mer"}


def refused(file, match, **options):
    with pytest.raises(UserError, match=match) as error:
        load_bundle(file, **options)
    assert error.value.exit_code == 2


def test_what_is_not_changed_is_read(changed):
    assert load_bundle(changed.agree().write()).classes == ("positive", "negative", "surprise")


@pytest.mark.parametrize("name", [PROBE, MEMBER, CARD_TEXT])
def test_fault_44_a_member_that_was_tampered_with(changed, name):
    content = bytearray(changed.members[name])
    content[-30] ^= 1
    changed.members[name] = bytes(content)
    refused(changed.write(), f"{name} is not what bundle.json says")


def test_fault_44_weights_that_were_changed_with_their_digests(changed):
    """The probe's answers are no longer those of the weights."""
    arrays = changed.arrays()
    arrays["1/coefficients"] = -arrays["1/coefficients"]
    arrays["1/intercepts"] = -arrays["1/intercepts"]
    changed.set_arrays(arrays)
    refused(changed.agree().write(), "answers to its own probe differ by 1")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_fault_44_weights_that_are_no_numbers(changed, value):
    arrays = changed.arrays()
    arrays["1/intercepts"] = np.full_like(arrays["1/intercepts"], value)
    changed.set_arrays(arrays)
    refused(changed.agree().write(), "not finite numbers")


@pytest.mark.parametrize("version", ["mer-keras-bundle/2", None, 1, ["mer-keras-bundle/1"]])
def test_another_version_of_the_form(changed, version):
    changed.card["format"] = version
    refused(changed.write(), "bundle.json: format .* expected 'mer-keras-bundle/1'")


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (("method", "config", "classical", "classifier"), "os.system", "no classifier 'os.system'"),
        (("method", "config", "classical", "feature"), "os:system", "no feature 'os:system'"),
        (("method", "config", "classical", "classifier_arguments"), {"D": 1}, "no argument 'D'"),
        (("method", "config", "classical"), None, "give 'network', 'classical' or 'chance'"),
        (("classes",), ["one"], "classes"),
        (("classes",), ["a", "a", "b"], "a class stands twice"),
        (("classes",), ["a", "b"], "is no classifier of this version"),
        (("inputs", "clips", "shape"), [10**9, 32, 3], "shape"),
        (("inputs", "clips", "shape"), [4096, 4096, 4096], "expected 134,217,728 at most"),
        (("inputs", "clips", "shape"), [32, 31, 3], "a clip of shape"),
        (("inputs", "clips", "high"), -1e9, "expected low < high"),
        (("inputs", "clips", "matched"), True, "'serving' is another recipe than 'clip'"),
        (("estimate",), {"metrics": {}}, "estimate"),
        (("reads",), ["others"], "'reads' must name"),
        (("members",), [], "members"),
        (("training", "data_kind"), "stolen", "data_kind"),
        (("evil",), 1, "evil: unknown key"),
    ],
)
def test_a_manifest_that_cannot_be(changed, path, value, expected):
    changed.agree()
    entry = changed.card
    for key in path[:-1]:
        entry = entry[key]
    entry[path[-1]] = value
    refused(changed.write(), expected)


def test_a_method_that_is_only_described(changed):
    changed.agree().card["method"]["config"] |= {"classical": None, "missing": "its code"}
    refused(changed.write(), "only described")


@pytest.mark.parametrize(
    "text",
    [
        b"[" * 100_000,
        b"{}",
        b"[]",
        b"not JSON",
        b"\xff\xfe",
        b'{"format": "mer-keras-bundle/1", "format": "mer-keras-bundle/1"}',
        b'{"format": NaN}',
        b'{"format": ' + b"9" * 5000 + b"}",
    ],
)
def test_fault_65_a_manifest_that_is_none(changed, text):
    changed.file.write_bytes(zip_of({**changed.members, CARD: text}))
    refused(changed.file, "bundle.json: (not JSON|format)")


def test_fault_65_a_huge_manifest(changed):
    text = json.dumps({"format": "mer-keras-bundle/1", "title": "x" * 2**20}).encode()
    changed.file.write_bytes(zip_of({**changed.members, CARD: text}))
    refused(changed.file, "bundle.json: 1,048,.* bytes, expected 1,048,576 at most")


@pytest.mark.parametrize(
    "name",
    ["../evil", "members/../../evil.npz", "/evil", "C:\\evil", "..\\evil", "evil//x", "evil/"],
)
def test_fault_17_a_name_that_leads_elsewhere(changed, name):
    info = zipfile.ZipInfo(name, DATE)
    file = changed.agree().write([(info, b"evil")])
    refused(file, "leads elsewhere|expected files alone")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO])
def test_fault_17_a_link(changed, kind):
    info = zipfile.ZipInfo("evil", DATE)
    info.external_attr = (kind | 0o777) << 16
    refused(changed.agree().write([(info, b"/etc/passwd")]), "a link or a device")


def test_a_member_that_is_not_listed(changed):
    info = zipfile.ZipInfo("evil", DATE)
    refused(changed.agree().write([(info, b"evil")]), r"\['evil'\] are not in bundle.json")


def test_a_member_that_is_missing(changed):
    changed.agree().members.pop(PROBE)
    refused(changed.write(), r"members \['probe.npz'\] are missing")


def test_a_member_that_stands_twice(changed):
    changed.agree()
    with pytest.warns(UserWarning, match="Duplicate name"):
        file = changed.write([(zipfile.ZipInfo(PROBE, DATE), b"other")])
    refused(file, "a member stands twice")


def test_fault_65_a_bomb(changed):
    """Ten megabytes of zeros that take ten kilobytes."""
    info = zipfile.ZipInfo("evil", DATE)
    info.compress_type = zipfile.ZIP_DEFLATED
    refused(changed.agree().write([(info, bytes(10**7))]), "claim more bytes than the file has")


def test_fault_65_members_that_share_their_bytes(changed):
    """Entries of the directory that all claim one member's bytes."""
    content = zip_of({CARD: b"x" * 1000})
    at = content.index(b"PK\x01\x02")
    entry, end = content[at : content.index(b"PK\x05\x06")], content[-22:]
    entries = b"".join(
        entry[:46] + CARD.encode()[:-1] + bytes([97 + number]) for number in range(20)
    )
    counts = struct.pack("<HHII", 20, 20, len(entries), at)
    changed.file.write_bytes(content[:at] + entries + end[:8] + counts + end[20:])
    refused(changed.file, "claim more bytes than the file has")


def test_fault_65_a_list_of_members_that_is_longer_than_any(changed):
    """It is refused by its size: a list of millions would fill the memory."""
    content = zip_of({CARD: b"{}"})
    at = content.index(b"PK\x01\x02")
    entries = content[at:-22] * 60_000
    end = content[-22:-10] + struct.pack("<IIH", len(entries), at, 0)
    changed.file.write_bytes(content[:at] + entries + end)
    refused(changed.file, "not a bundle: its list of 1 members")


def test_something_before_or_behind_the_members(changed):
    content = changed.agree().write().read_bytes()
    for other in (b"#!/bin/sh\n" + content, content + b"\0", content[:-2] + b"\x04\0evil"):
        changed.file.write_bytes(other)
        refused(changed.file, "not a bundle")


def test_a_compressed_member(changed):
    info = zipfile.ZipInfo("evil", DATE)
    info.compress_type = zipfile.ZIP_DEFLATED
    refused(changed.agree().write([(info, os.urandom(50))]), "compressed|is not in|are not in")


class Evil:
    """Runs a command where it is unpickled."""

    def __reduce__(self):
        return os.mkdir, ("evil",)


def test_fault_44_a_pickle_among_the_arrays(changed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.array([Evil()], object), allow_pickle=True)
    changed.members[MEMBER] = zip_of({"0/mean.npy": buffer.getvalue()})
    refused(changed.agree().write(), "values of type object, expected numbers")
    changed.members[MEMBER] = zip_of({"0/mean.npy": pickle.dumps(Evil())})
    refused(changed.agree().write(), "not a plain .npz of numeric arrays")


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (-1, -1)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (0, 5)}",
        "{'descr': '<U9', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,)}",
        "__import__('os').mkdir('evil')",
        "(" * 5000,
    ],
)
def test_fault_65_an_array_that_claims_another_size_or_type(changed, header, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = header.encode() + b"\n"
    array = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + bytes(8)
    changed.members[MEMBER] = zip_of({"0/mean.npy": array})
    refused(changed.agree().write(), "claimed|expected numbers|not a plain .npz")


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"PK\x05\x06" + bytes(18)])
def test_fault_44_a_file_that_is_no_bundle(changed, content):
    changed.file.write_bytes(content)
    refused(changed.file, "not a bundle")


def test_fault_44_a_bundle_that_was_cut_off(changed):
    content = changed.agree().write().read_bytes()
    for share in (0.1, 0.5, 0.99):
        changed.file.write_bytes(content[: int(share * len(content))])
        refused(changed.file, "not a bundle")


def test_fault_65_a_device_or_nothing_is_no_bundle(tmp_path):
    refused(tmp_path / "absent.mer", "no such file")
    refused("/dev/zero", "no such file")
    (tmp_path / "link.mer").symlink_to("/dev/zero")
    refused(tmp_path / "link.mer", "no such file")


@pytest.mark.parametrize(
    ("name", "array", "expected"),
    [
        ("votes", np.zeros((1, 2, 4), "float32"), "not the answers to a probe"),
        ("clips/clips/0", np.zeros((32, 32, 3), "float32"), "expected 2 clips of bytes"),
        ("clips/clips/0", np.zeros((32, 31, 3), "uint8"), "a clip of shape"),
        ("clips/other/0", np.zeros((32, 32, 3), "uint8"), "not a probe"),
    ],
)
def test_a_probe_that_is_none(changed, name, array, expected):
    changed.set_arrays({**changed.arrays(PROBE), name: array}, PROBE)
    refused(changed.agree().write(), expected)


def test_a_digest_that_is_expected(svm):
    bundle, file = svm
    assert load_bundle(file, expect=bundle.digest).digest == bundle.digest
    assert load_bundle(file, expect=f" {bundle.digest[:12].upper()}\n").digest == bundle.digest
    refused(file, "it is another file", expect="0" * 64)
    for text in ("", bundle.digest[:11], "sha256:" + bundle.digest):
        refused(file, "expected 12 to 64 digits", expect=text)


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """A bundle of the smallest network."""
    pytest.importorskip("keras")
    from mer_keras.bundles.choices import Choice
    from mer_keras.bundles.fitting import fit, write_bundle
    from tests.bundles.small import context_of, experiment, plan_of

    config = experiment("ststnet")
    file = tmp_path_factory.mktemp("network") / "n.mer"
    write_bundle(fit(context_of(config), Choice(plan_of(config))), file)
    return file


@pytest.mark.slow
class TestNetworks:
    """What can be wrong with the weights of a network, or with its size."""

    @pytest.fixture
    def changed(self, network, tmp_path):
        return Changed(network, tmp_path / "changed.mer")

    def test_fault_44_weights_so_large_that_nothing_is_finite(self, changed):
        arrays = {name: np.full_like(array, 1e38) for name, array in changed.arrays().items()}
        changed.set_arrays(arrays)
        refused(changed.agree().write(), "the bundle can't predict|differ by")

    def test_fault_65_a_network_too_large_to_be_built(self, changed):
        card = changed.agree().card
        card["method"]["config"]["network"] = {"model": "shallow_convlstm"}
        card["inputs"]["clips"]["shape"] = [24, 1024, 1024, 3]
        refused(changed.write(), "would have .* weights, expected 450,000,000 at most")

    def test_a_network_that_is_not_known(self, changed):
        changed.agree().card["method"]["config"]["network"]["model"] = "os.system"
        refused(changed.write(), "no network 'os.system'")

    def test_an_argument_that_is_not_known(self, changed):
        changed.agree().card["method"]["config"]["network"]["arguments"] = {"command": "rm"}
        refused(changed.write(), "no argument 'command'")

    @pytest.mark.long
    @pytest.mark.parametrize(
        "arguments", [{"scale": "wide"}, {"units": 10**30}, {"dim": -1}, {"dim": [[]]}]
    )
    def test_arguments_that_no_layer_takes(self, changed, arguments):
        card = changed.agree().card
        card["method"]["config"]["network"] = {"model": "htnet", "arguments": arguments}
        refused(changed.write(), "can't be built|no argument|numbers, and its network has")

    def test_a_weight_too_few(self, changed):
        arrays = changed.arrays()
        arrays.pop(sorted(arrays)[0])
        changed.set_arrays(arrays)
        refused(changed.agree().write(), "numbers, and its network has")

    def test_a_weight_of_another_name(self, changed):
        arrays = changed.arrays()
        arrays["../evil"] = arrays.pop(sorted(arrays)[0])
        changed.set_arrays(arrays)
        refused(changed.agree().write(), "leads elsewhere")

    @pytest.mark.long
    def test_one_that_is_not_changed(self, changed):
        file = changed.agree().write()
        assert isinstance(load_bundle(file).card, Card)
