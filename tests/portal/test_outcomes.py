"""Did this person get it, and why or why not: the sentence of each outcome, read from the pages."""

import html
import re
import zoneinfo
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from portal.models import Role
from sms.models import (
    ApprovalDecision,
    ApprovalRequest,
    Click,
    Message,
    Preparation,
    Receipt,
    Receipts,
    Reject,
    Send,
    Service,
    Slice,
)
from sms.sends.outcomes.table import OUTCOMES
from sms.sends.person.identity import key_of
from sms.webex import codes
from tests.support.people import signed_in
from tests.support.receipts import receipt
from tests.support.sends import a_service

pytestmark = pytest.mark.django_db
NUMBER = "+447710000000"
HOUR = timedelta(hours=1)


class Desk:
    """A service, somebody who looks, and messages put there as they would be left by what happened to them."""

    def __init__(self) -> None:
        self.service: Service = a_service()
        self.client: Client = signed_in("ada@example.test", self.service, Role.APPROVER)
        self.now = timezone.now()

    def message(
        self, state: str, code: str = "", *, send: dict[str, Any] | None = None, **fields: Any
    ) -> Message:
        asked = {
            "service": self.service,
            "sender": self.service.senders.get(),
            "name": "Offer",
            "text": "Hello",
        }
        asked |= {"state": "finished", "due_at": self.now - HOUR, "recipients": 1} | (send or {})
        posted = (
            {"posted_at": self.now, "attempt": 1} if state not in ("pending", "cancelled", "expired") else {}
        )
        made = {"msisdn": NUMBER, "row": 1, "text": "Hello", "state": state, "code": code} | posted | fields
        return Message.objects.create(send=Send.objects.create(**asked), **made)

    def ask(self, message: Message, state: str, *, refused: str = "") -> None:
        asked = ApprovalRequest.objects.create(
            service=self.service,
            send=message.send,
            state=state,
            approvers=1,
            eligible=1,
            rules=[],
            parts={},
            snapshot={"text": ""},
            at_once=True,
            fingerprint="f",
            due_at=self.now,
            asked_at=self.now,
            asked_label="ada@example.test",
            expires_at=self.now,
            ended_at=None if state == "open" else self.now,
        )
        if refused:
            given = {"label": "grace@example.test", "comment": refused, "fingerprint": "f", "at": self.now}
            ApprovalDecision.objects.create(request=asked, approved=False, **given)

    def heard(self, message: Message, code: str, *, clicked_by: str = "") -> None:
        raw = receipt("x", code=code)
        kept = {"service": self.service, "message_id": message.pk, "raw": raw, "received_at": self.now}
        one = Receipt.objects.create(dedupe=b"%016d" % message.pk, **kept)
        if clicked_by:
            Click.objects.create(
                message=message, receipt=one, url="https://x.test/", verdict=clicked_by, at=self.now
            )


def _waiting(desk: Desk, state: str, **send: Any) -> Message:
    return desk.message("pending", send={"state": state} | send)


def preparing(desk: Desk) -> Message:
    return _waiting(desk, "preparing")


def trouble(desk: Desk) -> Message:
    found = _waiting(desk, "preparing")
    failed = {"state": "failed", "trouble": "The disk was full."}
    Preparation.objects.create(service=desk.service, kind="expand", send=found.send, **failed)
    return found


def awaiting_approval(desk: Desk) -> Message:
    found = _waiting(desk, "awaiting", approvers=1)
    desk.ask(found, "open")
    return found


def approval_expired(desk: Desk) -> Message:
    found = _waiting(desk, "awaiting", approvers=1)
    desk.ask(found, "expired")
    return found


def paused(desk: Desk) -> Message:
    Service.objects.filter(pk=desk.service.pk).update(paused_at=desk.now, paused_because="x")
    return _waiting(desk, "sending")


def quiet_hours(desk: Desk) -> Message:
    local = desk.now.astimezone(zoneinfo.ZoneInfo("Europe/London"))
    quiet = f"{local - HOUR:%H:%M}-{local + HOUR:%H:%M}"
    found = _waiting(desk, "sending", quiet_hours=quiet)
    put_off = {"first_id": found.pk, "last_id": found.pk, "due_at": desk.now + HOUR}
    Slice.objects.create(send=found.send, service=desk.service, **put_off)
    return found


def read(desk: Desk) -> Message:
    found = desk.message("delivered", "7500")
    desk.heard(found, "7502")
    return found


def clicked(desk: Desk) -> Message:
    found = desk.message("delivered", "7500")
    desk.heard(found, "7528", clicked_by="human")
    return found


def refused(desk: Desk) -> Message:
    found = desk.message("cancelled", send={"state": "cancelled", "approvers": 1, **CANCELLED})
    desk.ask(found, "rejected", refused="The price is wrong.")
    return found


CANCELLED = {"cancelled_at": timezone.now(), "cancelled_by": "grace@example.test"}
FAILED = {
    "not_consented": "9002",
    "not_in_group": "9003",
    "consent_expired": "9010",
    "frequency_cap": "9006",
    "provider_hours": "7113",
    "policy": "9008",
    "blocked": "7720",
    "phone_away": "7207",
    "wrong_number": "7203",
    "operator": "7201",
    "platform": "7202",
    "expired_on_its_way": "7208",
    "too_fast": "7302",
    "content": "7111",
    "sender": "7101",
    "request": "7004",
    "account": "7103",
    "unexplained": "7518",
    "given_up": "given_up",
    "no_proof": "no_proof",
}
CASES: dict[str, Any] = {
    **{
        one.__name__: one
        for one in (
            *(preparing, trouble, awaiting_approval, approval_expired, paused, quiet_hours),
            *(read, clicked, refused),
        )
    },
    "scheduled": lambda desk: _waiting(desk, "scheduled", due_at=desk.now + HOUR),
    "next": lambda desk: _waiting(desk, "sending"),
    "tried_again": lambda desk: desk.message("pending", "connect", send={"state": "sending"}, attempt=1),
    "sent_again": lambda desk: desk.message("pending", send={"state": "sending"}, attempt=1),
    "posting": lambda desk: desk.message("posting"),
    "unconfirmed": lambda desk: desk.message("unconfirmed", "timeout"),
    "accepted": lambda desk: desk.message("queued", provider_id="p1"),
    "accepted_unasked": lambda desk: desk.message(
        "submitted", "7501", provider_id="p1", send={"receipts": Receipts.SUBMITTED}
    ),
    "treated_as_sent": lambda desk: desk.message("queued", detail="Treated as sent by ada@example.test."),
    "submitted": lambda desk: desk.message("submitted", "7501", provider_id="p1"),
    "no_report": lambda desk: desk.message("no_report", provider_id="p1"),
    "delivered": lambda desk: desk.message("delivered", "7500"),
    "contradicted": lambda desk: desk.message("delivered", "7500", detail="Also reported failed, code 7201."),
    **{name: lambda desk, code=code: desk.message("failed", code) for name, code in FAILED.items()},
    "wire": lambda desk: desk.message("failed", "wire", detail="text: it is empty"),
    "opted_out": lambda desk: desk.message("cancelled", "opted_out"),
    "cancelled": lambda desk: desk.message("cancelled", send={"state": "cancelled", **CANCELLED}),
    "expired": lambda desk: desk.message("expired"),
    "also_simulated": lambda desk: desk.message("delivered", "7500", send={"simulated": True}),
    "also_test": lambda desk: desk.message("delivered", "7500", send={"test": True}),
    "also_erased": lambda desk: desk.message("delivered", "7500", msisdn="#erased", text=""),
}
ROWS = {
    "left_out_opted_out": "opted_out",
    "left_out_duplicate": "duplicate",
    "left_out_bad_number": "premium",
    "left_out_kind": "left_out",
    "left_out_number_cap": "number_cap_reached",
    "left_out_country": "country_not_allowed",
    "left_out_sender": "sender_refused",
    "left_out_row": "missing_value",
}


def test_each_outcome_is_tried():
    assert CASES.keys() | ROWS.keys() == OUTCOMES.keys()
    assert len(OUTCOMES) >= 30


def text_of(response) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", response.content.decode())))


@pytest.mark.parametrize("name", CASES)
def test_the_pages_of_a_message_and_of_its_recipient_say_why(name):
    desk = Desk()
    message = CASES[name](desk)
    said = {
        "meaning": codes.lookup(message.code).meaning,
        "detail": message.detail,
        "by": "grace@example.test",
        "because": "Their reason: “The price is wrong.”",
        "why": {
            "trouble": "A person lets that go on, or cancels it, on its page. The disk was full.",
            "paused": "The whole service is paused. It goes when that is resumed.",
            "quiet_hours": "Quiet hours of recipients",
        }.get(name, ""),
    }
    pieces = [one.format(**said).strip() for one in re.split(r"(\{\w+\})", OUTCOMES[name].sentence)]
    pages = [f"/s/shop/messages/{message.pk}/"]
    if name != "also_erased":  # which belongs to nobody any more
        pages.append(f"/s/shop/people/{key_of(desk.service, NUMBER)}/")
    for url in pages:
        page = text_of(desk.client.get(url))
        assert all(piece in page for piece in pieces), (url, pieces)
        assert ("That ends on" in page) == (name in ("scheduled", "quiet_hours")), url


def test_the_page_of_a_person_says_why_rows_were_left_out():
    desk = Desk()
    send = desk.message("delivered", "7500", msisdn="+447710000001").send
    written = ("+447710000000", "07710 000000", "447710000000", "07710000000")
    for at, (name, code) in enumerate(ROWS.items()):
        kept = {"send": send, "row": at + 2, "value": written[at % 4], "code": code}
        Reject.objects.create(**kept, reason=f"Because of {name}.")
    page = text_of(desk.client.get(f"/s/shop/people/{key_of(desk.service, NUMBER)}/"))
    for name in ROWS:
        sentence = OUTCOMES[name].sentence.format(because=f"Because of {name}.")
        assert sentence.strip() in page, name
    assert "+447710000000" not in page and "07710 000000" not in page
