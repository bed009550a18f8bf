"""What this package raises when its caller, or a file, is at fault.

RigError            anything a user can cause: one line saying what, where, what was there, what to do
└── FormatError     a motion file that cannot be read or written
"""


class RigError(Exception):
    """A skeleton, motion or file that this package refuses; the message is one line for the user."""


class FormatError(RigError):
    """A motion file that cannot be read or written; the message names the file and the line."""
