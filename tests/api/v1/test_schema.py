"""The OpenAPI document: no warning, valid, the committed file, an example per operation that fits, and its page under the CSP."""

import json
from pathlib import Path

import jsonschema_rs
import pytest
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer

FILE = Path(__file__).parents[3] / "docs" / "openapi.json"
REFRESH = "manage.py spectacular --format openapi-json --file docs/openapi.json"


@pytest.fixture(scope="module")
def document():
    GENERATOR_STATS.reset()
    made = SchemaGenerator().get_schema(request=None, public=True)
    return json.loads(OpenApiJsonRenderer().render(made))


def operations(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_it_is_made_without_a_warning_and_valid(document, capsys):
    # here, or every worker that collects this file pays four seconds for the grammars that its validator compiles
    from drf_spectacular.validation import validate_schema

    with GENERATOR_STATS.silence():
        SchemaGenerator().get_schema(request=None, public=True)
    assert not GENERATOR_STATS
    validate_schema(document)
    assert document["openapi"].startswith("3.1")


def test_the_committed_file_is_today_s(document):
    assert json.loads(FILE.read_text(encoding="utf-8")) == document, f"Refresh it: {REFRESH}"


def test_every_operation_has_an_example_that_fits_its_schema(document):
    components = {"components": document["components"]}
    bare, wrong = [], []
    for path, method, operation in operations(document):
        bodies = [operation.get("requestBody", {"content": {}})]
        answers = [one for status, one in operation["responses"].items() if status.startswith("2")]
        shown = 0
        for media in [one for part in bodies + answers for one in part.get("content", {}).items()]:
            if media[0] == "text/csv":  # a download
                shown += "\r\n" in media[1].get("example", "")
            if media[0] != "application/json":
                continue
            if "example" not in media[1]:
                bare.append(f"{method} {path}")
                continue
            shown += 1
            checker = jsonschema_rs.Draft202012Validator(
                media[1]["schema"] | components, validate_formats=True
            )
            wrong += [
                f"{method} {path}: {error.message}" for error in checker.iter_errors(media[1]["example"])
            ]
        if not shown and method != "delete":
            bare.append(f"{method} {path}")
    assert (bare, wrong) == ([], [])


def test_it_covers_all_apis(document):
    paths = set(document["paths"])
    assert {"/v2/messages", "/receipts/{token}/", "/inbound/{token}/", "/api/v1/sends"} <= paths
    assert len({operation["operationId"] for *_, operation in operations(document)}) == len(
        list(operations(document))
    )


@pytest.mark.django_db
def test_the_page_has_no_inline_script_and_the_document_is_served():
    page = Client().get("/api/docs/reference/")
    html = page.content.decode()
    assert page.status_code == 200 and "<script>" not in html.replace(" ", "")
    assert "<style" not in html and "style=" not in html
    assert "script-src 'self'" in page["Content-Security-Policy"]
    assert Client().get("/api/schema/").json()["openapi"].startswith("3.1")
    assert b"SwaggerUIBundle" in Client().get("/api/docs/reference/?script=").content
