"""What partners call their sends, messages and recipients: taken in, given back everywhere, and found by it."""

import csv
import io
import json
from datetime import timedelta

import pytest
from django.utils import timezone

from sms.callbacks.event_bodies import envelopes
from sms.compose import background
from sms.ledger import settled
from sms.models import Echo, Event, Message, Reject, Send
from sms.sends.messages import find_messages
from tests.support.callbacks import an_endpoint
from tests.support.drop_in import body, post
from tests.support.partners import a_key, a_partner, a_partner_service
from tests.support.provider import Provider

pytestmark = pytest.mark.django_db
ADA = {"number": "+447700900101", "values": {"name": "Ada"}, "reference": "cust-1", "correlation_id": "c-1"}
ALAN = {"number": "07700 900102", "values": {"name": "Alan", "reference": "R7"}, "reference": "cust-2"}
WRONG = {"number": "12", "reference": "cust-3"}
TWICE = {"number": "+44 7700 900101", "reference": "cust-4"}
PLAIN = {"number": "+447700900103", "values": {"name": "Bob"}}
BODY = {"template": "order_shipped", "recipients": [ADA, ALAN, WRONG, TWICE, PLAIN]}


def made(partner, body=BODY, key="k1"):
    answer = partner.post("sends", body, Idempotency_Key=key)
    assert answer.status_code == 201, answer.content
    return answer.json()


def found(partner, path: str, *names: str) -> list:
    answer = partner.get(path)
    assert answer.status_code == 200, answer.content
    return [tuple(row[name] for name in names) for row in answer.json()["items"]]


def test_a_reference_comes_back_wherever_its_recipient_does():
    service, partner = a_partner("send", "read", "numbers")
    an_endpoint(service)
    send = made(partner)
    assert [(one["row"], one["number"], one["reference"]) for one in send["messages"]] == [
        (1, "+447700900101", "cust-1"),
        (2, "+447700900102", "cust-2"),
        (5, "+447700900103", None),
    ]
    assert found(partner, f"sends/{send['id']}/messages", "reference", "correlation_id") == [
        (None, None),
        ("cust-2", None),
        ("cust-1", "c-1"),
    ]
    assert found(partner, f"sends/{send['id']}/rejects", "row", "reference", "code") == [
        (4, "cust-4", "duplicate"),
        (3, "cust-3", "too_short"),
    ]
    first = send["messages"][0]["id"]
    assert partner.get(f"messages/{first}").json()["reference"] == "cust-1"
    report = b"".join(partner.get(f"sends/{send['id']}/report").streaming_content).decode()
    rows = {row["row"]: row for row in csv.DictReader(io.StringIO(report))}
    assert [rows[str(at)]["asked reference"] for at in (1, 2, 3, 4, 5)] == [
        *("cust-1", "cust-2", "cust-3", "cust-4", ""),
    ]
    Provider().dispatch()
    told = [event["data"] for event in envelopes(Event.objects.all(), numbers=True, texts=True)]
    queued = [(one["row"], one["reference"]) for one in told if one.get("state") == "queued"]
    assert sorted(queued) == [(1, "cust-1"), (2, "cust-2"), (5, None)]


def test_a_reference_is_told_apart_from_a_value_of_that_name():
    """Both are given back, and what the provider's own template gets is the value alone."""
    _, partner = a_partner()
    made(partner, {"text": "Yours is $(reference)", "recipients": [ALAN]})
    message = Message.objects.get()
    assert message.text == "Yours is R7" and message.partner_reference == "cust-2"
    made(partner, {"template": "theirs", "recipients": [ALAN, ADA]}, "k2")
    assert [one.substitutions for one in Message.objects.order_by("pk")[1:]] == [
        {"name": "Alan", "reference": "R7"},
        {"name": "Ada"},
    ]


@pytest.mark.parametrize(
    ("heading", "value"),
    [("reference", "A 1"), ("Reference", "A 1"), ("Recipient_Reference", "A 1"), ("ref", None)],
)
def test_a_column_of_a_table_is_read_as_references(heading, value):
    _, partner = a_partner()
    send = made(partner, {"text": "Hello", "csv": f"mobile,{heading}\n+447700900101,A 1\n99,A 2\n"})
    assert [one["reference"] for one in send["messages"]] == [value]
    assert found(partner, f"sends/{send['id']}/rejects", "reference") == [("A 2" if value else None,)]


@pytest.mark.parametrize("reference", ["x" * 201, " x", "x\n", "=A1", "#N/A", 5, ["x"], "\u0000"])
def test_what_would_not_come_back_as_it_was_given_is_refused_with_its_row(reference):
    _, partner = a_partner()
    answer = partner.post(
        "sends",
        {"text": "Hi", "recipients": ["+447700900109", ADA | {"reference": reference}]},
        Idempotency_Key="k",
    )
    if reference == "=A1":  # no formula of a spreadsheet's text, so it comes back
        assert answer.json()["messages"][1]["reference"] == "=A1"
        return
    error = answer.json()["errors"][0]
    assert (answer.status_code, error["field"], error["row"]) == (400, "recipients[1]", 2), answer.content
    assert not Send.objects.exists()


def test_a_large_send_keeps_the_references_of_its_rows():
    _, partner = a_partner()
    people = [{"number": f"+44771{at:07d}", "reference": f"c{at}"} for at in range(5_001)]
    send = made(
        partner, {"text": "Hello", "recipients": [*people, WRONG, people[0] | {"reference": "again"}]}
    )
    assert (send["state"], send["counts"], send["outstanding"]) == ("preparing", {"pending": 5_001}, 5_001)
    assert send["messages"] is None
    background.run(stopped=lambda: False)
    assert found(partner, "messages?reference=c5000", "row") == [(5_001,)]
    assert found(partner, "rejects?reference=again", "code") == [("duplicate",)]
    assert Echo.objects.exclude(reference="").count() == 5_001


def test_things_are_found_by_what_partners_and_the_provider_call_them():
    service, partner = a_partner()
    before = timezone.now()
    send = made(partner, BODY | {"client_reference": "o-1"})
    other = made(partner, {"text": "Hello", "recipients": ["+447700900104"], "labels": ["spring"]}, "k2")
    Provider().dispatch()
    ids = {one["reference"]: one["id"] for one in send["messages"]}
    provider_id = Message.objects.get(pk=ids["cust-1"]).provider_id
    for query, wanted in {
        "reference=cust-1": [ids["cust-1"]],
        "reference=CUST-1": [],
        "reference=cust-3": [],
        "correlation_id=c-1": [ids["cust-1"]],
        f"provider_id={provider_id}": [ids["cust-1"]],
        f"send={other['id']}": [Message.objects.get(send=other["id"]).pk],
        f"created_from={after(timezone.now())}": [],
        f"created_from={after(before)}&reference=cust-2": [ids["cust-2"]],
    }.items():
        assert found(partner, f"messages?{query}", "id") == [(pk,) for pk in wanted], query
    for query, wanted in {
        "client_reference=o-1": [send["id"]],
        "client_reference=o": [],
        "reference=cust-2": [send["id"]],
        "reference=cust-3": [send["id"]],
        "label=spring": [other["id"]],
        f"created_from={after(timezone.now())}": [],
        f"created_from={after(before)}": [other["id"], send["id"]],
    }.items():
        assert found(partner, f"sends?{query}", "id") == [(pk,) for pk in wanted], query
    assert found(partner, "rejects?reference=cust-3", "send", "row") == [(send["id"], 3)]
    assert found(partner, f"sends/{send['id']}/messages?reference=cust-2", "row") == [(2,)]
    for name in ("cust-1", "c-1"):  # as people look for it
        assert [one.pk for one in find_messages(service, name).messages] == [ids["cust-1"]]
    assert [
        one["id"] for one in partner.post("messages/search", {"reference": "cust-1"}).json()["items"]
    ] == [ids["cust-1"]]


def test_nothing_is_found_by_the_names_of_another_service():
    _, partner = a_partner()
    made(partner, BODY | {"client_reference": "o-1"})
    stranger = a_partner(service=a_partner_service(slug="other", name="Other"))[1]
    for path in (
        *("messages?reference=cust-1", "messages?correlation_id=c-1", "sends?reference=cust-3"),
        *("sends?client_reference=o-1", "rejects?reference=cust-3", "rejects"),
        *("messages?updated_since=" + after(timezone.now() - timedelta(hours=1)),),
    ):
        assert found(stranger, path, "id") == [], path


def test_the_id_of_the_earlier_send_is_in_the_refusal_of_its_reference():
    _, partner = a_partner()
    first = made(partner, BODY | {"client_reference": "o-1"})
    again = partner.post("sends", BODY | {"client_reference": "o-1"}, Idempotency_Key="k2")
    assert (again.status_code, again.json()["existing"]) == (409, first["id"])
    assert again["Location"] == f"/api/v1/sends/{first['id']}"


def test_a_message_id_of_the_drop_in_is_found_in_the_other_api():
    service = a_partner_service()
    token = a_key(service)
    _, partner = a_partner(service=service)
    message_id = post(token, body("447700900001", "447700900002")).json()["messageId"]
    post(token, body("447700900003"))
    send = Send.objects.get(reference=message_id)
    first, second = send.messages.order_by("row")
    assert found(partner, f"messages?message_id={message_id}", "id", "message_id") == [(first.pk, message_id)]
    assert found(partner, f"messages?message_id={message_id}_1", "id", "message_id") == [
        (second.pk, f"{message_id}_1")
    ]
    for name in (message_id, f"{message_id}_1"):
        assert found(partner, f"sends?message_id={name}", "id", "message_id") == [(send.pk, message_id)]
    for wrong in (f"{message_id}_2", f"{message_id}_x", "5b0c9a52", "x" * 36):
        assert found(partner, f"messages?message_id={wrong}", "id") == []


def test_what_changed_since_is_found_once_it_changed():
    service, partner = a_partner()
    an_endpoint(service)
    send = made(partner, {"text": "Hello", "recipients": ["+447700900101", "+447700900102"]})
    still = made(
        partner, {"text": "Hi", "recipients": ["+447700900103"], "send_at": "2090-01-01T00:00:00Z"}, "k2"
    )
    before = timezone.now()
    assert found(partner, f"sends?updated_since={after(before)}", "id") == []
    Provider().dispatch()
    settled.look_again()
    assert found(partner, f"sends?updated_since={after(before)}", "id") == [(send["id"],)] != [(still["id"],)]
    assert len(found(partner, f"messages?updated_since={after(before)}", "id")) == 2
    assert found(partner, f"messages?updated_since={after(timezone.now())}", "id") == []
    long_ago = partner.get("sends?updated_since=2020-01-01T00:00:00Z")
    assert (long_ago.status_code, long_ago.json()["errors"][0]["field"]) == (400, "updated_since")


def test_a_reference_that_is_the_number_is_hidden_from_who_may_not_see_numbers():
    service, partner = a_partner("send", "read")
    whole = {"number": "+447700900101", "reference": "447700900101"}
    send = made(partner, {"text": "Hello", "recipients": [whole, whole, PLAIN]})
    shown = json.dumps([send, *(partner.get(path).json() for path in ("messages", "rejects"))])
    assert "7700900101" not in shown
    assert Reject.objects.get().reference == Message.objects.get(row=1).partner_reference == "447700900101"
    _, sees = a_partner("read", "numbers", service=service)
    assert ("447700900101",) in found(sees, "messages", "reference")


def after(moment) -> str:
    return moment.isoformat().replace("+00:00", "Z")
