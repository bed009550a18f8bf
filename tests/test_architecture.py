"""Who may import whom, how light an import is, and what no package may do."""

import ast
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("calibration", "rigs", "mocap")
FORBIDDEN_IMPORTS = {"calibration": {"rigs", "mocap"}, "rigs": {"calibration", "mocap"}, "mocap": set[str]()}
HEAVY = {"torch", "mediapipe", "open3d", "onnxruntime", "cv2", "av", "scipy", "matplotlib", "pxr"}
PICKLES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
HELP_CPU_SECONDS = 0.3

Offence = tuple[int, str]


def modules(package: str) -> Iterator[Path]:
    return (ROOT / package).rglob("*.py")


def imported_packages(tree: ast.AST) -> Iterator[Offence]:
    """Line and top package of every absolute import, those inside functions included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.split(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.lineno, (node.module or "").split(".")[0]


def calls(tree: ast.AST) -> Iterator[tuple[int, str, dict[str, object]]]:
    """Line, dotted name and constant keyword arguments of every call."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            keywords = {k.arg or "**": getattr(k.value, "value", None) for k in node.keywords}
            yield node.lineno, ast.unparse(node.func), keywords


def prints(tree: ast.AST) -> Iterator[Offence]:
    return ((line, name) for line, name, _ in calls(tree) if name == "print")


def unsafe_reads(tree: ast.AST) -> Iterator[Offence]:
    """What runs code that a file brings along."""
    yield from ((line, name) for line, name in imported_packages(tree) if name in PICKLES)
    yield from unsafe_yaml_loads(tree)
    for line, name, keywords in calls(tree):
        if name in {
            "yaml.unsafe_load",
            "yaml.full_load",
            "yaml.unsafe_load_all",
            "yaml.full_load_all",
            "eval",
            "exec",
        }:
            yield line, name
        if keywords.get("allow_pickle", False) is not False:
            yield line, f"{name}(allow_pickle=...)"
        if name == "torch.load" and keywords.get("weights_only") is not True:
            yield line, "torch.load without weights_only=True"


def unsafe_yaml_loads(tree: ast.AST) -> Iterator[Offence]:
    """Calls of yaml.load but with PyYAML's safe loader, or with a class beside them that derives from it."""
    safe = {"yaml.SafeLoader", "yaml.CSafeLoader"}
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and {ast.unparse(base) for base in node.bases} & safe:
            safe.add(node.name)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"yaml.load", "yaml.load_all"}:
            given = [*node.args[1:], *(k.value for k in node.keywords if k.arg == "Loader")]
            if not {ast.unparse(loader) for loader in given} & safe:
                yield node.lineno, "yaml.load"


def offences(package: str, rule: Callable[[ast.AST], Iterator[Offence]]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{line}: {what}"
        for path in modules(package)
        for line, what in rule(ast.parse(path.read_text(encoding="utf-8")))
    ]


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)


def loaded_by(code: str) -> set[str]:
    """Top packages in memory after `code` ran in a fresh interpreter."""
    answer = python(f"{code}\nimport sys\nprint(*sys.modules, file=sys.stderr)")
    assert answer.returncode == 0, answer.stderr
    return {name.split(".")[0] for name in answer.stderr.split()}


HELP = """
import sys
from mocap.cli import main
sys.argv = ["mocap", "--help"]
try:
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
"""


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_follow_the_arrows(package: str) -> None:
    assert any(modules(package))
    against = [o for o in offences(package, imported_packages) if o.split()[-1] in FORBIDDEN_IMPORTS[package]]
    assert not against


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_do_not_print(package: str) -> None:
    assert not offences(package, prints)


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_read_nothing_that_can_run_code(package: str) -> None:
    assert not offences(package, unsafe_reads)


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "def f():\n    from joblib import load",
        "yaml.load(text)",
        "yaml.load(text, Loader=yaml.Loader)",
        "class Own(yaml.Loader): ...\nyaml.load(text, Own)",
        "np.load(path, allow_pickle=True)",
        "np.load(path, allow_pickle=flag)",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
    ],
)
def test_unsafe_reads_are_seen(code: str) -> None:
    assert list(unsafe_reads(ast.parse(code)))


@pytest.mark.parametrize(
    "code",
    ["yaml.safe_load(text)", "np.load(path, allow_pickle=False)", "torch.load(path, weights_only=True)"],
)
def test_safe_reads_are_let_pass(code: str) -> None:
    assert not list(unsafe_reads(ast.parse(code)))


def test_plain_imports_are_light() -> None:
    assert not loaded_by("import calibration, rigs, mocap") & HEAVY


def test_help_is_light() -> None:
    assert not loaded_by(HELP) & HEAVY


@pytest.mark.skipif(os.name == "nt", reason="Windows does not tell the processor time of children")
def test_help_is_quick() -> None:
    """Processor time, best of five: neither another process nor the first compilation to byte code counts."""
    assert min(cpu_seconds(HELP) for _ in range(5)) < HELP_CPU_SECONDS


def cpu_seconds(code: str) -> float:
    before = os.times()
    answer = python(code)
    after = os.times()
    assert answer.returncode == 0, answer.stderr
    return after.children_user + after.children_system - before.children_user - before.children_system
