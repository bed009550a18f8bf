"""What surrounds the characters of an FBX file: its header, settings, lists of objects and connections."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from rigs.formats.fbx.encode import encode
from rigs.formats.fbx.records import MAGIC, Long, Record, Value
from rigs.formats.fbx.time import mode_of
from rigs.quat import FloatArray

VERSION = 7400
CREATOR = "markerless-mocap"
TOP = Long(0)  # the id from which hangs what has no parent

# These belong together: readers that find others take the file for damaged. They are those of Blender's
# files, which do not say when they were made.
_FILE_ID = bytes.fromhex("28b32aebb624ccc2bfc8b02aa92bfcf1")
_CREATED = "1970-01-01 10:00:00:000"
_FOOTER = bytes.fromhex("fabcab09d0c8d466b176fb831cf7267e")
_END = bytes.fromhex("f85a8c6adef5d97eece90ce3758f290b")

_CLASSES = {
    "Model": "Model", "NodeAttribute": "NodeAttribute", "Geometry": "Geometry", "Pose": "Pose",
    "AnimationStack": "AnimStack", "AnimationLayer": "AnimLayer", "AnimationCurveNode": "AnimCurveNode",
    "AnimationCurve": "AnimCurve",
}  # fmt: skip
_LABELS = {"int": "Integer", "double": "Number", "KTime": "Time", "Vector3D": "Vector"}
_AXES = {
    "y": ((1, 1), (2, 1), (0, 1)),
    "z": ((2, 1), (1, -1), (0, 1)),
}  # up, front and side, with their signs


def property_of(name: str, kind: str, *values: Value, flags: str = "") -> Record:
    """Return a row of Properties70."""
    return Record("P", [name, kind, _LABELS.get(kind, ""), flags, *values])


def _table(*rows: Record) -> Record:
    return Record("Properties70", below=list(rows))


@dataclass
class Objects:
    """The objects of a file and how they are connected; ids are handed out in order."""

    records: list[Record] = field(default_factory=list)
    links: list[Record] = field(default_factory=list)

    def add(self, kind: str, name: str, variant: str, *below: Record) -> Long:
        """Add an object, and return its id."""
        key = Long(1_000_000 + len(self.records))
        if kind == "Deformer":
            label = "SubDeformer" if variant == "Cluster" else "Deformer"
        else:
            label = _CLASSES[kind]
        self.records.append(Record(kind, [key, f"{name}\x00\x01{label}", variant], list(below)))
        return key

    def model(
        self, name: str, variant: str, at: FloatArray, degrees: FloatArray, more: Sequence[Record] = ()
    ) -> Long:
        """Add a node that stands at a place, turned by angles about x, y and z, and return its id."""
        rows = [
            property_of("InheritType", "enum", 1),
            property_of("DefaultAttributeIndex", "int", 0),  # without it the FBX SDK drops meshes
            property_of("Lcl Translation", "Lcl Translation", *map(float, at), flags="A"),
            property_of("Lcl Rotation", "Lcl Rotation", *map(float, degrees), flags="A"),
            property_of("Lcl Scaling", "Lcl Scaling", 1.0, 1.0, 1.0, flags="A"),
            *more,
        ]
        shading, culling = Record("Shading", [True]), Record("Culling", ["CullingOff"])
        return self.add("Model", name, variant, Record("Version", [232]), _table(*rows), shading, culling)

    def connect(self, child: Long, parent: Long, moved: str | None = None) -> None:
        """Hang an object from another one, or from one of its properties."""
        values: list[Value] = ["OO" if moved is None else "OP", child, parent]
        self.links.append(Record("C", values if moved is None else [*values, moved]))


def add_take(objects: Objects, name: str, span: tuple[int, int]) -> Long:
    """Add the animation, from tick to tick, and return the id of its layer."""
    times = [
        property_of(f"{kind}{end}", "KTime", Long(tick))
        for kind in ("Local", "Reference")
        for end, tick in zip(("Start", "Stop"), span, strict=True)
    ]
    stack = objects.add("AnimationStack", name, "", _table(*times))
    layer = objects.add("AnimationLayer", "BaseLayer", "")
    objects.connect(layer, stack)
    return layer


def file_bytes(
    objects: Objects, take: str, span: tuple[int, int], fps: Fraction, centimetres: float, up: str
) -> bytes:
    """Return the whole file.

    Args:
        objects: all of them.
        take: name of the animation.
        span: its first and last tick.
        fps: frames per second.
        centimetres: in a unit of the file.
        up: the file's upward axis, "y" or "z".
    """
    records = [
        _header(),
        Record("FileId", [_FILE_ID]),
        Record("CreationTime", [_CREATED]),
        Record("Creator", [CREATOR]),
        _settings(span, fps, centimetres, up),
        _documents(take),
        Record("References"),
        _definitions(objects),
        Record("Objects", below=objects.records),
        Record("Connections", below=objects.links),
        _takes(take, span),
    ]
    parts = [MAGIC + VERSION.to_bytes(4, "little")]
    at = len(parts[0])
    for record in records:
        parts.append(encode(record, at))
        at += len(parts[-1])
    parts += [bytes(13), _FOOTER, bytes(4)]
    at += 13 + 16 + 4
    parts += [bytes(16 - at % 16), VERSION.to_bytes(4, "little"), bytes(120), _END]
    return b"".join(parts)


def _header() -> Record:
    names = ("Year", "Month", "Day", "Hour", "Minute", "Second", "Millisecond")
    stamp = [Record(name, [value]) for name, value in zip(names, (1970, 1, 1, 10, 0, 0, 0), strict=True)]
    return Record(
        "FBXHeaderExtension",
        below=[
            Record("FBXHeaderVersion", [1003]),
            Record("FBXVersion", [VERSION]),
            Record("EncryptionType", [0]),
            Record("CreationTimeStamp", below=[Record("Version", [1000]), *stamp]),
            Record("Creator", [CREATOR]),
        ],
    )


def _settings(span: tuple[int, int], fps: Fraction, centimetres: float, up: str) -> Record:
    axes = [
        row
        for name, (axis, sign) in zip(("Up", "Front", "Coord"), _AXES[up], strict=True)
        for row in (property_of(f"{name}Axis", "int", axis), property_of(f"{name}AxisSign", "int", sign))
    ]
    rows = [
        *axes,
        property_of("OriginalUpAxis", "int", -1),
        property_of("OriginalUpAxisSign", "int", 1),
        property_of("UnitScaleFactor", "double", centimetres),
        property_of("OriginalUnitScaleFactor", "double", centimetres),
        property_of("TimeMode", "enum", mode_of(fps)),
        property_of("TimeSpanStart", "KTime", Long(span[0])),
        property_of("TimeSpanStop", "KTime", Long(span[1])),
        property_of("CustomFrameRate", "double", float(fps)),
    ]
    return Record("GlobalSettings", below=[Record("Version", [1000]), _table(*rows)])


def _documents(take: str) -> Record:
    active = property_of("ActiveAnimStackName", "KString", take)
    document = [_table(property_of("SourceObject", "object"), active), Record("RootNode", [Long(0)])]
    return Record(
        "Documents",
        below=[Record("Count", [1]), Record("Document", [Long(999_999), "", "Scene"], document)],
    )


def _definitions(objects: Objects) -> Record:
    counts = {"GlobalSettings": 1, **Counter(record.name for record in objects.records)}
    kinds = [Record("ObjectType", [kind], [Record("Count", [count])]) for kind, count in counts.items()]
    return Record(
        "Definitions", below=[Record("Version", [100]), Record("Count", [sum(counts.values())]), *kinds]
    )


def _takes(take: str, span: tuple[int, int]) -> Record:
    times: list[Value] = [Long(tick) for tick in span]
    below = [
        Record("FileName", [f"{take}.tak"]),
        Record("LocalTime", list(times)),
        Record("ReferenceTime", list(times)),
    ]
    return Record("Takes", below=[Record("Current", [take]), Record("Take", [take], below)])
