"""Small FBX scenes as text, for tests of the reader."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

TICKS = 46186158000
ANIMATED = ("Lcl Translation", "Lcl Rotation", "Lcl Scaling")
VECTOR = ("Vector3D", "Vector")
KINDS = {
    "Lcl Translation": ("Lcl Translation", ""), "Lcl Rotation": ("Lcl Rotation", ""),
    "Lcl Scaling": ("Lcl Scaling", ""), "RotationOrder": ("enum", ""), "InheritType": ("enum", ""),
    "RotationActive": ("bool", ""), "UpAxis": ("int", "Integer"), "UpAxisSign": ("int", "Integer"),
    "FrontAxis": ("int", "Integer"), "FrontAxisSign": ("int", "Integer"), "CoordAxis": ("int", "Integer"),
    "CoordAxisSign": ("int", "Integer"), "UnitScaleFactor": ("double", "Number"), "TimeMode": ("enum", ""),
    "CustomFrameRate": ("double", "Number"), "LocalStart": ("KTime", "Time"), "LocalStop": ("KTime", "Time"),
    "d|X": ("Number", ""), "d|Y": ("Number", ""), "d|Z": ("Number", ""),
}  # fmt: skip
YUP = {"UpAxis": 1, "UpAxisSign": 1, "FrontAxis": 2, "FrontAxisSign": 1, "CoordAxis": 0, "CoordAxisSign": 1}


@dataclass
class Node:
    name: str
    kind: str = "LimbNode"
    parent: str | None = None
    properties: Mapping[str, object] = field(default_factory=dict)


@dataclass
class Curve:
    """Of one axis of a property of a node; keys are seconds and values; data is four numbers of each key."""

    node: str
    moved: str
    axis: str
    keys: Sequence[tuple[float, float]]
    flags: Sequence[int] | int = 4
    data: Sequence[float] | None = None


def limbs(**properties: object) -> list[Node]:
    """Three limbs in a row, the middle one with the properties given."""
    along = {"Lcl Translation": (1.0, 20.0, 3.0)}
    own = {name.replace("_", " "): value for name, value in properties.items()}
    return [
        Node("hips", properties={"Lcl Translation": (5.0, 90.0, -4.0), "Lcl Rotation": (10.0, 20.0, 30.0)}),
        Node("spine", parent="hips", properties={**along, **own}),
        Node("head", parent="spine", properties={**along, "Lcl Rotation": (-15.0, 5.0, 25.0)}),
    ]


def fbx_text(
    nodes: Sequence[Node],
    curves: Sequence[Curve] = (),
    settings: Mapping[str, object] | None = None,
    span: tuple[float, float] | None = None,
    poses: Mapping[str, Sequence[float]] | None = None,
) -> str:
    """Return the scene; poses are columns of the matrices of a bind pose, by node."""
    ids = {node.name: 1000 + k for k, node in enumerate(nodes)}
    models, links = [], []
    for node in nodes:
        table = properties({"InheritType": 1, **node.properties})
        head = f'Model: {ids[node.name]}, "Model::{node.name}", "{node.kind}"'
        models.append(f"{head} {{\nVersion: 232\n{table}Shading: Y\n}}")
        links.append(f'C: "OO",{ids[node.name]},{ids[node.parent] if node.parent else 0}')
        if node.kind in ("LimbNode", "Null"):
            attribute = ids[node.name] + 5000
            flags = "Skeleton" if node.kind == "LimbNode" else "Null"
            models.append(
                f'NodeAttribute: {attribute}, "NodeAttribute::", "{node.kind}" {{\nTypeFlags: "{flags}"\n}}'
            )
            links.append(f'C: "OO",{attribute},{ids[node.name]}')
    if poses is not None:
        models.append(pose({ids[name]: matrix for name, matrix in poses.items()}))
    span = span or (0.0, max((key[0] for curve in curves for key in curve.keys), default=0.0))
    objects, moved = animated(curves, ids, span)
    times = ",".join(str(round(time * TICKS)) for time in span)
    take = f'Take: "take" {{\nLocalTime: {times}\nReferenceTime: {times}\n}}'
    about = {**YUP, "UnitScaleFactor": 1.0, "TimeMode": 6, **(settings or {})}
    return "\n".join(
        [
            "; FBX 7.4.0 project file",
            "FBXHeaderExtension: {\nFBXHeaderVersion: 1003\nFBXVersion: 7400\n}",
            f"GlobalSettings: {{\nVersion: 1000\n{properties(about)}}}",
            definitions([*models, *objects]),
            "Objects: {",
            *models,
            *objects,
            "}",
            "Connections: {",
            *links,
            *moved,
            "}",
            f'Takes: {{\nCurrent: "take"\n{take}\n}}',
        ]
    )


def definitions(objects: Sequence[str]) -> str:
    counts = Counter(text.split(":", 1)[0] for text in objects)
    kinds = "".join(f'ObjectType: "{kind}" {{\nCount: {count}\n}}\n' for kind, count in counts.items())
    return f"Definitions: {{\nVersion: 100\nCount: {counts.total()}\n{kinds}}}"


def properties(table: Mapping[str, object]) -> str:
    rows = []
    for name, value in table.items():
        kind, label = KINDS.get(name, VECTOR)
        numbers = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
        flag = "A" if name in ANIMATED or name.startswith("d|") else ""
        rows.append(f'P: "{name}", "{kind}", "{label}", "{flag}",{numbers}\n')
    return f"Properties70: {{\n{''.join(rows)}}}\n"


def pose(matrices: Mapping[int, Sequence[float]]) -> str:
    nodes = "".join(
        f"PoseNode: {{\nNode: {key}\nMatrix: {array(matrix)}}}\n" for key, matrix in matrices.items()
    )
    return f'Pose: 900, "Pose::bind", "BindPose" {{\nType: "BindPose"\nVersion: 100\n{nodes}}}'


def array(numbers: Sequence[float]) -> str:
    return f"*{len(numbers)} {{\na: {','.join(map(str, numbers))}\n}}\n"


def animated(
    curves: Sequence[Curve], ids: Mapping[str, int], span: tuple[float, float]
) -> tuple[list[str], list[str]]:
    """Return the objects and connections of one animation with one layer."""
    if not curves:
        return [], []
    table = properties({"LocalStart": round(span[0] * TICKS), "LocalStop": round(span[1] * TICKS)})
    objects = [
        f'AnimationStack: 100, "AnimStack::take", "" {{\n{table}}}',
        'AnimationLayer: 101, "AnimLayer::base", "" {\n}',
    ]
    links, curve_nodes = ['C: "OO",101,100'], dict[tuple[str, str], int]()
    for k, curve in enumerate(curves):
        key = curve.node, curve.moved
        if key not in curve_nodes:
            curve_nodes[key] = 20000 + k
            channels = properties({f"d|{axis}": 0 for axis in "XYZ"})
            objects.append(f'AnimationCurveNode: {20000 + k}, "AnimCurveNode::", "" {{\n{channels}}}')
            links += [
                f'C: "OO",{20000 + k},101',
                f'C: "OP",{20000 + k},{ids[curve.node]}, "{curve.moved}"',
            ]
        flags = [curve.flags] * len(curve.keys) if isinstance(curve.flags, int) else curve.flags
        objects.append(
            f'AnimationCurve: {30000 + k}, "AnimCurve::", "" {{\nDefault: 0\nKeyVer: 4008\n'
            f"KeyTime: {array([round(time * TICKS) for time, _ in curve.keys])}"
            f"KeyValueFloat: {array([value for _, value in curve.keys])}"
            f"KeyAttrFlags: {array(flags)}"
            f"KeyAttrDataFloat: {array(curve.data or [0] * 4 * len(flags))}"
            f"KeyAttrRefCount: {array([1] * len(flags))}}}"
        )
        links.append(f'C: "OP",{30000 + k},{curve_nodes[key]}, "d|{curve.axis}"')
    return objects, links
