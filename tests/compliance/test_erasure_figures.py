"""A certificate and a disclosure compared as a whole: every place, every figure, every field of every entry."""

import io
import json
import socket
import zipfile
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from sms.compliance import archive, disclosure, erasure
from sms.compose.create import create
from sms.inbound import optouts
from sms.inbound.optouts import Refusal
from sms.models import AuditEvent, Click, Draft, Echo, Erasure, Message, OptOut, Receipt, Send
from sms.sends.cancel import cancel
from tests.compliance.installation import NUMBER, OTHER, an_installation_that_knows
from tests.support.past_sends import a_past_send, an_old_service
from tests.support.sends import BY, an_order

pytestmark = pytest.mark.django_db
ELSEWHERE = "the database file"  # what it keeps of replaced text is the database's own affair
PLACES = [
    ("messages waiting on this host's disk for the database", 1, ""),
    ("opt-outs (kept as a digest)", 1, ""),
    ("messages, with their receipts, clicks and partners' spellings", 1, ""),
    ("archive files", 1, ""),
    ("receipts that are unmatched, in quarantine or of other messages", 2, ""),
    ("incoming SMS", 1, ""),
    ("refused receipts and SMS", 2, ""),
    ("callbacks", 1, ""),
    ("stored answers of the API", 1, ""),
    (
        "uploaded files",
        2,
        "1 of them deleted as a whole: lines cannot be taken out of a workbook, or of cells over several lines.",
    ),
    ("audiences, every version of them, and their rejected rows", 5, ""),
    (
        "every other text: sends, drafts, approvals, rejected rows, names, notes, reasons, colleagues' own numbers",
        17,
        "callback: body (1), callback: log (1), conversation: MSISDN (1), draft: pasted (1), draft: text (1), message: substitutions (1), "
        "message: text (1), receipt inbox: reason (2), reject: value (5), reported send: name (1), send: name (1), send: source (1)",
    ),
    ("figures of checked drafts", 0, ""),
    ("report files", 1, ""),
    ("tables of the queue and of sign-in, and saved filters", 0, ""),
    (
        "templates, senders and other things of the catalogue",
        0,
        "Searched only: templates, senders and the like do not name it.",
    ),
    (
        "the audit",
        0,
        "Searched only: it is never changed, and numbers are masked in what people write into it.",
    ),
    (
        "logs and other files of this host",
        0,
        "1 file of this host searched. Textdesk writes its own log to the standard error stream, with numbers masked: copies that a "
        "log collector, a journal or a proxy keeps are outside of Textdesk. Search them for the number with +, without it, and as it "
        "is written within its country.",
    ),
]


def test_a_certificate_says_for_each_place_what_was_changed_and_what_is_left(state_folder):
    service, _ = an_installation_that_knows(state_folder)
    asked = erasure.ask(service, NUMBER, reason="Request 7 of 07710 000000", by=BY)
    assert (asked.state, asked.number, asked.waits_for, asked.again) == (
        Erasure.State.WAITING,
        NUMBER,
        "",
        False,
    )
    rested: list[int] = []
    assert erasure.perform(asked, folder=state_folder, rest=lambda: rested.append(1))
    assert len(rested) > 2 * len(PLACES), "others may work in between"
    one = Erasure.objects.get()
    said = one.certificate
    places = said.pop("places")
    assert [
        (one["place"], one["changed"], one["note"]) for one in places if ELSEWHERE not in one["place"]
    ] == PLACES
    assert [entry["left"] for entry in places] == [0] * len(places)
    assert said == {
        "certificate": "erasure of a number",
        "id": one.pk,
        "service": service.slug,
        "number": one.digest,
        "reason": "Request 7 of •••",
        "asked_by": BY.label,
        "asked_at": one.asked_at.isoformat(),
        "done_at": one.done_at.isoformat(),
        "host": socket.gethostname(),
        "changed": 36,
        "left": 0,
        "again": False,
    }
    rows = AuditEvent.objects.filter(noun="erasure").order_by("pk")
    assert [(row.act, row.details, row.actor_label, row.service_slug) for row in rows] == [
        ("erasure.asked", {}, BY.label, service.slug),
        ("erasure.done", {"changed": 36, "left": 0}, rows[1].actor_label, service.slug),
    ]
    assert rows[1].actor_kind == "system"


def test_what_a_stopped_run_did_counts_on_the_certificate_once(state_folder):
    service, _ = an_installation_that_knows(state_folder)
    asked = erasure.ask(service, NUMBER, reason="r", by=BY)

    class Stopped(Exception):
        pass

    def stop() -> None:
        done = Erasure.objects.get().certificate.get("places", [])
        if len(done) == 11:
            raise Stopped

    with pytest.raises(Stopped):
        erasure.perform(asked, folder=state_folder, rest=stop)
    half = Erasure.objects.get()
    assert (half.state, half.number) == (Erasure.State.RUNNING, NUMBER)
    noted = [(entry["place"], entry["changed"], entry["note"]) for entry in half.certificate["places"]]
    assert noted == PLACES[:11]
    again: list[list[str]] = []
    erasure.perform(half, folder=state_folder, rest=lambda: again.append(
        [entry["place"] for entry in Erasure.objects.get().certificate["places"]]
    ))  # fmt: skip
    assert all(len(places) == len(set(places)) >= 11 for places in again), "each place once, none forgotten"
    ended = Erasure.objects.get().certificate
    assert [
        (entry["place"], entry["changed"], entry["note"])
        for entry in ended["places"]
        if ELSEWHERE not in entry["place"]
    ] == PLACES
    assert ended["changed"] == 36


def days_ago(held: dict) -> dict:
    """The same with each moment as whole days before the disclosure."""
    now = datetime.fromisoformat(held["as_of"])

    def plain(value):
        if isinstance(value, dict):
            return {key: plain(inner) for key, inner in value.items() if key not in ("as_it_came", "as_of")}
        if isinstance(value, list):
            return [plain(inner) for inner in value]
        if isinstance(value, str) and value[:2] == "20" and "T" in value:
            return f"{round((now - datetime.fromisoformat(value)) / timedelta(days=1))} days ago"
        return value

    return plain(held)


def a_message(name: str, text: str, days: int, provider_id: str) -> dict:
    at = f"{days} days ago"
    return {
        "sent_as_part_of": name,
        "from": "SHOP",
        "text": text,
        "values": {},
        "state": "delivered",
        "meaning_of_code": "",
        "country": "GB",
        "carrier": "o2",
        "composed": at,
        "posted": at,
        "with_operator": "",
        "ended": at,
        "provider_id": provider_id,
        "called_by_partner": "theirs-1",
                "reference_of_partner": "",
        "receipts": [{"received": at}, {"received": at}],
        "clicks": [
            {"at": at, "url": "https://x.test/a", "address": "203.0.113.9", "browser": "Safari", "judged": "machine"}
        ],
    }  # fmt: skip


def test_a_disclosure_has_every_field_of_every_entry(state_folder):
    service, send = an_installation_that_knows(state_folder)
    first = send.messages.order_by("pk").first().pk
    content = disclosure.disclose(service, NUMBER, reason="Request 8", by=BY)
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        assert book.namelist() == ["data.json", "data.html"]
        held = json.loads(book.read("data.json"))
    receipts = [receipt["as_it_came"] for one in held["messages"] for receipt in one["receipts"]]
    assert [json.loads(raw)["deliveryInfoNotification"]["deliveryInfo"]["code"] for raw in receipts] == [
        "7500", "7504", "7500", "7504",
    ]  # fmt: skip
    now = "0 days ago"
    found = days_ago(held)
    assert found["messages"][0].pop("sent_as_part_of").startswith("To 3 recipients · ")
    archived = a_message("", "Hi +447710000000, call us", 50, f"p-{first - 3}")
    del archived["sent_as_part_of"]
    assert found.pop("messages") == [
        archived,
        a_message("For [your number]", "Is +447710000000 yours?", 20, f"p-{first}"),
    ]
    texts = [(one["where"], str(one["says"])) for one in found.pop("other_texts")]
    assert sorted(texts) == [
        ("callback: log", "['447710000000?']"),
        ("callback: log", "['447710000000?']"),
        ("draft: text", "Ask 07710 000000"),
        ("message: substitutions", "['07710000000']"),
        ("message: text", "Your driver is +44 7710 000000"),
        ("receipt inbox: reason", "of +447710000000"),
        ("receipt inbox: reason", "of +447710000000"),
        ("reported send: name", "For 07710 000000"),
        ("send: name", "For 07710 000000"),
        ("send: source", "447710000000.csv"),
    ]
    assert found.pop("other_receipts") == [{}] * 4
    said = [one["as_it_came"] for one in held["other_receipts"]]
    assert said == ['{"destination":"447710000000"'] * 2 + ['{"destination":"447710000000"}'] * 2
    assert found == {
        "number": NUMBER,
        "held_by": "Shop",
        "answers": [{"received": now, "to": "72345", "text": "Stop", "read_as": "", "keyword": ""}],
        "conversations": [
            {
                "with": "72345",
                "last_written": now,
                "state": "open",
                "labels": [],
                "answers_of_ours": 0,
                "waiting_since": "",
                "done": "",
            }
        ],
        "opt_outs": [
            {"since": now, "how": "page", "evidence": "said so on 07710 000000", "lifted": "", "lifted_because": ""}
        ],
        "audiences": [
            {"audience": "List", "version": 2, "uploaded": now, "row": 4, "cells": {"friend": "x"}},
            {"audience": "List", "version": 1, "uploaded": now, "row": 1, "cells": {}},
        ],
        "rejected_rows": [
            {"send": "For 07710 000000", "row": row, "as_written": written, "reason": "Twice."}
            for row, written in (
                (94, "7710000000"),
                (93, "447710000000"),
                (92, "0044 (0)7710-000-000"),
                (91, "07710 000 000"),
                (90, "+44 7710 000000"),
            )
        ],
        "drafts": [{"draft": str(Draft.objects.exclude(pasted="").get()), "changed": now, "pasted": ["+44 7710 000000", "07710 000 000"]}],
        "callbacks": [{"endpoint": "P", "what": "k", "at": now, "body": '{"to": "+447710000000"}'}] * 2,
        "uploaded_files": [
            {"file": "b.xlsx", "uploaded": now, "rows": ["07710 000000"]},
            {"file": "a.csv", "uploaded": now, "rows": ["Ada;07710 000000"]},
        ],
        "report_files": [{"report": "CSV", "asked": now, "deleted_after_days": 7}],
        "not_complete": ["1 file waits on the disk for a person to look at, with the number in it."],
    }  # fmt: skip


def test_of_an_erased_message_stays_that_it_was_sent_and_nothing_of_others_changes(state_folder):
    service = an_old_service()
    send = a_past_send(service, 3, days=20)
    Send.objects.filter(pk=send.pk).update(audience_digest="d" * 64, file_sha256="f" * 64)

    def rows(number: str) -> list:
        return [
            list(Message.objects.filter(msisdn=number).values()),
            list(Click.objects.filter(message__msisdn=number).values()),
            list(Echo.objects.filter(message__msisdn=number).values()),
            list(Receipt.objects.filter(message_id__in=Message.objects.filter(msisdn=number).values("pk")).values()),
        ]  # fmt: skip

    (before,), others = rows(NUMBER)[0], rows(OTHER)
    erasure.perform(erasure.ask(service, NUMBER, reason="r", by=BY), folder=state_folder)
    assert rows(OTHER) == others
    after = Message.objects.filter(pk=before["id"]).values().get()
    assert after == before | {"msisdn": "#erased", "text": "", "substitutions": {}, "detail": ""}
    assert not Echo.objects.filter(message_id=before["id"]).exists()
    assert list(Click.objects.filter(message_id=before["id"]).values_list("url", "ip", "user_agent")) == [
        ("", "", "")
    ]
    raws = Receipt.objects.filter(message_id=before["id"]).values_list("raw", flat=True)
    assert len(raws) == 2 and not [raw for raw in raws if b"7710000000" in bytes(raw)]
    send.refresh_from_db()
    assert (send.audience_digest, send.file_sha256) == ("", ""), "so few could be guessed"


@pytest.mark.parametrize(("recipients", "kept"), [(20, False), (21, True)])
def test_the_digest_of_a_list_of_up_to_twenty_goes_with_one_of_them(state_folder, recipients, kept):
    service = an_old_service()
    send = a_past_send(service, 1, days=20)
    Send.objects.filter(pk=send.pk).update(audience_digest="d" * 64, recipients=recipients)
    erasure.perform(erasure.ask(service, NUMBER, reason="r", by=BY), folder=state_folder)
    assert bool(Send.objects.get(pk=send.pk).audience_digest) == kept


@pytest.mark.parametrize(
    ("sends", "words"),
    [
        (1, "1 message to this number is waiting, under way or not confirmed."),
        (2, "2 messages to this number are waiting, under way or not confirmed."),
    ],
)
def test_an_erasure_says_what_it_waits_for_and_changes_nothing_until_then(state_folder, sends, words):
    service = an_old_service()
    later = timezone.now() + timedelta(hours=1)
    made = [create(an_order(service, 2, due_at=later), by=BY) for _ in range(sends)]
    optouts.opt_out(service.pk, [Refusal(NUMBER)], by=BY, source="page")
    asked = erasure.ask(service, NUMBER, reason="r", by=BY)
    assert not erasure.perform(asked, folder=state_folder)
    kept = Erasure.objects.get()
    assert (kept.state, kept.number, kept.certificate) == (Erasure.State.WAITING, NUMBER, {})
    way_out = "Stop the send, settle what is not confirmed, or wait: it is erased as soon as they have ended."
    assert kept.waits_for == asked.waits_for == f"{words} {way_out}"
    assert OptOut.objects.get().msisdn == NUMBER
    assert erasure.waiting() == [kept]
    for send in made:
        cancel(send, by=BY)
    assert erasure.perform(kept, folder=state_folder)
    assert erasure.waiting() == []


@pytest.mark.parametrize(
    ("sends", "words"),
    [(1, "The number stands in what a send to others will say."), (2, "The number stands in what 2 sends to others will say.")],
)  # fmt: skip
def test_a_number_in_what_others_will_be_told_is_waited_for(state_folder, sends, words):
    service = an_old_service()
    later = timezone.now() + timedelta(hours=1)
    for _ in range(sends):
        create(an_order(service, 1, due_at=later, content=f"Call {NUMBER}"), by=BY)
    asked = erasure.ask(service, "+447710000099", reason="r", by=BY)
    assert erasure.perform(asked, folder=state_folder), "another number is not in the way"
    asked = erasure.ask(service, NUMBER, reason="r", by=BY)
    Message.objects.update(msisdn="+447710000042")
    assert not erasure.perform(asked, folder=state_folder)
    assert (
        asked.waits_for
        == f"{words} Stop what should not go out, or wait: it is erased as soon as everything has been posted."
    )


def test_an_archive_that_was_left_half_way_is_finished_first(state_folder):
    """Its file could not be rewritten, and would keep the number."""
    service = an_old_service()
    send = a_past_send(service, 3, days=20, ends=("delivered",))
    ids = list(send.messages.order_by("pk").values_list("pk", flat=True))
    gone = archive.StripRule()
    archive.make(service, [ids[:1], ids[1:]], posted_until=timezone.now(), gone=gone, rest=lambda: False)
    assert send.messages.count() == 3
    assert erasure.perform(erasure.ask(service, NUMBER, reason="r", by=BY), folder=state_folder)
    assert not send.messages.exists()
    assert [row.msisdn for row in archive.every(service)] == ["#erased", OTHER, "+447710000002"]
