"""No link between Markdown files of the repository is dead. `make docs` checks the website too."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md")),
    *sorted(DOCS.rglob("*.md")),
    *sorted((ROOT / "examples").rglob("*.md")),
    *sorted((ROOT / "plugins").glob("*/README.md")),
]
FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def slug(heading: str) -> str:
    """As GitHub makes the anchor of a heading."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def anchors(path: Path) -> set[str]:
    text = FENCED.sub("", path.read_text(encoding="utf-8"))
    return {slug(heading) for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}


def dead(page: Path) -> list[str]:
    text = re.sub(r"`[^`\n]*`", "", FENCED.sub("", page.read_text(encoding="utf-8")))
    found = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        name, _, anchor = link.partition("#")
        if "://" in link:
            continue
        target = page if not name else (page.parent / name).resolve()
        if not target.exists() or (anchor and anchor not in anchors(target)):
            found.append(link)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_link_is_dead(page):
    assert dead(page) == []


def test_a_dead_link_and_a_dead_anchor_are_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# A heading, of sorts\n[a](#a-heading-of-sorts) [b](#none) [c](none.md)\n")
    assert dead(page) == ["#none", "none.md"]


DIALECT = re.compile(
    r"\b(?:told|hears?|heard|unheard|so many|anew|of no use|go(?:es)? on|gone on|learnt|tells of)\b"
)
"""Dialect for "reported", "trained on", "N", "again", "has no effect" and "continue"."""


def test_pages_are_in_plain_english():
    found = []
    for page in PAGES:
        text = re.sub(r"`[^`\n]*`", "", FENCED.sub("", page.read_text(encoding="utf-8")))
        found += [f"{page.name}: {word}" for word in DIALECT.findall(text)]
    assert found == []


def test_the_menu_of_the_website_has_every_page():
    text = re.sub(r"!!python\S+", "", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    listed = re.findall(r"[\w/-]+\.md", str(yaml.safe_load(text)["nav"]))
    assert {path.name for path in DOCS.glob("*.md")} <= set(listed)


def test_the_sound_of_the_readme_is_small_and_marked_as_synthetic():
    soundfile = pytest.importorskip("soundfile")
    path = DOCS / "sounds" / "hello.opus"
    assert path.stat().st_size < 100_000
    with soundfile.SoundFile(path) as sound:
        assert sound.channels == 1
        assert 4 < sound.frames / sound.samplerate < 7
        assert "synthetic speech" in sound.comment


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 160
