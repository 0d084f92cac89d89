"""What the rows say of pages and fields: every place that they name is there, and no field of the wire is without a row."""

import re

import msgspec
import pytest
from django import forms
from django.contrib import admin
from django.forms.utils import pretty_name

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
from tests.contract.document import PARTS
from tests.contract.rows import Row
from tests.environment import ROOT


def of_fields() -> list[Row]:
    """Those that say in their second column where a person sets it."""
    return [one for part in PARTS if part.columns[1] == "set by a person" for one in part.rows]


def test_every_row_is_whole():
    found = [(part, one) for part in PARTS for one in part.rows]
    for part, one in found:
        assert len(one.cells) == len(part.columns) - 2, one.name
        assert all(one.cells) and one.examples, one.name
    assert len(found) >= 200


def test_table_has_no_row_twice():
    first = [(part.title, one.name) for part in PARTS for one in part.rows]
    assert len(set(first)) == len(first)


def headings(template: str) -> set[str]:
    page = (ROOT / "templates" / template).read_text("utf-8")
    return set(re.findall(r'<h2[^>]*>\{% translate "([^"]+)" %\}</h2>', page))


def labels_of(form: type[forms.BaseForm]) -> set[str]:
    """As the page writes them: a field without a label is called by its name."""
    return {str(field.label or pretty_name(name)) for name, field in form.base_fields.items()}


def labels() -> dict[str, set[str]]:
    """What a person can find in each place, in small letters: fields, headings, lists."""
    registered = [model._meta for model in admin.site._registry if model._meta.app_label == "sms"]
    found = {
        "Compose": labels_of(DraftForm) | headings("compose/edit.html"),
        "Set-up": labels_of(ConnectionForm) | labels_of(LimitsForm) | headings("settings/connection.html"),
        "the admin": {str(meta.verbose_name_plural) for meta in registered}
        | {str(field.verbose_name) for meta in registered for field in meta.fields},
    }
    return {place: {name.lower() for name in names} for place, names in found.items()}


def named_places() -> list[tuple[str, str]]:
    """Every place and thing of the second column, as `("Set-up", "base url")`."""
    return [
        (place, thing.strip(' "').lower())
        for row in of_fields()
        for place, things in re.findall(r"(Compose|Set-up|the admin), ([^;:]+)", row.cells[0])
        for part in re.findall(r'"[^"]+"|[^",]+', things)
        for thing in ([part] if part.startswith('"') else re.split(" and | or ", part))
        if thing.strip()
    ]


def test_second_column_names_what_the_pages_have():
    known, named = labels(), named_places()
    assert len(named) >= 30
    for place, thing in named:
        assert thing in known[place], (place, thing)


def test_second_column_says_nothing_else_of_pages():
    """So that no place escapes the test above."""
    words = " ".join(re.sub(r"(Compose|Set-up|the admin), [^;]+", "", row.cells[0]) for row in of_fields())
    allowed = (
        r"–|decided from the text|Review shows the row|made by us|shown (in|on Send and Messages)|the list in|its id in"
        r"|a new one keeps the previous|the address of a copy is|[; ]"
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
    assert any(row.name.startswith(f"`{path}`") for row in of_fields())
