"""Templates and stylesheets can be read and compared line by line."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LONGEST = 160
LONGEST_STYLESHEET = 400
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
STYLES = sorted((ROOT / "static" / "css").rglob("*.css"))


def _lines(paths: list[Path]) -> Iterator[tuple[str, str]]:
    for path in paths:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            yield f"{path.relative_to(ROOT).as_posix()}:{number}", line


def _declarations(line: str) -> int:
    """How many declarations the line of a stylesheet holds, outside comments, strings and brackets."""
    line = re.sub(r"/\*.*?\*/|\"[^\"]*\"|'[^']*'", "", line)
    while line != (line := re.sub(r"\([^()]*\)", "", line)):
        pass
    inside = line.rpartition("{")[2].partition("}")[0]
    return sum(":" in part for part in inside.split(";"))


def test_no_line_is_too_long():
    assert [place for place, line in _lines([*TEMPLATES, *STYLES]) if len(line) > LONGEST] == []


def test_no_stylesheet_is_long():
    lengths = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in STYLES}
    assert {name: length for name, length in lengths.items() if length > LONGEST_STYLESHEET} == {}


def test_each_declaration_has_a_line_of_its_own():
    shared = re.compile(r"\{[^}]*:")  # a rule on one line
    assert [at for at, line in _lines(STYLES) if _declarations(line) > 1 or shared.search(line)] == []


def test_a_table_of_states_is_a_list_of_cards_on_a_phone():
    """Beside other columns the state would stand beyond the edge, and be seen only by scrolling."""
    tables = [
        (path.name, table)
        for path in TEMPLATES
        for table in re.findall(r"<table.*?</table>", path.read_text(encoding="utf-8"), re.DOTALL)
    ]
    of_states = [(name, table) for name, table in tables if "components/status.html" in table]
    assert len(of_states) > 3
    assert [name for name, table in of_states if not re.match(r'<table class="[^"]*\bstacks\b', table)] == []


def test_no_part_of_an_address_is_put_together_by_hand():
    """A value with `&`, `#` or a space would end it: `urlencode` writes them."""
    by_hand = re.compile(r'f"(?:[^"]*[?&])?[a-z_]+=\{')
    paths = [path for folder in ("portal", "sms") for path in sorted((ROOT / folder).rglob("*.py"))]
    views = [path for path in paths if "views" in path.parts or "presenters" in path.parts]
    assert [at for at, line in _lines(views) if by_hand.search(line)] == []


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ("  color: red;", 1),
        (".a { color: red; margin: 0; }", 2),
        ("  color: red; margin: 0;", 2),
        ("  a:hover,", 1),
        ("  background: url(data:image/svg+xml;a:b) /* x: y; */;", 1),
        ('  content: "a: b; c: d";', 1),
    ],
)
def test_declarations_are_counted(line, count):
    assert _declarations(line) == count
