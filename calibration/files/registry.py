"""Every format by name: what it is, who reads it, who writes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from calibration.camera import Cameras
from calibration.files import (
    aniposelib,
    caliscope,
    colmap,
    easymocap,
    freemocap,
    opencap,
    opencv,
    optitrack,
    pose2sim,
    qualisys,
    vicon,
)
from calibration.files.document import Document
from calibration.files.source import Source

Claims = Callable[[Document], bool]
Reads = Callable[[Document], Source]
Writes = Callable[[Path, Cameras], tuple[Path, ...]]


@dataclass(frozen=True)
class Format:
    """A calibration format.

    Args:
        title: whose it is, and what the file is called.
        world: the unit and axes that are written, for a person.
        claims: whether a document is of it; None = another format's reader reads it.
        read: takes the cameras out of a document that it claims.
        write: writes cameras (metres, y up) to a path and tells the files; None = only read.
    """

    title: str
    world: str = ""
    claims: Claims | None = None
    read: Reads | None = None
    write: Writes | None = None


REGISTRY = {
    "aniposelib": Format(
        "aniposelib (.toml)",
        "metres, y up, which it says; the default",
        aniposelib.claims,
        aniposelib.read,
        aniposelib.write_aniposelib,
    ),
    "pose2sim": Format("Pose2Sim (.toml)", "metres, z up", write=pose2sim.write),
    "freemocap": Format(
        "FreeMoCap (.toml)", "millimetres, z up", freemocap.claims, freemocap.read, freemocap.write
    ),
    "caliscope": Format(
        "Caliscope (camera_array.toml)", "metres, z up", caliscope.claims, caliscope.read, caliscope.write
    ),
    "easymocap": Format(
        "EasyMocap (folder: intri.yml + extri.yml)",
        "metres, z up",
        easymocap.claims,
        easymocap.read,
        easymocap.write,
    ),
    "opencv": Format(
        "OpenCV FileStorage (.yml, .xml, or a folder of them)",
        "metres, z up",
        opencv.claims,
        opencv.read,
        opencv.write,
    ),
    "colmap": Format(
        "COLMAP text (folder: cameras.txt + images.txt)",
        "metres, y up",
        colmap.claims,
        colmap.read,
        colmap.write,
    ),
    "qualisys": Format("Qualisys (.qca.txt)", claims=qualisys.claims, read=qualisys.read),
    "vicon": Format("Vicon (.xcp)", claims=vicon.claims, read=vicon.read),
    "optitrack": Format("OptiTrack Motive (.mcal)", claims=optitrack.claims, read=optitrack.read),
    "opencap": Format(
        "OpenCap (cameraIntrinsicsExtrinsics.pickle, or their folder)",
        claims=opencap.claims,
        read=opencap.read,
    ),
}

# Who is asked first: the more particular before the more general.
ASKED = (
    "qualisys",
    "vicon",
    "optitrack",
    "opencap",
    "colmap",
    "easymocap",
    "opencv",
    "caliscope",
    "freemocap",
    "aniposelib",
)
