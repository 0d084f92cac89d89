"""Which pages there are, in the order of `pages.toml`, and the file of each."""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings

FOLDER: Path = settings.BASE_DIR / "docs" / "partners"


@dataclass(frozen=True, slots=True)
class DocPage:
    name: str
    title: str
    short: str  # in the navigation
    says: str  # one sentence

    @property
    def path(self) -> Path:
        return FOLDER / f"{self.name}.md"


@dataclass(frozen=True, slots=True)
class DocSection:
    title: str
    pages: tuple[DocPage, ...]


@cache
def sections() -> tuple[DocSection, ...]:
    listed = tomllib.loads(Path(__file__).with_name("pages.toml").read_text("utf-8"))["section"]
    return tuple(DocSection(one["title"], tuple(_page(**page) for page in one["pages"])) for one in listed)


@cache
def pages() -> dict[str, DocPage]:
    """By name, in the order of the navigation."""
    return {page.name: page for section in sections() for page in section.pages}


def _page(name: str, says: str, short: str = "") -> DocPage:
    heading = re.match(r"# (.+)", (FOLDER / f"{name}.md").read_text("utf-8"))
    if heading is None:
        raise ValueError(f"docs/partners/{name}.md does not begin with a heading.")
    return DocPage(name, heading[1], short or heading[1], says)
