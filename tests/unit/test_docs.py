"""What the documentation points at is there, and what there is to know is pointed at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from typer.main import get_command

from fullmakt.serve.commands import app
from fullmakt.wire.maskinporten.errors import CATALOGUE

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", *DOCS.rglob("*.md")])
FENCED = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
SHELL = re.compile(r"^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.*?) *$", re.MULTILINE)
ANCHOR = re.compile(r'<a id="([^"]+)"')
CODE = re.compile(r"`(fullmakt [a-z][^`]*)`")


def page_id(page: Path) -> str:
    return str(page.relative_to(ROOT))


def links(page: Path) -> Iterator[tuple[Path, str]]:
    """Each file that a page points at, and the place in it, if any; addresses elsewhere are left out."""
    for target in LINK.findall(FENCED.sub("", page.read_text(encoding="utf-8"))):
        if not re.match(r"[a-z]+:", target):
            path, _, place = unquote(target).partition("#")
            yield (page.parent / path).resolve() if path else page, place


def places(page: Path) -> set[str]:
    """What a link into a page can name: its headings, as GitHub makes names of them, and its anchors."""
    text = page.read_text(encoding="utf-8")
    headings = (re.sub(r"<[^>]*>|[`*\[\]]", "", heading) for heading in HEADING.findall(FENCED.sub("", text)))
    names = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return names | set(ANCHOR.findall(text))


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target, place in links(page):
        assert target.exists(), target
        assert not place or place in places(target), f"{target}#{place}"


def test_the_index_points_at_every_page() -> None:
    index = DOCS / "index.md"
    assert {target for target, _ in links(index)} >= set(DOCS.rglob("*.md")) - {index}


def commands(text: str) -> Iterator[list[str]]:
    """Every ``fullmakt …`` in a text, in blocks of shell and between backticks, as words."""
    lines = (line for block in SHELL.findall(text) for line in block.replace("\\\n", " ").splitlines())
    for line in (*lines, *CODE.findall(FENCED.sub("", text))):
        for command in re.findall(r"(?:^|[\s/(])fullmakt ([a-z][^|&;>)#]*)", line):
            yield command.split()


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_command_and_option_that_is_shown_exists(page: Path) -> None:
    for words in commands(page.read_text(encoding="utf-8")):
        command = get_command(app)
        while (below := getattr(command, "commands", None)) is not None:
            assert words[0] in below, words
            command, words = below[words[0]], words[1:]
        options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
        assert {word.partition("=")[0] for word in words if word.startswith("--")} <= options | {"--help"}, words


def test_every_error_is_documented() -> None:
    page = (DOCS / "reference" / "errors.md").read_text(encoding="utf-8")
    assert [entry.reason for entry in CATALOGUE.values() if f'<a id="{entry.reason}">' not in page] == []


def test_no_page_names_a_path_of_somebodys_machine() -> None:
    for page in PAGES:
        assert not re.search(r"(?<![\w.])/(?:work|home|root|Users)/", page.read_text(encoding="utf-8")), page
