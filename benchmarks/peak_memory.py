"""Peak memory of a whole capture of a long take: the example's videos, looped.

    python benchmarks/peak_memory.py MINUTES [--given]

`--given` puts the keypoints of a first short capture beside the looped videos, so that only decoding and the
solve are long. Prints the largest sum of resident memory over all processes of the capture, sampled.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import av
import click
import numpy as np

from mocap.detect.parts import read_keypoints
from mocap.take import Take

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "walk"
COMMAND = [sys.executable, "-c", "from mocap.cli import main; main()"]


def main() -> None:
    """Loop, capture, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("minutes", type=float)
    parser.add_argument("--given", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        loops = max(1, round(asked.minutes * 60 / 7))
        shutil.copy(EXAMPLE / "calibration.toml", work)
        shutil.copy(EXAMPLE / "cams.yaml", work)
        for video in sorted(EXAMPLE.glob("cam*.mp4")):
            loop_video(video, work / video.name, loops)
        if asked.given:
            give_keypoints(work, loops)
        detector = "given" if asked.given else "blazepose"
        began = time.perf_counter()
        peak = peak_of(
            [
                *COMMAND,
                "capture",
                "--views",
                str(work / "cams.yaml"),
                "-o",
                str(work / "take"),
                "--detector",
                detector,
            ]
        )
        seconds = time.perf_counter() - began
        click.echo(
            f"{asked.minutes:g} min, 4 views, {detector}: {peak / 2**20:.0f} MiB at most, {seconds:.0f} s"
        )


def loop_video(source: Path, target: Path, loops: int) -> None:
    """Repeat a video's packets without decoding them."""
    with av.open(str(target), "w") as out:
        shift = 0
        stream = None
        for _ in range(loops):
            with av.open(str(source)) as again:
                video = again.streams.video[0]
                stream = stream or out.add_stream_from_template(video)
                last = shift
                for packet in again.demux(video):
                    if packet.dts is None or packet.pts is None:
                        continue
                    packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                    last = max(last, packet.pts + (packet.duration or 0))
                    packet.stream = stream
                    out.mux(packet)
                shift = last


def give_keypoints(work: Path, loops: int) -> None:
    """Detect the example once, and lay its keypoints, looped, beside the videos."""
    once = work / "once"
    subprocess.run(
        [*COMMAND, "capture", "--views", str(EXAMPLE / "cams.yaml"), "-o", str(once), "-q"], check=True
    )
    for name in ("cam1", "cam2", "cam3", "cam4"):
        found = read_keypoints(Take.open(once), name)
        np.savez(
            work / f"{name}.keypoints.npz",
            layout=found.layout.name,
            points=np.tile(found.points[:, 0], (loops, 1, 1)),
            confidence=np.tile(found.confidence[:, 0], (loops, 1)),
        )


def peak_of(command: list[str]) -> int:
    """Run a command; return the largest resident memory (bytes) of it and its children together."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    largest, over = [0], threading.Event()

    def watch() -> None:
        while not over.wait(0.5):
            largest[0] = max(largest[0], resident(process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    code = process.wait()
    over.set()
    watcher.join()
    if code:
        raise SystemExit(f"the capture failed with exit code {code}")
    return largest[0]


def resident(pid: int) -> int:
    """Resident bytes of a process and all below it (Linux)."""
    total = 0
    try:
        total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096
        for task in Path(f"/proc/{pid}/task").iterdir():
            total += sum(resident(int(child)) for child in (task / "children").read_text().split())
    except (FileNotFoundError, ProcessLookupError):
        pass
    return total


if __name__ == "__main__":
    main()
