"""The command: every fault of the user's is one line on stderr and exit code 1, and nothing is lost."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from mocap import __version__
from mocap.cli import _run, cli
from mocap.errors import MocapError
from tests.mocap import films
from tests.mocap.test_people import taken
from tests.synth_take import film, marching, write_scene

SHORT = marching(8)
COMMAND = [sys.executable, "-c", "from mocap.cli import main; main()"]
Mocap = Callable[..., tuple[int, str, str]]


@pytest.fixture
def mocap(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Mocap:
    """Runs the command as `main` does; gives its exit code, stdout and stderr."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["mocap", *map(str, arguments)])
        capsys.readouterr()
        code = _run()
        return code, *capsys.readouterr()

    return run


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A views file that works."""
    return write_scene(tmp_path_factory.mktemp("cli") / "scene", SHORT, view_fields={"offset": 0})


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A views file that works, and that a test may break."""
    return write_scene(tmp_path / "scene", SHORT)


def capture(views: Path, take: Path) -> list[object]:
    return ["capture", "--views", views, "-o", take, "--detector", "given"]


def refused(answer: tuple[int, str, str]) -> str:
    code, out, err = answer
    assert (code, out, err.count("\n")) == (1, "", 1), answer
    assert err.startswith("error: ") and "Traceback" not in err
    return err


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_capture_then_export(mocap: Mocap, scene: Path, tmp_path: Path) -> None:
    code, out, err = mocap(*capture(scene, tmp_path / "a.take"))
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert len(lines) == 15 and lines[0].startswith("motion        8 frames at 30 fps")
    assert lines[-1].split() == ["take", str(tmp_path / "a.take")]
    code, out, err = mocap("export", tmp_path / "a.bvh", "--take", tmp_path / "a.take")
    assert (code, err) == (0, "") and "import with Scale 0.01" in out
    assert mocap(*capture(scene, tmp_path / "a.take"), "-q")[:2] == (0, "")


def test_help_version_and_nothing() -> None:
    for arguments in (["--help"], ["-h"], [], ["capture", "--help"], ["export", "-h"]):
        answer = CliRunner().invoke(cli, arguments)
        assert answer.exit_code == 0 and "Usage:" in answer.output
    examples = [line.strip() for line in CliRunner().invoke(cli, []).output.splitlines()]
    assert any(line.startswith("mocap capture --video clip.mp4") for line in examples)  # a line each
    assert CliRunner().invoke(cli, ["--version"]).output.strip().endswith(__version__)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["capture"], r"give either --views FILE or --video FILE (see mocap capture --help)"),
        (["capture", "--views", "a", "--video", "b"], "give either --views FILE or --video FILE"),
        (["capture", "--vews", "a"], "No such option '--vews'"),
        (["capture", "--views"], "Option '--views' requires an argument"),
        (["capture", "--video", "a", "--workers", "0"], "Invalid value for '--workers'"),
        (["capture", "--video", "a", "--height", "tall"], "Invalid value for '--height'"),
        (["frob"], "No such command 'frob' (see mocap --help)"),
        (["export"], "Missing argument 'TARGET...'"),
        (["export", "a.bvh", "--unit", "inch"], "Invalid value for '--unit'"),
    ],
)
def test_wrong_usage(mocap: Mocap, arguments: list[str], message: str) -> None:
    assert message in refused(mocap(*arguments))


def broken(own: Path, name: str, text: str | bytes) -> Path:
    (own.parent / name).write_bytes(text.encode() if isinstance(text, str) else text)
    return own


def changed(own: Path, name: str, old: str, new: str) -> Path:
    text = (own.parent / name).read_text()
    assert old in text
    (own.parent / name).write_text(text.replace(old, new, 1))
    return own


def other_size(own: Path) -> Path:
    film(own.parent / "cam2.mp4", 8, size=(500, 200))
    return own


WRONG = {
    "no such views file": (lambda own: own.with_name("gone.yaml"), "gone.yaml: no such file"),
    "no such video": (lambda own: changed(own, "cams.yaml", "cam3.mp4", "gone.mp4"), "no such file"),
    "text for a video": (lambda own: broken(own, "cam3.mp4", "Dear diary"), "cam3.mp4: not a video"),
    "an empty video": (lambda own: broken(own, "cam3.mp4", ""), "cam3.mp4: the file is empty"),
    "half a video": (
        lambda own: broken(own, "cam3.mp4", (own.parent / "cam3.mp4").read_bytes()[:800]),
        "cam3.mp4: not a video, or its header is cut off",
    ),
    "a video for the views file": (lambda own: own.with_name("cam1.mp4"), "cam1.mp4: not text"),
    "a view without a camera": (
        lambda own: changed(own, "calibration.toml", '"cam3"', '"cam9"'),
        "has no camera for view cam3; its cameras are cam1, cam2, cam9, cam4",
    ),
    "another size": (other_size, "camera 'cam2': the video is 500x200, the calibration 720x540"),
    "no number": (lambda own: changed(own, "calibration.toml", "620.0", "nan"), "cam1"),
    "no calibration": (lambda own: broken(own, "calibration.toml", "hello"), "calibration.toml"),
    "an unknown field": (
        lambda own: changed(own, "cams.yaml", "calibration:", "camera: 3\ncalibration:"),
        "cams.yaml: camera: unknown field",
    ),
    "an unknown field of a view": (
        lambda own: changed(own, "cams.yaml", "- name: cam2", "- ofset: 1\n  name: cam2"),
        "cams.yaml: views[1].ofset: unknown field (did you mean offset?)",
    ),
    "no keypoints": (
        lambda own: broken(own, "cam3.keypoints.npz", "x"),
        "cam3.keypoints.npz: cannot be read",
    ),
    "no overlap": (
        lambda own: changed(own, "cams.yaml", "- name: cam2", "- offset: 100\n  name: cam2"),
        "",  # three views do overlap: this one is left out, and said
    ),
}


@pytest.mark.parametrize(("make", "message"), WRONG.values(), ids=WRONG.keys())
def test_wrong_input(mocap: Mocap, own: Path, make: Callable[[Path], Path], message: str) -> None:
    taken(own.parent / "a.take", 1)
    before = files_below(own.parent / "a.take")
    answer = mocap(*capture(make(own), own.parent / "a.take"))
    if not message:
        assert answer[0] == 0 and "view cam2: nobody was seen" in answer[2]
        return
    assert message in refused(answer)
    after = files_below(own.parent / "a.take")
    assert {name: after.get(name) for name in before} == before


def test_a_video_cut_in_the_middle_is_refused_or_goes_on_with_a_warning(
    mocap: Mocap, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """In a container that says its length at the front the first half can be read."""
    views = write_scene(tmp_path / "scene", marching(60))
    video = films.write(tmp_path / "scene" / "cam2.mkv", 60, size=(720, 540))
    video.write_bytes(video.read_bytes()[: video.stat().st_size // 2])
    (tmp_path / "scene" / "cam2.keypoints.npz").rename(video.with_suffix(".keypoints.npz"))
    changed(views, "cams.yaml", "cam2.mp4", "cam2.mkv")
    assert "--incomplete" in refused(mocap(*capture(views, tmp_path / "a.take")))
    with caplog.at_level(logging.WARNING):
        code, out, _ = mocap(*capture(views, tmp_path / "a.take"), "--incomplete")
    assert code == 0 and out.startswith("motion        60 frames")
    assert "view cam2: cam2.mkv: unreadable after frame" in caplog.text


def test_a_detector_that_is_not_there(mocap: Mocap, scene: Path, tmp_path: Path) -> None:
    arguments = ["capture", "--views", scene, "-o", tmp_path / "a.take", "--detector", "openpose"]
    assert "no detector 'openpose'; there are: blazepose, given" in refused(mocap(*arguments))


def test_a_folder_that_is_no_take(mocap: Mocap, scene: Path, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_text("meow")
    assert "has files in it and is not a take" in refused(mocap(*capture(scene, tmp_path / "photos")))
    assert "is not a take folder" in refused(mocap("export", "a.bvh", "--take", tmp_path / "photos"))
    assert "is a file: name a new folder" in refused(mocap(*capture(scene, tmp_path / "photos" / "cat.jpg")))
    assert files_below(tmp_path) == {"photos/cat.jpg": b"meow"}


def test_a_take_in_use(mocap: Mocap, scene: Path, tmp_path: Path) -> None:
    taken(tmp_path / "a.take", 1)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        (tmp_path / "a.take" / "lock").write_text(str(other.pid))
        before = files_below(tmp_path)
        assert f"is in use by process {other.pid}: wait" in refused(
            mocap(*capture(scene, tmp_path / "a.take"))
        )
        assert files_below(tmp_path) == before
        other.communicate(b"\n")


def test_export_without_a_take(mocap: Mocap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "no take in ." in refused(mocap("export", "a.bvh"))
    assert "no take folder gone.take" in refused(mocap("export", "a.bvh", "--take", "gone.take"))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("a.xyz", "cannot write {}: it has the suffix '.xyz'; use one of .bvh"),
        ("a", "cannot write {}: it has no suffix; use one of .bvh"),
        ("gone/a.bvh", "cannot write {}: No such file or directory; choose a folder you can write to"),
        ("file/a.bvh", "cannot write {}: Not a directory; choose a folder you can write to"),
        ("closed/a.bvh", "cannot write {}: Permission denied; choose a folder you can write to"),
    ],
)
def test_a_target_that_cannot_be_written(mocap: Mocap, tmp_path: Path, target: str, message: str) -> None:
    if target.startswith("closed") and os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    take = taken(tmp_path / "a.take", 1)
    (tmp_path / "file").write_text("kept")
    (tmp_path / "closed").mkdir(0o500)
    before = files_below(tmp_path)
    answer = refused(mocap("export", tmp_path / target, "--take", take.folder))
    assert message.format(tmp_path / target) in answer
    assert files_below(tmp_path) == before


@pytest.mark.parametrize("name", ["take.json", "people.json", "people/1.motion.npz"])
def test_a_take_with_a_damaged_file(mocap: Mocap, scene: Path, tmp_path: Path, name: str) -> None:
    take = taken(tmp_path / "a.take", 1)
    (take.folder / name).write_bytes((take.folder / name).read_bytes()[:20])
    message = refused(mocap("export", tmp_path / "a.bvh", "--take", take.folder))
    assert name.rpartition("/")[2] in message and "mocap capture" in message
    if name != "take.json":  # the advice, followed
        assert mocap(*capture(scene, take.folder))[0] == 0
        assert mocap("export", tmp_path / "a.bvh", "--take", take.folder)[0] == 0


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Path]:
    """A file system of its own of `size` bytes; skips the test where it may not be made."""
    folder.mkdir()
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    options = ["-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if subprocess.run(["mount", *options], capture_output=True).returncode:
        pytest.skip("a small disk cannot be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("kilobytes", [4, 12, 20, 32, 48, 64])
def test_a_full_disk(mocap: Mocap, scene: Path, tmp_path: Path, kilobytes: int) -> None:
    with small_disk(tmp_path / "disk", 1 << 20) as disk:
        taken(disk / "a.take", 1)
        used = sum(4096 * -(-len(data) // 4096) for data in files_below(disk).values())
        subprocess.run(["mount", "-o", f"remount,size={used + kilobytes * 1024}", str(disk)], check=True)
        before = files_below(disk)
        message = refused(mocap(*capture(scene, disk / "a.take")))
        assert "disk full" in message or "No space left" in message
        assert {name: files_below(disk).get(name) for name in before} == before
        assert mocap("export", tmp_path / "a.bvh", "--take", disk / "a.take")[0] == 0
        assert "No space left" in refused(mocap("export", fill(disk) / "b.bvh", "--take", disk / "a.take"))
        (disk / "rest").unlink()
        subprocess.run(["mount", "-o", "remount,size=4M", str(disk)], check=True)
        assert mocap(*capture(scene, disk / "a.take"))[0] == 0


def fill(disk: Path) -> Path:
    with (disk / "rest").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            return disk


@pytest.mark.slow
def test_videos_without_people_are_refused(mocap: Mocap, own: Path) -> None:
    for name in ("cam1", "cam2", "cam3", "cam4"):
        films.write(own.parent / f"{name}.mp4", 3, size=(720, 540))
    take = own.parent / "a.take"
    message = refused(mocap("capture", "--views", own, "-o", take))
    assert "no person: somebody is seen by two of the 4 views at once in 0 % of the 3 frames" in message


def test_our_own_faults_are_no_users(mocap: Mocap, scene: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(error: Exception) -> Callable[..., None]:
        def raises(*arguments: object) -> None:
            raise error

        return raises

    monkeypatch.setattr("mocap.config.load_views", fail(MocapError("one\nline")))
    assert refused(mocap("capture", "--views", scene)) == "error: one line\n"
    monkeypatch.setattr("mocap.config.load_views", fail(MemoryError()))
    assert "out of memory" in refused(mocap("capture", "--views", scene))
    monkeypatch.setattr("mocap.config.load_views", fail(IndexError("a bug")))
    with pytest.raises(IndexError, match="a bug"):
        mocap("capture", "--views", scene)


@pytest.mark.skipif(os.name == "nt", reason="there is no such signal")
def test_a_reader_that_leaves_early_is_no_fault(tmp_path: Path) -> None:
    take = taken(tmp_path / "a.take", 1)
    arguments = [*COMMAND, "export", str(tmp_path / "a.bvh"), "--take", str(take.folder)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stderr
        process.stdout.close()
        assert process.stderr.read() == ""
    assert (tmp_path / "a.bvh").is_file()


def test_numbers_in_the_file_are_finite(mocap: Mocap, scene: Path, tmp_path: Path) -> None:
    mocap(*capture(scene, tmp_path / "a.take"))
    mocap("export", tmp_path / "a.bvh", "--take", tmp_path / "a.take", "--unit", "m")
    rows = (tmp_path / "a.bvh").read_text().split("Frame Time:")[1].splitlines()[1:]
    assert np.isfinite([[float(x) for x in row.split()] for row in rows]).all()
