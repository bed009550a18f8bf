"""What can go wrong, as exceptions whose message is one line for the person at the keyboard.

MocapError              anything below; the command line prints it and exits with 1
├── ConfigError         the views file: a field, its value, or a file that it names
├── VideoError          a video that cannot be read
├── DetectError         a detector that cannot be started, or that failed in a view
├── CalibrateError      views that cannot be calibrated as asked
├── SyncError           views whose offsets in time cannot be told
└── TakeError           the take folder: in use, damaged, not a take, disk full
"""


class MocapError(Exception):
    """An expected failure: says what, where, what was there instead, and what to do, in one line."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


class ConfigError(MocapError):
    """The views file is wrong: the message starts with the file and the path of the field."""


class VideoError(MocapError):
    """A video is missing, empty, damaged or no video."""


class DetectError(MocapError):
    """A detector is unknown, lacks something on this machine, or failed in a view."""


class TakeError(MocapError):
    """A take folder is in use, damaged, not a take, or the disk is full."""


class SyncError(MocapError):
    """When views began cannot be told; says which, what was tried, what to do."""


class CalibrateError(MocapError):
    """Views that cannot be calibrated as asked."""
