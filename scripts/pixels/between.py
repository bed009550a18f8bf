"""Writes weights between those of two runs, which often see other pictures better than either.

    python scripts/pixels/between.py first.pt second.pt out.pt

Robust fine-tuning as by Wortsman et al. 2022.
"""

from __future__ import annotations

from pathlib import Path

import click
from net import read_weights, write_weights


@click.command(help=__doc__.split("\n", maxsplit=1)[0])
@click.argument("first", type=click.Path(exists=True, path_type=Path))
@click.argument("second", type=click.Path(exists=True, path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--share", default=0.5, show_default=True, help="Of the second.")
def main(first: Path, second: Path, out: Path, share: float) -> None:
    """Write OUT."""
    one, other = read_weights(first), read_weights(second)
    write_weights(out, {name: one[name].lerp(weight, share) for name, weight in other.items()})


if __name__ == "__main__":
    main()
