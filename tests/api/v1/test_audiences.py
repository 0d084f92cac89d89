"""Audiences through `/api/v1/audiences`: uploaded once, sent to by id, replaced, archived, deleted; never anybody else's."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from sms.models import AuditEvent, SavedAudience, Send
from tests.support.office_file import build
from tests.support.partners import a_partner

pytestmark = pytest.mark.django_db
TABLE = "mobile,name\n+447700900101,Ada\n07700 900102,Alan\n12,Nobody\n+447700900101,Ada again\n"


def upload(partner, path: str, **fields):
    return Client().post(f"/api/v1/{path}", fields, headers={"key": partner.token})


def test_a_file_is_uploaded_once_and_sent_to_by_its_id():
    service, partner = a_partner()
    content = SimpleUploadedFile("customers.csv", TABLE.encode())
    made = upload(partner, "audiences", name="Customers", note="weekly", file=content)
    assert made.status_code == 201, made.content
    pk, current = made.json()["id"], made.json()["current"]
    assert made["Location"] == f"/api/v1/audiences/{pk}"
    assert (current["version"], current["source"], current["recipient_count"], current["rejected"]) == (
        *(1, "customers.csv"),
        *(2, 2),
    )
    assert (current["headings"], current["column"]) == (["mobile", "name"], "mobile")
    event = AuditEvent.objects.get(act="audience.created")
    assert (event.actor_kind, event.door) == ("key", "api")
    order = {"template": "order_shipped", "audience": pk}
    assert partner.post("sends/plan", order).json()["recipient_count"] == 2
    sent = partner.post("sends", order, Idempotency_Key="k1")
    assert (sent.status_code, sent.json()["recipient_count"]) == (201, 2)
    assert Send.objects.get().audience == service.audiences.get().current
    assert sent.json()["audience"] == pk
    assert Send.objects.get().source == "Customers, version 1"


def test_a_new_version_is_what_later_sends_use():
    _, partner = a_partner()
    pk = partner.post("audiences", {"name": "Customers", "csv": TABLE}).json()["id"]
    content, expected = build(20, seed=5, flavour="xlsx")
    book = SimpleUploadedFile("two.xlsx", content)
    replaced = upload(partner, f"audiences/{pk}/versions", file=book)
    assert (replaced.status_code, replaced.json()["current"]["version"]) == (201, 2)
    versions = partner.get(f"audiences/{pk}/versions").json()["items"]
    assert [(one["version"], one["recipient_count"]) for one in versions] == [
        (2, len(expected.recipients)),
        (1, 2),
    ]
    first = partner.get(f"audiences/{pk}/rejects?version=1&limit=1").json()
    assert [one["row"] for one in first["items"]] == [4]
    second = partner.get(
        f"audiences/{pk}/rejects?version=1&limit=1&cursor={first['next_cursor']}&fields=row,code"
    )
    assert second.json() == {"items": [{"row": 5, "code": "duplicate"}], "next_cursor": None}
    assert partner.get(f"audiences/{pk}/rejects?version=3").json()["errors"][0]["field"] == "version"


def test_what_stands_in_a_reject_is_hidden_from_keys_without_the_scope():
    service, partner = a_partner("read", "send")
    _, trusted = a_partner("read", "numbers", service=service)
    pk = partner.post("audiences", {"name": "Customers", "csv": TABLE}).json()["id"]
    path = f"audiences/{pk}/rejects"
    assert {one["number"] for one in partner.get(path).json()["items"]} == {"•••"}
    assert trusted.get(path).json()["items"][0]["number"] == "12"


def test_one_that_was_used_is_archived_and_one_that_was_not_is_deleted():
    _, partner = a_partner()
    used = partner.post("audiences", {"name": "Used", "csv": TABLE}).json()["id"]
    order = {"text": "Hello", "audience": used}
    partner.post("sends", order, Idempotency_Key="k1")
    refused = partner.call("DELETE", f"audiences/{used}")
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    assert "Archive it instead" in refused.json()["detail"]
    assert partner.post(f"audiences/{used}/archive").json()["archived_at"]
    late = partner.post("sends", order, Idempotency_Key="k2")
    assert (late.status_code, late.json()["errors"][0]["field"]) == (422, "audience")
    assert partner.get("audiences?archived=false").json()["items"] == []
    assert partner.post("audiences", {"name": "Used", "csv": TABLE}).status_code == 201
    taken = partner.post(f"audiences/{used}/bring-back")
    assert (taken.status_code, taken.json()["errors"][0]["field"]) == (409, "name")
    other = partner.get("audiences?archived=false").json()["items"][0]["id"]
    tag = partner.get(f"audiences/{other}")["ETag"]
    assert partner.call("PATCH", f"audiences/{other}", {"name": "New"}, If_Match=tag).json()["name"] == "New"
    assert partner.call("DELETE", f"audiences/{other}", If_Match=tag).status_code == 412
    assert partner.call("DELETE", f"audiences/{other}").status_code == 204
    assert partner.post(f"audiences/{used}/bring-back").json()["archived_at"] is None


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"csv": "nothing\nhere\n"}, 422, "csv"),
        ({"csv": ""}, 400, "csv"),
        ({"csv": ...}, 400, "csv"),
        ({"file": "x"}, 400, "file"),
        ({"name": ""}, 400, "name"),
        ({"name": "Regulars"}, 409, "name"),
        ({"column": "mobile"}, 400, "column"),
        ({"country": "gb"}, 400, "country"),
        ({"rows": []}, 400, "rows"),
    ],
)
def test_a_bad_upload_names_its_field_and_keeps_nothing(change, status, field):
    _, partner = a_partner()
    assert partner.post("audiences", {"name": "Regulars", "csv": TABLE}).status_code == 201
    body = {name: value for name, value in ({"name": "New", "csv": TABLE} | change).items() if value != ...}
    answer = partner.post("audiences", body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (status, field), answer.content
    assert SavedAudience.objects.count() == 1


def test_a_file_that_cannot_be_read_names_its_field():
    _, partner = a_partner()
    for content, more, field in (
        (b"PK\x03\x04broken", {}, "file"),
        (TABLE.encode(), {"column": "town"}, "column"),
    ):
        file = SimpleUploadedFile("list.xlsx", content)
        answer = upload(partner, "audiences", name="New", file=file, **more)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field), answer.content
    assert not SavedAudience.objects.exists()


def test_the_same_upload_with_the_same_key_is_one_audience():
    _, partner = a_partner()
    made = [
        partner.post("audiences", {"name": "New", "csv": TABLE}, Idempotency_Key="k1").json()["id"]
        for _ in range(2)
    ]
    assert made[0] == made[1] and SavedAudience.objects.count() == 1


def test_an_audience_of_others_is_none_and_rows_are_read_at_the_upload_only():
    _, partner = a_partner()
    _, other = a_partner(slug="other", name="Other")
    theirs = other.post("audiences", {"name": "Theirs", "csv": TABLE}).json()["id"]
    refused = partner.post("sends/plan", {"text": "Hello", "audience": theirs})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "audience")
    for path in ("", "/versions", "/rejects"):
        assert partner.get(f"audiences/{theirs}{path}").status_code == 404
    column = other.post("sends/plan", {"text": "x", "audience": theirs, "column": "name"})
    assert (column.status_code, column.json()["errors"][0]["field"]) == (400, "column")
    both = other.post("sends/plan", {"text": "x", "audience": theirs, "csv": TABLE})
    assert (both.status_code, both.json()["errors"][0]["field"]) == (400, "audience")
