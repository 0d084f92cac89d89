"""The field-by-field table: no row without an existing test, and no field of the wire without a row."""

import ast
import pathlib
import re

import msgspec
import pytest

from sms.webex.wire import ContactPolicy, Content, Destination, Options, SendRequest, Smartlink, TemplateRef

HERE = pathlib.Path(__file__).parent
PAGE = (HERE.parents[1] / "docs" / "webex-connect.md").read_text("utf-8")


def rows() -> list[list[str]]:
    """Cells of every table row that is neither a heading nor a rule; a bar inside a cell is written with a backslash."""
    lines = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| field |")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def functions_of(file: str) -> set[str]:
    tree = ast.parse((HERE / file).read_text("utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_row_is_whole_and_names_a_test_that_exists():
    found = rows()
    covered = 0
    for row in found:
        assert len(row) == 6 and all(row), row
        named = re.fullmatch(r"`(test_\w+\.py)::(test_\w+)`", row[-1])
        assert named, row
        assert named[2] in functions_of(named[1]), row
        covered += 1
    assert covered == len(found) >= 80


def test_table_has_no_row_twice():
    first = [(row[0], row[2]) for row in rows()]
    assert len(set(first)) == len(first)


def wire_paths() -> list[str]:
    """Every field of every struct as its path on the wire."""
    blocks = {
        "": SendRequest,
        "to[].": Destination,
        "content.": Content,
        "template.": TemplateRef,
        "options.": Options,
        "smartlinks[].": Smartlink,
        "contactPolicy.": ContactPolicy,
    }
    whole = {"content", "template", "options", "smartlinks", "contactPolicy"}  # their fields have the rows
    return [
        prefix + field.encode_name
        for prefix, struct in blocks.items()
        for field in msgspec.structs.fields(struct)
        if prefix or field.encode_name not in whole
    ]


@pytest.mark.parametrize("path", wire_paths())
def test_every_field_of_the_wire_has_its_row(path):
    assert any(row[0].startswith(f"`{path}`") for row in rows())
