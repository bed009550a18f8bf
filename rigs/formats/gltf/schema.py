"""What a glTF 2.0 document says, as far as skeletons and their motion go; all else in it is passed over."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Raw, Struct, field

Index = Annotated[int, Meta(ge=0, lt=2**31)]
Size = Annotated[int, Meta(ge=0, lt=2**40)]  # bytes
Vector = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]  # x y z w
Matrix = Annotated[list[float], Meta(min_length=16, max_length=16)]  # column after column


class Asset(Struct):
    """Which version of glTF it is."""

    version: str


class Buffer(Struct, rename="camel"):
    """Bytes: inside the file, beside it, or in the text itself."""

    byte_length: Size
    uri: str | None = None


class BufferView(Struct, rename="camel"):
    """A stretch of a buffer; extensions say that it is packed."""

    buffer: Index
    byte_length: Size
    byte_offset: Size = 0
    byte_stride: Annotated[int, Meta(ge=4, le=252)] | None = None
    extensions: dict[str, Raw] = {}


class SparseIndices(Struct, rename="camel"):
    """Which elements of an accessor are replaced."""

    buffer_view: Index
    component_type: int
    byte_offset: Size = 0


class SparseValues(Struct, rename="camel"):
    """By what they are replaced."""

    buffer_view: Index
    byte_offset: Size = 0


class Sparse(Struct):
    """A few elements of an accessor that differ from the rest."""

    count: Index
    indices: SparseIndices
    values: SparseValues


class Accessor(Struct, rename="camel"):
    """Numbers in a buffer view; zeros without one."""

    component_type: int
    count: Index
    type: str
    buffer_view: Index | None = None
    byte_offset: Size = 0
    normalized: bool = False
    sparse: Sparse | None = None


class Node(Struct):
    """A place in the scene, in its parent's frame."""

    name: str | None = None
    children: list[Index] = []
    matrix: Matrix | None = None
    translation: Vector = (0.0, 0.0, 0.0)
    rotation: Quaternion = (0.0, 0.0, 0.0, 1.0)
    scale: Vector = (1.0, 1.0, 1.0)


class SkinExtras(Struct, rename="camel"):
    """What our own files say of a character beside the standard: frames per second, as "30000/1001"."""

    frame_rate: Annotated[str, Meta(pattern=r"^[0-9]{1,9}(/[0-9]{1,9})?$")] | None = None


class Skin(Struct, rename="camel"):
    """The joints of a mesh, and where they were when it was bound."""

    joints: list[Index]
    inverse_bind_matrices: Index | None = None
    name: str | None = None
    extras: Raw = Raw(b"null")


class Target(Struct):
    """What a channel moves."""

    path: str
    node: Index | None = None


class Channel(Struct):
    """A sampler, and what it moves."""

    sampler: Index
    target: Target


class Sampler(Struct):
    """Times and values, and how to go from one to the next."""

    input: Index
    output: Index
    interpolation: Literal["LINEAR", "STEP", "CUBICSPLINE"] = "LINEAR"


class Animation(Struct):
    """Channels that play together."""

    channels: list[Channel]
    samplers: list[Sampler]
    name: str | None = None


class Document(Struct, rename="camel"):
    """The JSON of a file."""

    asset: Asset
    buffers: list[Buffer] = []
    buffer_views: list[BufferView] = []
    accessors: list[Accessor] = []
    nodes: list[Node] = []
    skins: list[Skin] = []
    animations: list[Animation] = []
    extensions: dict[str, Raw] = {}


class HumanBone(Struct):
    """The node of a bone of VRM's humanoid; VRM 0 lists bones, and names each."""

    node: Annotated[int, Meta(ge=-1, lt=2**31)]
    bone: str = ""


class Humanoid(Struct, rename="camel"):
    """VRM's bones, by name, or in VRM 0 as a list."""

    human_bones: dict[str, HumanBone | None] | list[HumanBone] = {}


class Vrm(Struct):
    """VRM, VRMC_vrm or VRMC_vrm_animation, which alike have a humanoid."""

    humanoid: Humanoid = field(default_factory=Humanoid)
