"""The command line: parses, calls one public function, prints; the command imports what is heavy."""

from __future__ import annotations

import logging
import os
import signal
import sys
import warnings
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from mocap import __version__

if TYPE_CHECKING:
    from mocap.config import CaptureConfig

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class _Stopped(Exception):
    """Ctrl-C, told apart from click's own answer to it, which is an empty line more."""


class _Commands(click.Group):
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as stop:
            raise _Stopped from stop


@click.group(cls=_Commands, context_settings=CONTEXT, no_args_is_help=False, invoke_without_command=True)
@click.version_option(__version__, prog_name="mocap")
@click.pass_context
def cli(context: click.Context) -> None:
    """Ordinary video of people into clean skeletal animation.

    \b
    mocap capture --views cams.yaml      several cameras
    mocap capture --video clip.mp4       one camera
    mocap export  clip.bvh               the newest take, for Blender and others
    """  # noqa: D301 - click keeps the lines of a paragraph that begins with a backspace character
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@cli.command()
@click.option(
    "--views", type=click.Path(path_type=Path), help="Views file: videos, calibration, subject (YAML)."
)
@click.option("--video", type=click.Path(path_type=Path), help="A single video instead.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Take folder [default: NAME.take here]."
)
@click.option("--height", type=float, help="The person's standing height in metres, if known.")
@click.option("--detector", default="blazepose", show_default=True, help="Which 2D keypoint detector.")
@click.option(
    "--workers", type=click.IntRange(min=1), help="Detection processes [default: one per processor]."
)
@click.option("--incomplete", is_flag=True, help="Use what there is of a video that ends too early.")
@click.option("-q", "--quiet", is_flag=True, help="Only warnings and errors.")
def capture(
    views: Path | None,
    video: Path | None,
    output: Path | None,
    height: float | None,
    detector: str,
    workers: int | None,
    incomplete: bool,
    quiet: bool,
) -> None:
    """Detect, triangulate and solve: videos into a take folder.

    A second run on the same videos only solves. Interrupted with Ctrl-C, the same command goes on.
    """
    from rich.console import Console

    from mocap.bar import Bar
    from mocap.config import with_height
    from mocap.pipeline import capture as run

    config = with_height(_config(views, video), height)
    folder = output or _default_take(views, video)
    bar = partial(Bar, Console(stderr=True, quiet=quiet))
    found = run(config, folder, detector=detector, workers=workers, incomplete=incomplete, progress=bar)
    if not quiet:
        click.echo("\n".join([*found.lines(), f"take          {folder}"]))
    for kind in ("note", "warning"):
        for line in found.record[f"{kind}s"]:
            click.echo(f"{kind}: {line}", err=True)


@cli.command()
@click.argument("target", type=click.Path(path_type=Path))
@click.option(
    "--take", type=click.Path(path_type=Path), help="Take folder [default: the newest one below here]."
)
@click.option("--person", type=click.IntRange(min=1), help="Which person, if there are several.")
@click.option("--all", "every", is_flag=True, help="All people: OUT_1.bvh, OUT_2.bvh, ...")
@click.option(
    "--unit", type=click.Choice(["cm", "m"]), default="cm", show_default=True, help="Unit in the file."
)
def export(target: Path, take: Path | None, person: int | None, every: bool, unit: str) -> None:
    """Write a take's motion to TARGET; the suffix says the format (.bvh)."""
    from mocap.export import IMPORT_HINT
    from mocap.export import export as run

    for path in run(target, take, person, every, unit):
        hint = IMPORT_HINT.get((path.suffix.lower().lstrip("."), unit), "")
        click.echo(f"{path}: {hint}")


def main() -> NoReturn:
    """Run the command line; expected failures are one line on stderr and exit code 1."""
    for library in ("OPENBLAS", "OMP", "MKL"):  # small matrices: threads would only wait
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    if not sys.warnoptions:  # what NumPy says of a division is for us, in tests, and not for the user
        warnings.simplefilter("ignore")
    logging.basicConfig(level=logging.WARNING, format="warning: %(message)s", handlers=[_Lines()])
    code = _run()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an impatient second Ctrl-C finds us leaving already
    sys.exit(code)


class _Lines(logging.Handler):
    """Lines on stderr as it is at the time: above the progress bar while there is one."""

    def emit(self, record: logging.LogRecord) -> None:
        click.echo(self.format(record), err=True)


def _run() -> int:
    try:
        return int(cli.main(prog_name="mocap", standalone_mode=False) or 0)
    except (_Stopped, KeyboardInterrupt, click.exceptions.Abort):
        return _fail("stopped; run the same command again to go on")
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "mocap"
        return _fail(f"{error.format_message().rstrip('.')} (see {command} --help)")
    except BrokenPipeError:  # whoever read our output has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except MemoryError:
        return _fail("out of memory: cut the videos into shorter ones, or take fewer --workers")
    except Exception as error:
        if not _expected(error):
            raise
        return _fail(str(error))


def _expected(error: Exception) -> bool:
    """Whether an exception is one of the packages' own, whose text is meant for the user."""
    from calibration.errors import CalibrationError
    from mocap.errors import MocapError
    from rigs.errors import RigError

    return isinstance(error, (MocapError, CalibrationError, RigError))


def _fail(message: str) -> int:
    click.echo(f"error: {' '.join(message.split())}", err=True)
    return 1


def _config(views: Path | None, video: Path | None) -> CaptureConfig:
    from mocap.config import load_views, single_video

    if views is not None and video is None:
        return load_views(views)
    if video is not None and views is None:
        return single_video(video)
    raise click.UsageError("give either --views FILE or --video FILE")


def _default_take(views: Path | None, video: Path | None) -> Path:
    """NAME.take in the current folder, NAME from the video or from the folder of the views file."""
    name = views.absolute().parent.name if views is not None else (video or Path("capture")).stem
    return Path(f"{name or 'capture'}.take")
