"""Takes the poses from the pairs of detections and truth, in the form that `posing.py` reads.

    python scripts/pixels/poses.py --pairs PAIRS_FOLDER --out poses.npz

For PAIRS_FOLDER see `scripts/pairs.py`. The file: train and val, (N, 22, 4) the rotations of the joints in
the world, every frame, as quaternions wxyz; joint_names, parents; landmark_names, those to be learned.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click
import numpy as np

LEARNED = 10  # of the landmarks, the first: the others are joints of fingers


@click.command(help=__doc__.split("\n", maxsplit=1)[0])
@click.option("--pairs", type=click.Path(exists=True, path_type=Path), required=True, help="has load.py")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="the file to write")
def main(pairs: Path, out: Path) -> None:
    """Write the file."""
    sys.path.insert(0, str(pairs))
    from load import JOINTS, LANDMARKS, PARENTS, load

    def turns(split: str) -> np.ndarray:
        snippets = load(pairs / "blazepose_pairs.npz", split, rotations=False)
        return np.concatenate([snippet["quat"] for snippet in snippets])

    np.savez_compressed(
        out,
        joint_names=np.array(JOINTS),
        parents=np.array(PARENTS),
        landmark_names=np.array(LANDMARKS[:LEARNED]),
        train=turns("train"),
        val=turns("val"),
    )


if __name__ == "__main__":
    main()
