"""A damaged or hostile glTF file is refused with one line, whatever it says, and costs next to nothing."""

import json
import re
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rigs.errors import FormatError
from rigs.formats import read_clips
from tests.rigs.gltf_files import Made, glb, leg
from tests.rigs.mutations import damaged_glb

TRIES = 2000
NONE = [0.0, 0.0, 0.0, 1.0]


def rich() -> Made:
    """A file with a little of all that the format has."""
    made = leg()
    made.animate(1, "rotation", [0.0, 0.2], [NONE, NONE])
    made.animate(3, "translation", [0.0, 0.2], np.arange(18).reshape(6, 3), "CUBICSPLINE")
    made.animate(2, "scale", [0.0, 0.1, 0.2], np.ones((3, 3)), "STEP")
    inverse = np.tile(np.eye(4), (3, 1, 1))
    inverse[:, 3, 1] = [-0.9, -0.5, -0.1]
    made.document["skins"][0]["inverseBindMatrices"] = made.numbers(inverse.reshape(3, 16), "MAT4")
    indices, value = made.view(np.array([1], "<u2").tobytes()), made.view(np.ones(3, "<f4").tobytes())
    sparse = {
        "count": 1,
        "indices": {"bufferView": indices, "componentType": 5123},
        "values": {"bufferView": value},
    }
    made.document["accessors"] += [{"componentType": 5126, "type": "VEC3", "count": 2, "sparse": sparse}]
    made.animate(2, "translation", [0.0, 0.1], len(made.document["accessors"]) - 1)
    bones = {"hips": {"node": 1}, "spine": {"node": 2}}
    made.document["extensions"] = {"VRMC_vrm": {"humanoid": {"humanBones": bones}}}
    return made


def change(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """Return what puts a value at a place such as "nodes.1.children" of a document."""

    def apply(document: dict[str, Any]) -> None:
        *way, last = (int(step) if step.isdigit() else step for step in path.split("."))
        for step in way:
            document = document[step]
        document[last] = value

    return apply


HOSTILE = {
    "a cycle": (change("nodes.3.children", [1]), r"node 1 hangs from node 0 and from node 3"),
    "its own child": (change("nodes.0", {"children": [0]}), r"node 0 hangs from itself"),
    "no such child": (change("nodes.0.children", [99]), r"speaks of node 99, and has 4"),
    "a text for a number": (change("nodes.0.children", ["1"]), r"Expected `int`, got `str`"),
    "no such joint": (change("skins.0.joints", [1, 77]), r"speaks of node 77"),
    "no such sampler": (change("animations.0.channels.0.sampler", 50), r"speaks of sampler 50"),
    "no such accessor": (change("animations.0.samplers.0.input", 50), r"speaks of accessor 50"),
    "a giant count": (change("accessors.0.count", 2_000_000_000), r"more than 134217728 numbers"),
    "zeros without end": (
        change("accessors.0", {"componentType": 5126, "type": "VEC4", "count": 30_000_000}),
        r"asks for 30000000 elements of nothing",
    ),
    "too many elements": (change("accessors.0.count", 9), r"ends at byte 144 of a buffer view of 32"),
    "beyond the buffer": (change("bufferViews.0.byteOffset", 10**6), r"buffer view 0 ends at byte 1000032"),
    "another type": (change("accessors.0.type", "VEC2"), r"points to 'VEC2' where VEC4 stands"),
    "an unknown number": (change("accessors.0.componentType", 5130), r"unknown type 5130"),
    "a sparse index beyond": (
        change("accessors.7.sparse.indices.byteOffset", 1),
        r"ends at byte 3 of a buffer view of 2",
    ),
    "times and values that differ": (change("accessors.1.count", 1), r"1 times and 2 values"),
    "no scale": (change("nodes.2.scale", [0, 1, 1]), r"node 2 'knee' has no size"),
    "no rotation": (change("nodes.2.rotation", [0, 0, 0, 0]), r"node 2 'knee' has no size, or no rotation"),
    "a number beyond all": (change("nodes.2.translation", [1e300, 0, 0]), r"has the number 1e\+300"),
    "a rotation beyond all": (change("nodes.2.rotation", [1e300, 0, 0, 1]), r"has the number 1e\+300"),
    "a matrix beyond all": (change("nodes.2.matrix", [1e300] * 16), r"has the number 1e\+300"),
    "version 1": (change("asset.version", "1.0"), r"is of version '1.0' of glTF"),
    "packed": (change("bufferViews.0.extensions", {"EXT_meshopt_compression": {}}), r"it is packed"),
    "a bone that is not there": (
        change("extensions.VRMC_vrm.humanoid.humanBones.hips.node", 400),
        r"speaks of node 400",
    ),
}


def refused(path: Path) -> str:
    with pytest.raises(FormatError) as caught:
        read_clips(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message


@pytest.mark.parametrize("name", HOSTILE)
def test_what_a_document_says_is_never_trusted(tmp_path: Path, name: str) -> None:
    made = rich()
    apply, message = HOSTILE[name]
    apply(made.document)
    path = made.save(tmp_path / "leg.glb")
    assert re.search(message, refused(path))


def test_numbers_that_are_none_are_refused(tmp_path: Path) -> None:
    made = leg()
    made.animate(2, "rotation", [0.0, 0.1], [NONE, [np.nan, 0.0, 0.0, 1.0]])
    assert "has the number nan in element 1" in refused(made.save(tmp_path / "leg.glb"))
    made = leg()
    made.animate(2, "rotation", [0.1, 0.0], [NONE, NONE])
    assert "has times that go back, at key 1" in refused(made.save(tmp_path / "leg.glb"))
    made = leg()
    made.animate(2, "rotation", [0.0, 0.1], [NONE, [0.0, 0.0, 0.0, 0.0]])
    assert "has no rotation in key 1" in refused(made.save(tmp_path / "leg.glb"))
    made = leg()
    made.document["skins"][0]["inverseBindMatrices"] = made.numbers(np.zeros((3, 16)), "MAT4")
    assert "without an inverse, of node 1" in refused(made.save(tmp_path / "leg.glb"))
    made = leg()
    made.animate(2, "rotation", [0.0, 1e8], [NONE, NONE])
    assert "are from 0 to 1e+08 seconds" in refused(made.save(tmp_path / "leg.glb"))


def test_few_keys_make_no_motion_of_hours(tmp_path: Path) -> None:
    nodes = [{"children": [k + 1]} for k in range(99)] + [{}]
    made = Made(nodes, skins=[{"joints": list(range(100))}])
    made.animate(2, "rotation", [0.0, 3600.0], [NONE, NONE])
    assert "it has 86401 frames of 100 joints, and 2 keys" in refused(made.save(tmp_path / "long.glb"))


def test_nodes_that_shrink_to_nothing_are_refused(tmp_path: Path) -> None:
    made = leg()
    made.document["nodes"] = [{"children": [k + 1], "scale": [1e-8] * 3} for k in range(60)] + [{}]
    made.document["skins"][0] = {"joints": [58, 59, 60], "inverseBindMatrices": 0}
    made.numbers(np.tile(np.eye(4).reshape(16), (3, 1)), "MAT4")
    assert "shrink to nothing" in refused(made.save(tmp_path / "leg.glb"))


def test_two_channels_for_one_thing_are_refused(tmp_path: Path) -> None:
    made = leg()
    for _ in range(2):
        made.animate(2, "rotation", [0.0, 0.1], [NONE, NONE])
    assert "channel 1 moves the rotation of node 2, as another does" in refused(
        made.save(tmp_path / "leg.glb")
    )


def test_a_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    whole = glb(rich().document, rich().binary)
    for size in range(0, len(whole), 37):
        (tmp_path / "cut.glb").write_bytes(whole[:size])
        refused(tmp_path / "cut.glb")


@pytest.mark.parametrize("text", [b"[" * 100_000, b'{"a":' * 100_000, b"\xff\xfe", b"", b"null", b"{}"])
def test_texts_that_are_no_document_are_refused(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "odd.gltf").write_bytes(text)
    refused(tmp_path / "odd.gltf")


def test_without_a_skeleton_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "mesh.glb").write_bytes(glb({"asset": {"version": "2.0"}, "nodes": [{"name": "chair"}]}))
    assert "no skin, no humanoid and no animated node" in refused(tmp_path / "mesh.glb")
    (tmp_path / "none.glb").write_bytes(glb({"asset": {"version": "2.0"}}))
    refused(tmp_path / "none.glb")
    refused(tmp_path / "missing.glb")


@pytest.mark.parametrize(
    "uri",
    ["../secret.bin", "%2e%2e/secret.bin", "{folder}/../secret.bin", "file:///etc/passwd", "link.bin", "\0"],
)
def test_nothing_outside_the_folder_is_opened(tmp_path: Path, uri: str) -> None:
    made = leg()
    made.animate(2, "rotation", [0.0, 0.1], [NONE, NONE])
    folder = tmp_path / "shared"
    folder.mkdir()
    (tmp_path / "secret.bin").write_bytes(made.binary)
    (folder / "link.bin").symlink_to(tmp_path / "secret.bin")
    made.document["buffers"][0]["uri"] = uri.format(folder=folder)
    (folder / "leg.gltf").write_text(json.dumps(made.document))
    refused(folder / "leg.gltf")


def test_buffers_that_are_not_what_they_say_are_refused(tmp_path: Path) -> None:
    made = leg()
    made.animate(2, "rotation", [0.0, 0.1], [NONE, NONE])
    for uri in (
        "data:;base64,%%%",
        "data:text/plain,abc",
        "data:;base64,c2hvcnQ=",
    ):
        made.document["buffers"][0]["uri"] = uri
        (tmp_path / "leg.gltf").write_text(json.dumps(made.document))
        refused(tmp_path / "leg.gltf")


@pytest.mark.slow
def test_a_chain_without_end_and_joints_without_number_are_refused_at_once(tmp_path: Path) -> None:
    chain = [{"children": [node + 1]} for node in range(100_000)] + [{}]
    fan = [{"children": list(range(1, 50_001))}] + [{}] * 50_000
    began = time.process_time()
    for nodes, message in ((chain, "more than 512 nodes deep"), (fan, "has 50000 joints")):
        document = {
            "asset": {"version": "2.0"},
            "nodes": nodes,
            "skins": [{"joints": list(range(1, 50_001))}],
        }
        (tmp_path / "many.glb").write_bytes(glb(document))
        assert message in refused(tmp_path / "many.glb")
    assert time.process_time() - began < 10.0


def test_a_chunk_longer_than_the_file_is_refused(tmp_path: Path) -> None:
    whole = bytearray(glb(rich().document, rich().binary))
    whole[12:16] = struct.pack("<I", 2**32 - 1)
    (tmp_path / "chunk.glb").write_bytes(whole)
    assert "a chunk ends at byte" in refused(tmp_path / "chunk.glb")


@pytest.mark.slow
def test_random_damage_is_read_or_refused(tmp_path: Path) -> None:
    random = np.random.default_rng(7)
    whole = glb(rich().document, rich().binary)
    outcomes = []
    for _ in range(TRIES):
        (tmp_path / "damaged.glb").write_bytes(damaged_glb(whole, random))
        try:
            outcomes.append(len(read_clips(tmp_path / "damaged.glb")))
        except FormatError as error:
            assert "\n" not in str(error)
            outcomes.append(0)
    assert 0 < np.count_nonzero(outcomes) < TRIES
