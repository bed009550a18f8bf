"""The documents name what exists."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted({*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")})
TEXT = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
COMMANDS = sorted(set(re.findall(r"(?:`|&& |^ *)mocap ([a-z]+)([^`&\n]*)", TEXT, flags=re.M)))
HELP = "import sys; sys.argv = ['mocap', sys.argv[1], '--help']; from mocap.cli import main; main()"


def test_readme_tells_the_tests_once() -> None:
    """`.ci/run` takes the first line that ends so."""
    assert len(re.findall(r"scripts/test$", README, flags=re.M)) == 1


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text(encoding="utf-8"))
    assert not [link for link in links if not (page.parent / link).exists()]


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs/index.md").read_text(encoding="utf-8")
    assert not [
        page.name
        for page in ROOT.glob("docs/*.md")
        if page.name != "index.md" and f"({page.name})" not in index
    ]


@pytest.mark.skipif(not (ROOT / "mocap/cli.py").exists(), reason="there is no command yet")
@pytest.mark.parametrize(("command", "arguments"), COMMANDS, ids=lambda text: text.strip())
def test_commands_and_their_options_exist(command: str, arguments: str) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", HELP, command], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert answer.returncode == 0, answer.stderr
    assert not [option for option in re.findall(r"(?<= )-[-a-z]+", arguments) if option not in answer.stdout]
