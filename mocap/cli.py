"""The command line: the group of all commands, and what becomes of their errors."""

from __future__ import annotations

import logging
import os
import signal
import sys
import warnings
from typing import Any, NoReturn

import click

from mocap import __version__
from mocap.commands.blender import blender
from mocap.commands.board import board
from mocap.commands.calibrate import calibrate
from mocap.commands.capture import capture
from mocap.commands.export import export
from mocap.commands.rigs import rigs
from mocap.commands.sync import sync

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


for command in (capture, export, rigs, calibrate, sync, board, blender):
    cli.add_command(command)


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
