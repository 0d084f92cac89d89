"""To whom a send can be duplicated, and what its draft holds, field by field."""

import csv
import io
from datetime import timedelta

import pytest
from django.utils import timezone

from sms.audiences.files import Limits
from sms.compose import drafts
from sms.compose.drafts import duplicate
from sms.compose.drafts.recipients_of_send import GONE, Who
from sms.models import Actor, AuditEvent, Draft, Message, MessageState, Send, Upload
from tests.support.approvals import a_person, acting
from tests.support.sends import BY, PROVED, a_send, a_service

pytestmark = pytest.mark.django_db
LIMITS = Limits()
ROWS = "phone,name,town\n07700900001,Ann,Ayr\nabc,Carl,Ely\n07700900003,Cy,Wem\n07700900004,Dora,Ashby\n"
REJECTED = "Their cells are taken as they came, so most will be rejected again until they are corrected."


def from_a_file(service, **changes) -> Send:
    upload = Upload.keep(ROWS.encode(), service=service, name="people.csv", user=None)
    fields = {"text": "Hi $(name)", "sender": service.senders.get(), "country": "GB", "upload": upload}
    return drafts.send_draft(Draft.objects.create(service=service, **fields | changes), by=BY, limits=LIMITS)


def offered(send: Send) -> dict[str, tuple[int, str, str]]:
    found = duplicate.choices(Send.objects.get(pk=send.pk))
    assert [one.who for one in found] == list(Who)
    return {str(one.who.value): (one.count, one.says, one.problem) for one in found}


def end(send: Send, **states: tuple[int, ...]) -> None:
    """Messages by row in these states, with counters as they would be."""
    from sms.ledger import states as ledger
    from sms.ledger.counters import CounterDeltas
    from sms.ledger.state_machine import StateChange

    deltas = CounterDeltas()
    changes = [
        StateChange(Message.objects.get(send=send, row=row).pk, state, timezone.now())
        for state, rows in states.items()
        for row in rows
    ]
    ledger.apply(changes, deltas=deltas)
    deltas.write()


def test_choices_of_a_send_that_is_over():
    send = from_a_file(a_service())
    end(send, delivered=(2,), failed=(4,), cancelled=(5,))
    Send.objects.filter(pk=send.pk).update(state="finished")
    found = offered(send)
    assert found["all"][0] == 3 and found["all"][2] == ""
    assert found["failed"] == (1, "", "")
    assert (found["undelivered"][0], found["undelivered"][2]) == (2, "")
    assert found["rejected"] == (1, REJECTED, "")


def test_choices_of_a_send_whose_numbers_are_gone():
    send = a_send(a_service(), 2)
    end(send, failed=(1, 2))
    Send.objects.filter(pk=send.pk).update(state="finished")
    Message.objects.filter(send=send).update(msisdn="#x")
    found = offered(send)
    assert found["all"] == (2, found["all"][1], GONE)
    assert found["failed"] == (2, "", GONE)
    assert found["undelivered"][2] == GONE
    assert found["rejected"] == (0, REJECTED, "No row was rejected.")


def cells(draft: Draft) -> list[list[str]]:
    return list(csv.reader(io.StringIO(bytes(draft.upload.content).decode())))


@pytest.mark.parametrize(
    ("who", "rows", "missing"),
    [
        (Who.FAILED, [["phone", "name", "town"], ["+447700900001", "Ann", "Ayr"]], []),
        (Who.UNDELIVERED,
         [["phone", "name", "town"], ["+447700900001", "Ann", "Ayr"], ["+447700900003", "Cy", "Wem"]], []),
        (Who.REJECTED, [["number"], ["abc"]],
         ["The values for $(name) were not kept with these recipients. Upload them again, or write the text without."]),
    ],
)  # fmt: skip
def test_some_recipients_as_a_file_of_their_own(who, rows, missing):
    service = a_service()
    send = from_a_file(service, allow_duplicates=True)
    end(send, delivered=(5,), failed=(2,))
    ada = a_person("ada", service)
    draft, not_kept = duplicate.duplicate(send, who, by=acting(ada), limits=LIMITS)
    draft = Draft.objects.get(pk=draft.pk)
    assert (cells(draft), not_kept) == (rows, missing)
    assert draft.upload.name == f"{who.label} of send {send.pk}.csv"
    assert (draft.upload.uploaded_by, draft.created_by, draft.changed_by) == (ada, ada, ada)
    assert (draft.column, draft.country, draft.allow_duplicates) == (rows[0][0], "GB", True)
    events = {
        row.act: row.details
        for row in AuditEvent.objects.filter(act__in=("draft.created", "send.duplicated"))
    }
    assert events == {
        "draft.created": {"duplicate_of": send.pk},
        "send.duplicated": {"draft": draft.pk, "who": who.value},
    }  # fmt: skip


def test_without_its_recipients_only_the_text_is_taken():
    send = from_a_file(a_service())
    draft, not_kept = duplicate.duplicate(send, None, by=BY, limits=LIMITS)
    assert (draft.text, draft.upload, draft.pasted, not_kept) == ("Hi $(name)", None, "", [])
    assert AuditEvent.objects.get(act="send.duplicated").details["who"] == "nobody"


def test_rows_that_left_its_file_are_counted():
    send = from_a_file(a_service())
    end(send, failed=(2, 4))
    Message.objects.filter(send=send, row=4).update(msisdn="+447700900099")
    draft, not_kept = duplicate.duplicate(send, Who.FAILED, by=BY, limits=LIMITS)
    assert cells(draft) == [["phone", "name", "town"], ["+447700900001", "Ann", "Ayr"]]
    assert not_kept == ["1 of them are no longer in its audience and were left out."]


def test_without_its_file_the_numbers_that_its_messages_kept_are_taken():
    service = a_service(batch_size=8, **PROVED)  # so that values are kept with the messages
    send = from_a_file(service)
    Draft.objects.update(upload=None)
    end(send, failed=(2, 4))
    draft, not_kept = duplicate.duplicate(Send.objects.get(pk=send.pk), Who.FAILED, by=BY, limits=LIMITS)
    assert cells(draft) == [["number", "name"], ["+447700900001", "Ann"], ["+447700900003", "Cy"]]
    assert not_kept == []


@pytest.mark.parametrize(("seconds", "kept"), [(3600, True), (-1, False)])
def test_an_expiry_is_kept_until_it_has_passed(seconds, kept):
    later = timezone.now() + timedelta(seconds=3600)
    a_send(a_service(), expires_at=later, resend="always")
    at = timezone.now() + timedelta(seconds=seconds)
    Send.objects.update(expires_at=at)
    draft, not_kept = duplicate.duplicate(Send.objects.get(), Who.ALL, by=BY, limits=LIMITS)
    assert draft.expires_at == (at if kept else None)
    assert draft.resend == ("always" if kept else "never")
    assert ("Its expiry has passed, so the draft has none." in not_kept) is not kept


def test_what_a_program_made_says_what_was_not_taken_over():
    service = a_service()
    send = a_send(service, 1, labels=("spring",))
    Send.objects.filter(pk=send.pk).update(partner="shop", callback_data="order-7")
    draft, not_kept = duplicate.duplicate(Send.objects.get(), Who.ALL, by=Actor.system(), limits=LIMITS)
    assert not_kept[0] == "A program made it; what only a program can ask for was not taken over."
    assert (draft.text, draft.callback_data, draft.labels, draft.sender.address) == (
        "Hello",
        "order-7",
        "spring",
        "SHOP",
    )
    assert MessageState.PENDING in send.counts()
