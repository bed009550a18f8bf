"""Read damaged files: each is read, or refused with one line, in little time and memory.

    python benchmarks/fuzz_formats.py FILE [FILE ...] [--tries 100000] [--seed 0]

Each try damages one of the files at random. Anything but a FormatError of one line ends the run, and
the damaged file is kept in the working folder.
"""

from __future__ import annotations

import argparse
import logging
import resource
import tempfile
import time
import warnings
from pathlib import Path

import click
import numpy as np

from rigs.errors import FormatError
from rigs.formats import read_clips
from tests.rigs.fbx_damage import damaged_fbx
from tests.rigs.mutations import damaged, damaged_glb, damaged_npz, odd_numbers

TEXTS = (".bvh", ".gltf", ".json")


def main() -> None:
    """Damage and read."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--tries", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    warnings.simplefilter("error")
    random = np.random.default_rng(options.seed)
    sources = [(path.suffix, path.read_bytes()) for path in options.files]
    refused, slowest, began = 0, 0.0, time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        for attempt in range(options.tries):
            suffix, data = sources[attempt % len(sources)]
            target = Path(folder) / f"damaged{suffix}"
            target.write_bytes(_damaged(suffix, data, random))
            start = time.perf_counter()
            try:
                read_clips(target)
            except FormatError as error:
                refused += 1
                if "\n" in str(error):
                    raise
            except BaseException:
                kept = Path(f"damaged-{attempt}{suffix}")
                kept.write_bytes(target.read_bytes())
                click.echo(f"try {attempt} is kept as {kept}")
                raise
            slowest = max(slowest, time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    click.echo(
        f"{options.tries} tries in {time.perf_counter() - began:.0f} s: {refused} refused, the others read"
    )
    click.echo(f"slowest {slowest:.2f} s, peak memory {peak:.0f} MB")


def _damaged(suffix: str, data: bytes, random: np.random.Generator) -> bytes:
    if data.startswith(b"glTF"):
        return damaged_glb(data, random)
    if data.startswith(b"Kaydara FBX"):
        return damaged_fbx(data, random)
    if suffix == ".npz":
        return damaged_npz(data, random)
    if (suffix in TEXTS or data.startswith(b"; FBX")) and random.random() < 0.5:
        return odd_numbers(data, random)
    return damaged(data, random)


if __name__ == "__main__":
    main()
