"""The field-by-field table: no row without an existing test, and no field of the wire without a row."""

import ast
import pathlib
import re

import msgspec
import pytest
from django.contrib import admin

from portal.forms.compose import DraftForm
from portal.forms.connection import ConnectionForm
from portal.forms.settings import LimitsForm
from sms.webex.wire import (
    ContactPolicy,
    Content,
    Destination,
    Options,
    SendRequest,
    SmartlinkOptions,
    TemplateRef,
)

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


def headings(template: str) -> set[str]:
    page = (HERE.parents[1] / "templates" / template).read_text("utf-8")
    return set(re.findall(r"<h2[^>]*>([^<{]+)</h2>", page))


def labels() -> dict[str, set[str]]:
    """What a person can find in each place, in small letters: fields, headings, lists."""
    registered = [model._meta for model in admin.site._registry if model._meta.app_label == "sms"]
    found = {
        "Compose": {str(field.label) for field in DraftForm.base_fields.values()}
        | headings("compose/edit.html"),
        "Settings": {
            str(field.label) for form in (ConnectionForm, LimitsForm) for field in form.base_fields.values()
        }
        | headings("settings/connection.html"),
        "the admin": {str(meta.verbose_name_plural) for meta in registered}
        | {str(field.verbose_name) for meta in registered for field in meta.fields},
    }
    return {place: {name.lower() for name in names} for place, names in found.items()}


def named_places() -> list[tuple[str, str]]:
    """Every place and thing of the second column, as `("Settings", "base url")`."""
    return [
        (place, thing.strip(' "').lower())
        for row in rows()
        for place, things in re.findall(r"(Compose|Settings|the admin), ([^;:]+)", row[1])
        for thing in re.split(", | and | or ", things)
    ]


def test_second_column_names_what_the_pages_have():
    known, named = labels(), named_places()
    assert len(named) >= 30
    for place, thing in named:
        assert thing in known[place], (place, thing)


def test_second_column_says_nothing_else_of_pages():
    """So that no place escapes the test above."""
    words = " ".join(re.sub(r"(Compose|Settings|the admin), [^;]+", "", row[1]) for row in rows())
    allowed = (
        r"–|decided from the text|Review shows the row|made by us|shown (in|on Send and Messages)|the list in|its id in"
        r"|a new one keeps the previous|[; ]"
    )
    assert re.sub(allowed, "", words) == ""


def wire_paths() -> list[str]:
    """Every field of every struct as its path on the wire."""
    blocks = {
        "": SendRequest,
        "to[].": Destination,
        "content.": Content,
        "template.": TemplateRef,
        "options.": Options,
        "smartlinks[].": SmartlinkOptions,
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
