"""Permissions over all operations of the OpenAPI document: no key, a key without the scope, and the shapes of the other errors."""

import re

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from sms.models import ApiKey
from sms.models.api_key import SCOPE_NAMES
from tests.support.partners import a_partner

pytestmark = pytest.mark.django_db
PROBLEM = "application/problem+json"


def partner_post(partner, raw: str):
    headers = {"key": partner.token, "Idempotency-Key": "k"}
    return Client().post("/api/v1/sends", raw.encode(), content_type="application/json", headers=headers)


def operations():
    document = SchemaGenerator().get_schema(request=None, public=True)
    for path, methods in document["paths"].items():
        if path.startswith("/api/v1/"):
            for method in methods:
                yield method.upper(), re.sub(r"\{\w+\}", "1", path)


def test_without_a_key_with_a_wrong_key_and_with_a_session_every_operation_is_a_401(admin_client):
    a_partner()
    for method, path in operations():
        for client, headers in (
            (Client(), {}),
            (Client(), {"key": "td_live_0_x"}),
            (Client(), {"Authorization": "Basic eDp5"}),
            (admin_client, {}),
        ):
            answer = client.generic(method, path, headers=headers)
            assert answer.status_code == 401, (method, path, answer.content)
            assert answer["Content-Type"] == PROBLEM and answer["WWW-Authenticate"].startswith("Bearer")


def test_every_operation_takes_exactly_one_scope():
    _, partner = a_partner()
    opened = {}
    for scope in sorted(SCOPE_NAMES):
        ApiKey.objects.update(scopes=[scope])
        for method, path in operations():
            answer = Client().generic(method, path, "{}", "application/json", headers={"key": partner.token})
            if answer.status_code == 403:
                assert answer.json()["code"] == "forbidden" and "lacks the scope" in answer.json()["detail"]
            else:
                opened.setdefault((method, path), set()).add(scope)
    assert set(opened) == set(operations())
    assert opened.pop(("GET", "/api/v1/me")) == SCOPE_NAMES
    reads = {one: "optouts" if "optouts_read" in scopes else "" for one, scopes in opened.items()}
    assert all(len(scopes - {reads[one]}) == 1 for one, scopes in opened.items()), opened
    assert all(
        scopes != {"read"} or method == "GET" or path.endswith("/search")
        for (method, path), scopes in opened.items()
    )


def test_every_error_is_a_problem():
    _, partner = a_partner()
    xml = {"key": partner.token, "Accept": "application/xml"}
    for answer, status in (
        (partner.get("nothing"), 404),
        (partner.get("sends/"), 404),
        (partner.get("sends/999"), 404),
        (partner.call("DELETE", "sends"), 405),
        (partner.call("OPTIONS", "sends"), 405),
        (Client().get("/api/v1/sends", headers=xml), 406),
        (
            Client().post(
                "/api/v1/sends", "{", content_type="application/json", headers={"key": partner.token}
            ),
            400,
        ),
        *(
            (partner_post(partner, raw), 400)
            for raw in ("[" * 5000, '{"text": NaN}', '{"text": 1e999}', "\ufeff{", "")
        ),
        (Client().post("/api/v1/sends", "x", content_type="text/plain", headers={"key": partner.token}), 415),
        (
            Client().post(
                "/api/v1/sends",
                "{}",
                content_type="application/json",
                headers={"key": partner.token, "Content-Length": "99999999999"},
            ),
            413,
        ),
    ):
        assert (answer.status_code, answer["Content-Type"]) == (status, PROBLEM), answer.content
        assert answer.json()["status"] == status
        assert answer.json()["type"] == f"http://127.0.0.1:8000/api/problems/{answer.json()['code']}"
        assert answer.json()["request_id"] == answer["Request-Id"]


def test_a_fault_of_ours_is_a_problem_without_its_details(settings):
    _, partner = a_partner()
    settings.UPLOAD_MAX_BYTES = None  # something that nobody expected
    answer = partner.post("sends/plan", {"text": "x", "csv": "+447700900101"})
    assert (answer.status_code, answer["Content-Type"]) == (500, PROBLEM)
    assert "NoneType" not in answer.content.decode()


def test_the_rate_is_reported_and_ends_in_a_429():
    _, partner = a_partner()
    ApiKey.objects.update(per_minute=2)
    answers = [partner.get("senders") for _ in range(5)]
    assert answers[0]["RateLimit-Limit"] == "2"
    last = answers[-1]
    assert (last.status_code, last["Content-Type"]) == (429, PROBLEM)
    assert int(last["Retry-After"]) <= 60
