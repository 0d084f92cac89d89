"""Each kind of row goes on its day: not an hour before, and by the days that are meant for it."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import models
from django.utils import timezone

from sms.compliance import retention
from sms.models import (
    Callback,
    CallbackEndpoint,
    Conversation,
    Draft,
    IdempotentAnswer,
    InboundMessage,
    Message,
    Receipt,
    ReceiptInbox,
    RecurringSend,
    SavedFilter,
    Service,
    Upload,
)
from tests.support.past_sends import a_past_send, an_old_service, run

pytestmark = pytest.mark.django_db
DAYS = {"keep_bodies", "keep_numbers", "keep_receipts"}
JUST_OVER, NOT_YET = timedelta(days=10, minutes=1), timedelta(days=9, hours=23)


def a_conversation(service: Service, at: datetime) -> Conversation:
    number = f"+4477109{service.conversations.count():05d}"
    return Conversation.objects.create(service=service, msisdn=number, address="72345", last_at=at)


def an_sms(service: Service, at: datetime) -> InboundMessage:
    return InboundMessage.objects.create(
        service=service,
        dedupe=secrets.token_bytes(16),
        raw=b"{}",
        msisdn="+447710000000",
        text="Stop",
        received_at=at,
    )


def a_callback(service: Service, at: datetime, state: str = "delivered") -> Callback:
    endpoint, _ = CallbackEndpoint.objects.get_or_create(service=service, name="P", url="https://p.test/")
    due = {"next_at": at} if state == "waiting" else {"done_at": at}
    return Callback.objects.create(
        endpoint=endpoint,
        event_id=secrets.token_hex(8),
        kind="k",
        body="{}",
        state=state,
        created_at=at,
        since=at,
        **due,
    )


def a_waiting_callback(service: Service, at: datetime) -> Callback:
    return a_callback(service, at, "waiting")


def an_answer(service: Service, at: datetime) -> IdempotentAnswer:
    return IdempotentAnswer.objects.create(
        service=service, owner="shop", key=secrets.token_hex(8), fingerprint="f", body=b"{}", made_at=at
    )


def a_lost_receipt(service: Service, at: datetime, why: str = "unknown") -> Receipt:
    lost = Receipt.objects.create(service=service, raw=b"x", dedupe=secrets.token_bytes(16), received_at=at)
    ReceiptInbox.objects.create(receipt=lost, received_at=lost.received_at, why=why, next_at=timezone.now())
    return lost


def a_new_receipt(service: Service, at: datetime) -> Receipt:
    return a_lost_receipt(service, at, "new")


def an_upload(service: Service, at: datetime) -> Upload:
    made = Upload.keep(b"number\n+447710000000\n", service=service, name="a.csv", user=None)
    Upload.objects.filter(pk=made.pk).update(uploaded_at=at)
    return made


def a_draft(service: Service, at: datetime) -> Draft:
    made = Draft.objects.create(service=service, pasted="+447710000000")
    Draft.objects.filter(pk=made.pk).update(changed_at=at)
    return made


def a_content(service: Service, at: datetime) -> Draft:
    return Draft.objects.create(service=service, text="Hello", recurs_since=at)


def a_content_in_use(service: Service, at: datetime) -> Draft:
    made = a_content(service, at)
    soon = timezone.now() + timedelta(days=1)
    RecurringSend.objects.create(
        service=service,
        draft=made,
        name="Training",
        at=time(9),
        starts_on=at.date(),
        passed_until=at,
        next_at=soon,
        look_at=soon,
    )
    return made


def a_filter(service: Service, at: datetime, of: str = "messages") -> SavedFilter:
    user, _ = get_user_model().objects.get_or_create(email="ada@example.test")
    said = {"name": f"{of} {service.saved_filters.count()}", "query": "for=x", "made_at": at}
    return SavedFilter.objects.create(service=service, user=user, of=of, **said)


def a_filter_of_sends(service: Service, at: datetime) -> SavedFilter:
    return a_filter(service, at, "sends")


def a_message(service: Service, at: datetime) -> Message:
    # days of a send count from the end of the five minutes in which it was posted
    days = (timezone.now() - at + timedelta(minutes=10)) / timedelta(days=1)
    return a_past_send(service, 1, days=days, clicks=False).messages.get()


def stays(name: str) -> Callable[[models.Model], bool]:
    """Whether a column still says what it said."""

    def held(row: models.Model) -> bool:
        before = getattr(row, name)
        found = type(row)._base_manager.get(pk=row.pk)
        return getattr(found, name) == before

    return held


def exists(row: models.Model) -> bool:
    return type(row)._base_manager.filter(pk=row.pk).exists()


@dataclass(frozen=True)
class Case:
    make: Callable[[Service, datetime], models.Model]
    held: Callable[[models.Model], bool]
    by: frozenset[str]  # the days of which any takes it
    kind: str = ""  # in the forecast, where these days alone make it


CASES = {
    "text of an SMS": Case(an_sms, stays("text"), frozenset({"keep_bodies"}), "inbound"),
    "number of an SMS": Case(an_sms, stays("msisdn"), frozenset({"keep_numbers"}), "inbound"),
    "bytes of an SMS": Case(an_sms, stays("raw"), frozenset(DAYS), "inbound"),
    "number of a conversation": Case(
        a_conversation, stays("msisdn"), frozenset({"keep_numbers"}), "conversations"
    ),
    "callback": Case(a_callback, exists, frozenset({"keep_receipts", "keep_numbers"}), "callbacks"),
    "callback that waits": Case(a_waiting_callback, exists, frozenset()),
    "answer of the API": Case(an_answer, exists, frozenset({"keep_bodies", "keep_numbers"}), "answers"),
    "receipt of no message": Case(a_lost_receipt, exists, frozenset({"keep_receipts"}), "unmatched"),
    "receipt that waits": Case(a_new_receipt, stays("raw"), frozenset()),
    "file without a draft": Case(an_upload, exists, frozenset({"keep_numbers"}), "uploads"),
    "pasted numbers of a draft": Case(a_draft, stays("pasted"), frozenset({"keep_numbers"}), "drafts"),
    "text of a recurring send": Case(a_content, stays("text"), frozenset({"keep_bodies"}), "contents"),
    "text that comes again": Case(a_content_in_use, stays("text"), frozenset()),
    "search for messages": Case(a_filter, exists, frozenset({"keep_numbers"}), "filters"),
    "search for sends": Case(a_filter_of_sends, exists, frozenset()),
    "text of a message": Case(a_message, stays("text"), frozenset({"keep_bodies"})),
    "number of a message": Case(a_message, stays("msisdn"), frozenset({"keep_numbers"})),
}


@pytest.mark.parametrize(
    "days", [("keep_bodies",), ("keep_receipts",), ("keep_receipts", "keep_numbers")], ids="-".join
)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_row_goes_on_its_day_and_by_its_own_days(case, days):
    service, another = an_old_service(**dict.fromkeys(days, 10)), an_old_service(**dict.fromkeys(DAYS))
    now = timezone.now()
    old, young = case.make(service, now - JUST_OVER), case.make(service, now - NOT_YET)
    elsewhere = case.make(another, now - JUST_OVER)
    due = retention.other_rows.forecast(service, now=now)
    goes = bool(case.by.intersection(days))
    if case.kind and goes:
        assert due[case.kind] == 1
    run(service)
    run(another)
    assert case.held(young), "not yet"
    assert case.held(elsewhere), "kept for good in another service"
    assert case.held(old) is not goes
    if case.kind:
        assert retention.other_rows.forecast(service, now=now)[case.kind] == 0
