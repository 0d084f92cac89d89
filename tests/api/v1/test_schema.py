"""The OpenAPI documents: no warning, valid, the committed files, an example per operation that fits, and their pages under the CSP."""

import json
import re
from pathlib import Path

import jsonschema_rs
import pytest
from django.test import Client
from django.utils import timezone
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.renderers import OpenApiJsonRenderer

from sms.api.v1.documents import PartnersDocument, WebexDocument
from sms.callbacks import proof
from sms.models import CallbackEndpoint, Service
from sms.models.event_types import EVENT_TYPES

DOCS = Path(__file__).parents[3] / "docs"
TAKING_FILES = {"sends_create", "sends_plan", "audiences_create", "audiences_replace"}
FILES = {"openapi.json": PartnersDocument, "openapi-webex.json": WebexDocument}


@pytest.fixture(scope="module", params=FILES)
def named(request):
    GENERATOR_STATS.reset()
    made = FILES[request.param]().get_schema(request=None, public=True)
    return request.param, json.loads(OpenApiJsonRenderer().render(made))


@pytest.fixture(scope="module")
def document(named):
    return named[1]


def operations(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_it_is_made_without_a_warning_and_valid(named):
    # here, or every worker that collects this file pays four seconds for the grammars that its validator compiles
    from drf_spectacular.validation import validate_schema

    name, document = named
    with GENERATOR_STATS.silence():
        FILES[name]().get_schema(request=None, public=True)
    assert not GENERATOR_STATS
    validate_schema(document)
    assert document["openapi"].startswith("3.1")


def test_the_committed_file_is_today_s(named):
    name, document = named
    committed = json.loads((DOCS / name).read_text(encoding="utf-8"))
    assert committed == document, "Refresh it; sms/api/v1/documents.py says how."


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


def test_a_test_event_of_every_type_fits_what_is_written_of_it(named):
    name, document = named
    if name != "openapi.json":
        return
    endpoint = CallbackEndpoint(service=Service(slug="shop"))
    wrong = []
    for kind in EVENT_TYPES:
        schema = document["webhooks"][kind]["post"]["requestBody"]["content"]["application/json"]["schema"]
        checker = jsonschema_rs.Draft202012Validator(
            schema | {"components": document["components"]}, validate_formats=True
        )
        event = proof.test_event(endpoint, kind=kind, now=timezone.now())
        wrong += [f"{kind}: {error.message}" for error in checker.iter_errors(event)]
    assert wrong == []


def test_every_choice_has_a_name_and_every_answer_says_its_headers(named):
    name, document = named
    if name != "openapi.json":
        return
    bare = []

    def walk(part, at):
        if isinstance(part, dict):
            values = part.get("enum")
            if isinstance(values, list) and len([one for one in values if one]) > 1 and at.count("/") > 3:
                bare.append(at)
            for key, one in part.items():
                if key not in ("example", "examples"):
                    walk(one, f"{at}/{key}")
        elif isinstance(part, list):
            for place, one in enumerate(part):
                walk(one, f"{at}/{place}")

    walk(document, "")
    assert not bare, "name them in sms/api/v1/schema_enums.py"
    for path, method, operation in operations(document):
        content = operation.get("requestBody", {}).get("content", {})
        files = "multipart/form-data" in content
        assert files == (operation["operationId"] in TAKING_FILES), path
        for status, answer in operation["responses"].items():
            headers = set(answer.get("headers", ()))
            assert "$ref" in answer or {"Request-Id", "RateLimit"} <= headers, (method, path)
            assert (
                status != "201" or not operation["operationId"].endswith("_create") or "Location" in headers
            )
    made = document["paths"]["/api/v1/sends"]["post"]
    (key,) = [one for one in made["parameters"] if one["name"] == "Idempotency-Key"]
    assert key["required"] and set(made["responses"]) == {"201", "4XX", "5XX"}
    problem = document["components"]["responses"]["Problem"]["headers"]
    assert {"Request-Id", "Retry-After"} <= problem.keys()


# what other APIs call a sentence about something, which is `detail` here, or `reason` for the words of who did it
OTHER_WORDS = re.compile(
    r"says|because|why|words|sentence|explanation|hint|warning|last_error|.*_(because|says|error|text)"
)
# whose `text` is that of an SMS
WITH_TEXT = set(
    "AnswerBody Inbound InboundData MadeSend MessageStory PlanBody PlanUpload Send SendBody SendUpload Template".split()
)


def test_words_for_people_are_called_detail_and_words_for_programs_code(named):
    name, document = named
    ours, wrong = name == "openapi.json", []

    def walk(part, at):
        for key, about in part.get("properties", {}).items() if isinstance(part, dict) else ():
            is_text = isinstance(about, dict) and "string" in (about.get("type"), *about.get("type", ()))
            called = is_text and OTHER_WORDS.fullmatch(key)
            foreign = ours and (
                (is_text and key == "error") or (key == "text" and at.split("/")[0] not in WITH_TEXT)
            )
            if called or foreign or (key == "reason" and (not is_text or "enum" in about)):
                wrong.append(f"{at}.{key}")
        children = (
            part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
        )
        for key, one in children:
            walk(one, f"{at}/{key}")

    for component, schema in document["components"]["schemas"].items():
        walk(schema, component)
    walk(document["paths"], "")
    assert wrong == []


def test_each_document_has_its_own_doors(named):
    name, document = named
    paths = set(document["paths"])
    own = {"/api/v1/sends", "/api/v1/sends/plan"}
    webex = {"/v2/messages", "/v1/sms/messages", "/receipts/{token}/", "/inbound/{token}/"}
    assert (own if name == "openapi.json" else webex) <= paths
    assert all(path.startswith("/api/v1/") == (name == "openapi.json") for path in paths)
    assert len({operation["operationId"] for *_, operation in operations(document)}) == len(
        list(operations(document))
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "document"),
    [("/api/docs/reference/", "/api/schema/"), ("/api/docs/reference/webex/", "/api/schema/webex/")],
)
def test_the_page_has_no_inline_script_and_the_document_is_served(address, document):
    page = Client().get(address)
    html = page.content.decode()
    assert page.status_code == 200 and "<script>" not in html.replace(" ", "")
    assert "<style" not in html and "style=" not in html
    assert "script-src 'self'" in page["Content-Security-Policy"]
    served = Client().get(document).json()
    assert served["openapi"].startswith("3.1") and served["servers"] == [{"url": "http://testserver"}]
    script = Client().get(f"{address}?script=").content.decode()
    assert "SwaggerUIBundle" in script and document in script
