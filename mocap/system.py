"""What a bare system lacks: shared libraries that OpenCV and MediaPipe load, and the packages with them."""

from __future__ import annotations

from contextlib import suppress

# OpenCV asks for the second only once it has the first: both are named at once. Found on a bare Debian 12.
_LIBRARIES = ("libGL.so.1", "libgthread-2.0.so.0", "libglib-2.0.so.0")
_PACKAGES = "libgl1 libglib2.0-0"


def missing_library(what: str, error: ImportError) -> str:
    """Say in one line what to install for an ImportError of OpenCV or MediaPipe.

    Args:
        what: who needs it, the beginning of the line.
        error: what the import said.
    """
    message = str(error)
    for library in _LIBRARIES:
        if library in message:
            return f"{what} needs the system library {library}: run `apt-get install {_PACKAGES}`"
    return f"{what} cannot be loaded ({message}): run `pip install --force-reinstall mediapipe==0.10.21`"


def load_opencv() -> None:
    """Import OpenCV now, in this thread; whatever is missing, who needs it says so.

    While it is imported its own folder stands on the path of modules. A process that is started meanwhile by
    another thread inherits that, takes OpenCV's `typing` for Python's, and dies.
    """
    with suppress(ImportError):
        import cv2  # noqa: F401
