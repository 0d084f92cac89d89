"""Sends through `/api/v1/sends`: planned, made once, paused, stopped; every refusal names its field and row."""

import json

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from sms.models import AuditEvent, Hold, Message, Send, Slice
from sms.sends import holds
from tests.support.partners import Partner, a_key, a_partner, one_of_everything
from tests.support.sends import BY, a_send

pytestmark = pytest.mark.django_db
TWO = [
    {"number": "+447700900101", "values": {"name": "Ada"}},
    {"number": "07700 900102", "values": {"name": "Alan"}},
]
BODY = {"template": "order_shipped", "recipients": TWO}


def test_a_send_is_made_with_its_audit_row_and_address():
    _, partner = a_partner()
    answer = partner.post("sends", BODY | {"client_reference": "o-1"}, Idempotency_Key="k1")
    assert answer.status_code == 201, answer.content
    send = Send.objects.get()
    assert answer["Location"] == f"/api/v1/sends/{send.pk}"
    assert answer.json()["counts"] == {"pending": 2} and answer.json()["client_reference"] == "o-1"
    assert Message.objects.get(row=1).text.startswith("Hi Ada")
    event = AuditEvent.objects.get(act="send.created")
    assert event.actor_kind == "key" and event.door == "api"
    again = partner.post("sends", BODY | {"client_reference": "o-1"}, Idempotency_Key="k2")
    assert again.status_code == 409 and again.json()["errors"][0]["field"] == "client_reference"


def test_the_same_key_makes_one_send_and_another_body_is_refused():
    _, partner = a_partner()
    first = partner.post("sends", BODY, Idempotency_Key="k1")
    second = partner.post("sends", BODY, Idempotency_Key="k1")
    assert second.content == first.content and second["Idempotent-Replayed"] == "true"
    other = partner.post("sends", BODY | {"name": "Other"}, Idempotency_Key="k1")
    assert other.status_code == 422 and other.json()["code"] == "idempotency_key_reused"
    assert Send.objects.count() == 1


def test_json_is_repeated_in_any_order_of_its_keys():
    _, partner = a_partner()
    ways = (
        '{"text": "Hello", "client_reference": "o-1", "recipients": ["+447700900001"]}',
        '{"recipients":["+447700900001"],"client_reference":"o-1","text":"H\\u0065llo"}',
    )
    headers = {"key": partner.token, "Idempotency-Key": "k1"}
    answers = [
        Client().post("/api/v1/sends", way, content_type="application/json", headers=headers) for way in ways
    ]
    assert [one.status_code for one in answers] == [201, 201], answers[1].content
    assert answers[1]["Idempotent-Replayed"] == "true" and Send.objects.count() == 1


def test_spending_money_needs_an_idempotency_key_and_planning_does_not():
    _, partner = a_partner()
    refused = partner.post("sends", BODY)
    assert refused.status_code == 400 and refused.json()["code"] == "idempotency_key_missing"
    planned = partner.post("sends/plan", BODY)
    assert planned.status_code == 200 and not Send.objects.exists()


def test_a_dry_run_shows_what_is_kept_removed_and_sent():
    service, partner = a_partner(rate=10)
    one_of_everything(service)
    rows = ["+447700900101", "+447700900101", "12", "+447700900002"]
    plan = partner.post("sends/plan", {"text": "Hello", "recipients": rows}).json()
    assert (plan["recipient_count"], plan["rejected"]) == (1, 3)
    removed = {one["code"]: one["rows"] for one in plan["rejects"]}
    assert removed.pop("duplicate") == [2] and removed.pop("opted_out") == [4]
    assert list(removed.values()) == [[3]]
    assert plan["segments"] == {"worst": 1, "typical": 1, "total": 1}
    assert plan["start_at"] and plan["finish_at"] > plan["start_at"]
    assert plan["request"]["to"][0]["msisdn"] == ["447700900101"]
    assert service.receipt_token not in str(plan), "anyone who knows the address can forge receipts"


@pytest.mark.parametrize(
    ("change", "status", "field", "row"),
    [
        ({"sendAt": "2030-01-01T00:00:00Z"}, 400, "sendAt", None),
        ({"send_at": "2030-01-01T00:00:00"}, 400, "send_at", None),
        ({"send_at": "2001-01-01T00:00:00Z"}, 422, "send_at", None),
        ({"sender": "NO_RECIPIENTS"}, 422, "sender", None),
        ({"template": "none"}, 422, "template", None),
        ({"policy_group": "none"}, 422, "policy_group", None),
        ({"link_domain": "none"}, 422, "link_domain", None),
        ({"recipients": []}, 400, "recipients", None),
        ({"recipients": ["+447700900101", 5]}, 400, "recipients[1]", 2),
        ({"recipients": ["+447700900101", {"number": ""}]}, 400, "recipients[1]", 2),
        ({"recipients": [{"number": "+447700900101", "values": {"number": "1"}}]}, 400, "recipients[0]", 1),
        ({"recipients": ["+447700900101\u0000"]}, 400, "recipients[0]", 1),
        ({"recipients": ["+447700900101", {"to": "+447700900102"}]}, 400, "recipients[1].to", 2),
        ({"recipients": ["+447700900101"] * 10_001}, 400, "recipients", None),
        ({"recipients": [{"number": "12", "values": {"name": "Ada"}}]}, 422, "recipients[0]", 1),
        ({"recipients": ..., "csv": "mobile,name\n12,Ada\n13,Bob\n"}, 422, "csv", 2),
        ({"text": "Hello", "template": ..., "recipients": ["x" * 40]}, 422, "recipients[0]", 1),
        ({"csv": "+447700900101"}, 400, "csv", None),
        ({"text": "Hello"}, 422, "text", None),
        ({"lane": "fast"}, 400, "lane", None),
        ({"resend": "always"}, 422, "expires_at", None),
        ({"country": "gb"}, 400, "country", None),
        ({"name": "x" * 101}, 400, "name", None),
        ({"receipts": ["FAILED", "READ"]}, 400, "receipts[1]", None),
        ({"receipts": ["SUBMITTED"], "ramp": True}, 422, "receipts", None),
        ({"validity": 0}, 400, "validity", None),
        ({"validity": 72 * 3600 + 1}, 400, "validity", None),
        ({"validity": 60, "expires_at": "2090-01-01T00:00:00Z"}, 422, "validity", None),
        ({"tag1": "spring"}, 400, "tag1", None),
        ({"dry_run": False}, 400, "dry_run", None),
        ({"file": "x"}, 400, "file", None),
        ({"check_consent": True}, 400, "check_consent", None),
        ({"link_domain": "uk.wbxc.io", "tag2": "no spaces"}, 422, "tag2", None),
        (
            {"policy_group": "marketing", "check_consent": False, "apply_frequency_cap": False},
            422,
            "check_consent",
            None,
        ),
        ({"template": ..., "text": "Hi", "language": "de"}, 400, "language", None),
        ({"language": "de"}, 422, "language", None),
        ({"fillings": ["name"]}, 400, "fillings", None),
        ({"fillings": 1.5}, 400, "fillings", None),
        ({"fillings": {"name": {"colum": "x"}}}, 400, "fillings.name", None),
        ({"fillings": {"name": {"fallback": " "}}}, 400, "fillings.name", None),
    ],
)
def test_a_bad_send_names_its_field_and_row_and_makes_nothing(change, status, field, row):
    _, partner = a_partner()
    body = {name: value for name, value in (BODY | change).items() if value != ...}
    answer = partner.post("sends", body, Idempotency_Key="k1")
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    error = answer.json()["errors"][0]
    assert (error["field"], error.get("row")) == (field, row), error
    assert not Send.objects.exists()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"template": ..., "text": "x" * 1025}, "text_too_long"),
        ({"recipients": ["+447700900101"]}, "missing_value"),
        ({"recipients": [{"number": "12", "values": {"name": "Ada"}}]}, "too_short"),
        ({"send_at": "2020-01-01T00:00:00Z"}, "time_passed"),
        ({"labels": [None]}, "null"),
        ({"lane": "fast"}, "invalid_choice"),
    ],
)
def test_each_error_has_a_code_for_programs(change, code):
    _, partner = a_partner()
    asked = {name: value for name, value in (BODY | change).items() if value is not ...}
    answer = partner.post("sends", asked, Idempotency_Key="k1")
    assert answer.json()["errors"][0]["code"] == code, answer.content
    assert not Send.objects.exists()


def test_a_client_reference_that_was_used_has_its_code():
    _, partner = a_partner()
    for key in ("k1", "k2"):
        answer = partner.post("sends", BODY | {"client_reference": "o-1"}, Idempotency_Key=key)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "reference_used")


def test_what_compose_can_ask_of_the_provider_a_partner_can_ask_too_and_read_back():
    service, partner = a_partner()
    one_of_everything(service)
    asked = {
        "policy_group": "marketing",
        "check_consent": False,
        "apply_frequency_cap": True,
        "link_domain": "uk.wbxc.io",
        "track_clicks": False,
        "tag1": "spring",
        "receipts": ["DELIVERED", "FAILED"],
        "validity": 7200,
    }
    fillings = {"name": {"column": "Customer", "fallback": "friend"}}
    people = "mobile,Customer\n+447700900101,Ada\n+447700900102,\n"
    body = asked | {
        "text": "Hi $(name), see https://shop.example.test/a",
        "csv": people,
        "fillings": fillings,
    }
    planned = partner.post("sends/plan", body).json()["request"]
    assert planned["requestedReceipts"] == ["DELIVERED", "FAILED"]
    assert (planned["validity"], planned["options"]["tag1"]) == ("7200", "spring")
    assert planned["contactPolicy"]["channelApplyFrequencyCap"]
    made = partner.post("sends", body, Idempotency_Key="k1")
    assert made.status_code == 201, made.content
    shown = partner.get(f"sends/{made.json()['id']}").json()
    assert {name: shown[name] for name in asked} == asked
    texts = Message.objects.filter(send=made.json()["id"]).order_by("row").values_list("text", flat=True)
    assert [one[:10] for one in texts] == ["Hi Ada, se", "Hi friend,"]
    form = {"text": "Hi $(name)", "fillings": json.dumps(fillings), "receipts": ["FAILED", "DELIVERED"]}
    file = SimpleUploadedFile("list.csv", people.encode())
    headers = {"key": partner.token, "Idempotency-Key": "k2"}
    answer = Client().post("/api/v1/sends", form | {"file": file}, headers=headers)
    assert answer.status_code == 201, answer.content
    assert answer.json()["receipts"] == ["DELIVERED", "FAILED"]


def test_fillings_of_a_form_that_no_database_takes_are_refused():
    _, partner = a_partner()
    for fillings in (r'{"\ud800": {"column": "a"}}', r'{"a": {"column": "\ud800"}}', "[" * 5000):
        file = SimpleUploadedFile("list.csv", b"mobile,a\n+447700900101,b\n")
        form = {"text": "Hi $(a)", "fillings": fillings, "file": file}
        answer = Client().post("/api/v1/sends", form, headers={"key": partner.token, "Idempotency-Key": "k"})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "fillings")


def test_callback_data_comes_back_as_it_was_given():
    _, partner = a_partner()
    asked = {"text": "Hi", "recipients": ["+447700900101"], "callback_data": " order 981\n"}
    made = partner.post("sends", asked, Idempotency_Key="k1")
    assert (made.status_code, made.json()["callback_data"]) == (201, " order 981\n")


def test_a_form_of_too_many_fields_is_refused():
    _, partner = a_partner()
    fields = {f"f{at}": "1" for at in range(settings.DATA_UPLOAD_MAX_NUMBER_FIELDS + 1)}
    headers = {"key": partner.token, "Idempotency-Key": "k1"}
    answer = Client().post("/api/v1/sends", fields, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "unreadable")


def test_recipients_come_as_csv_text_and_as_a_file_too():
    _, partner = a_partner()
    csv = "mobile,name\n+447700900101,Ada\n+447700900102,Alan\n"
    made = partner.post("sends", {"template": "order_shipped", "csv": csv}, Idempotency_Key="k1")
    assert made.status_code == 201 and made.json()["recipient_count"] == 2
    for _ in range(2):  # a repeat has another boundary, and is the same request
        fields = {"template": "order_shipped", "file": SimpleUploadedFile("list.csv", csv.encode())}
        headers = {"key": partner.token, "Idempotency-Key": "k2"}
        answer = Client().post("/api/v1/sends", fields, headers=headers)
        assert answer.status_code == 201, answer.content
    assert Send.objects.count() == 2
    assert Send.objects.latest("pk").source == "list.csv"


@pytest.mark.parametrize("paused_by_both", [False, True])
def test_a_program_does_not_resume_what_a_person_paused(paused_by_both):
    service, partner = a_partner()
    send = a_send(service)
    if paused_by_both:
        partner.post(f"sends/{send.pk}/pause", {"reason": "ours"})
    holds.hold(send, by=BY, because="wrong text")
    answer = partner.post(f"sends/{send.pk}/resume")
    assert (answer.status_code, "a person" in answer.json()["detail"]) == (409, True)
    assert holds.hold_on(send)


def test_pause_resume_cancel_and_stop():
    _, partner = a_partner()
    later = {"send_at": "2090-01-01T00:00:00Z"}
    pk = partner.post("sends", BODY | later, Idempotency_Key="k1").json()["id"]
    paused = partner.post(f"sends/{pk}/pause", {"reason": "Wait"})
    assert paused.json()["held"] and Hold.objects.active().get().placed_by == "Shop"
    assert not partner.post(f"sends/{pk}/resume").json()["held"]
    assert partner.post(f"sends/{pk}/cancel").json() == {"stopped": 2, "state": "cancelled"}
    assert partner.post(f"sends/{pk}/cancel").status_code == 409
    begun = partner.post("sends", BODY, Idempotency_Key="k2").json()["id"]
    assert partner.post(f"sends/{begun}/cancel").json()["code"] == "conflict"
    assert partner.post(f"sends/{begun}/stop").json() == {"stopped": 2, "state": "cancelled"}


def test_a_send_that_has_not_begun_is_put_off():
    _, partner = a_partner()
    later, expiry = "2090-01-01T00:00:00Z", "2090-02-01T00:00:00Z"
    body = BODY | {"send_at": later, "expires_at": expiry}
    pk = partner.post("sends", body, Idempotency_Key="k1").json()["id"]
    tag = partner.get(f"sends/{pk}")["ETag"]
    moved = partner.call("PATCH", f"sends/{pk}", {"send_at": "2090-01-02T00:00:00+02:00"}, If_Match=tag)
    assert (moved.status_code, moved.json()["send_at"]) == (200, "2090-01-01T22:00:00.000Z"), moved.content
    assert Slice.objects.get().due_at.isoformat() == "2090-01-01T22:00:00+00:00"
    assert partner.call("PATCH", f"sends/{pk}", {"send_at": later}, If_Match=tag).status_code == 412
    event = AuditEvent.objects.get(act="send.rescheduled")
    assert event.details["due_at"] == "2090-01-01T22:00:00+00:00" and event.door == "api"
    for change, status, field in (
        ({"send_at": "2001-01-01T00:00:00Z"}, 422, "send_at"),
        ({"send_at": "2090-03-01T00:00:00Z"}, 422, "send_at"),
        ({"send_at": "soon"}, 400, "send_at"),
        ({}, 400, "send_at"),
        ({"send_at": later, "text": "x"}, 400, "text"),
    ):
        answer = partner.call("PATCH", f"sends/{pk}", change)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (status, field), answer.content
    begun = partner.post("sends", BODY, Idempotency_Key="k2").json()["id"]
    assert partner.call("PATCH", f"sends/{begun}", {"send_at": later}).status_code == 409


def test_an_etag_saves_reading_again_and_guards_an_act():
    _, partner = a_partner()
    pk = partner.post("sends", BODY, Idempotency_Key="k1").json()["id"]
    tag = partner.get(f"sends/{pk}")["ETag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        assert partner.get(f"sends/{pk}", If_None_Match=known).status_code == 304, known
    assert partner.post(f"sends/{pk}/stop", If_Match='"old"').status_code == 412
    assert partner.post(f"sends/{pk}/stop", If_Match=tag).status_code == 200
    assert partner.get(f"sends/{pk}", If_None_Match=tag).status_code == 200


@pytest.mark.parametrize("where", [{"base_url": "https://api-uk.webexconnect.io"}, {}])
def test_a_test_key_makes_sends_of_its_own_and_touches_no_other(where):
    service, partner = a_partner(**where)
    later = {"send_at": "2090-01-01T00:00:00Z"}
    pk = partner.post("sends", BODY | later, Idempotency_Key="k0").json()["id"]
    tester = Partner(a_key(service, is_test=True, scopes=["send", "read", "optouts"]))
    made = tester.post("sends", BODY | later, Idempotency_Key="k1")
    assert made.status_code == 201 and made.json()["test"] is True
    for verb in ("pause", "resume", "cancel", "stop"):
        assert tester.post(f"sends/{pk}/{verb}").status_code == 404, verb
    assert tester.call("PATCH", f"sends/{pk}", later).status_code == 404
    assert tester.get(f"sends/{pk}").status_code == 404
    assert [one["id"] for one in tester.get("sends").json()["items"]] == [made.json()["id"]]
    real, test = (partner.get(f"sends?test={one}").json()["items"] for one in ("false", "true"))
    assert [one["id"] for one in real] == [pk] and [one["id"] for one in test] == [made.json()["id"]]
    assert [one["test"] for one in partner.get("messages").json()["items"]] == [True, True, False, False]
    assert tester.post(f"sends/{made.json()['id']}/stop").status_code == 200
    refused = tester.post("opt-outs", {"numbers": ["+447700900001"], "evidence": "x"}, Idempotency_Key="k2")
    assert refused.status_code == 403 and "test key" in refused.json()["detail"]
    colleague = Partner(a_key(service, name="Other", is_test=True, scopes=["send", "read", "all"]))
    assert [one["id"] for one in colleague.get("sends").json()["items"]] == [made.json()["id"]]
    assert colleague.post(f"sends/{pk}/stop").status_code == 404


def test_labels_are_kept_shown_and_found_by():
    _, partner = a_partner()
    made = partner.post("sends", BODY | {"labels": ["Spring Sale", "vip"]}, Idempotency_Key="k1").json()
    partner.post("sends", BODY, Idempotency_Key="k2")
    assert made["labels"] == ["spring-sale", "vip"]
    found = partner.get("sends?label=Spring%20sale").json()["items"]
    assert [one["id"] for one in found] == [made["id"]] and found[0]["labels"] == made["labels"]
    assert partner.get("sends?label=a,b").json()["items"] == []
    refused = partner.post("sends", BODY | {"labels": ["07700900001"]}, Idempotency_Key="k3")
    assert refused.status_code == 422 and refused.json()["errors"][0]["field"] == "labels"
