"""A number goes from everywhere, with a certificate; what is not the person's stays as it was."""

import io
import json
import re
import zipfile
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from sms.audiences import contents
from sms.audiences.files import Limits, read_pasted
from sms.compliance import archive, audit, disclosure, erasure, retention
from sms.compose.create import create
from sms.inbound import optouts, receipts
from sms.inbound.optouts import Refusal
from sms.inbound.receipts import spool
from sms.models import (
    AudienceVersion,
    AuditEvent,
    Click,
    Erasure,
    InboundMessage,
    Message,
    OptOut,
    Send,
    Service,
    Upload,
)
from sms.reports import facts
from sms.sends.cancel import cancel
from sms.sends.replies import automatic
from sms.values.msisdn.mention import Mention
from tests.compliance.installation import NUMBER, OTHER, an_installation_that_knows
from tests.compliance.scan import found
from tests.support.callbacks import comes_in
from tests.support.past_sends import a_past_send, an_old_service
from tests.support.provider import Provider
from tests.support.sends import BY, an_order

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(state_folder):
    return state_folder


def erase(service, number: str = NUMBER, **options) -> Erasure:
    asked = erasure.ask(service, number, reason="Request 7 of 07710 000000", by=BY)
    assert erasure.perform(asked, **options), asked.waits_for
    asked.refresh_from_db()
    return asked


def test_a_number_goes_from_every_byte_and_everything_else_stays(folder):
    service, send = an_installation_that_knows(folder)
    assert len(set(found(NUMBER, service, spool.folder))) > 20, "it is in many places"
    before, counts = [str(facts.compare()[1] or "")], send.counts()
    one = erase(service, folder=folder)
    assert found(NUMBER, service, folder) == []
    said = one.certificate
    assert said["left"] == 0
    notes = {entry["place"]: entry["note"] for entry in said["places"]}
    assert "draft: text (1)" in next(note for words, note in notes.items() if words.startswith("every other"))
    assert "standard error stream" in notes["logs and other files of this host"]
    assert {entry["place"]: entry["changed"] for entry in said["places"] if not entry["changed"]}.keys() == {
        *(
            "the audit",
            "tables of the queue and of sign-in, and saved filters",
            "logs and other files of this host",
        ),
        *("figures of checked drafts", "templates, senders and other things of the catalogue"),
        "what the database file keeps of replaced text",
    }
    assert erasure.genuine(one)
    assert one.number == ""
    assert one.reason == "Request 7 of •••"
    # aggregates, the audit and the others are as they were
    assert [str(facts.compare()[1] or "")] == before == [""]
    assert send.counts() == counts
    assert not audit.verify(service.slug).broken
    assert Message.objects.get(send=send, msisdn=OTHER).text == "Your driver is •••"
    assert found(OTHER, service), "somebody else stays"
    assert [one.msisdn for one in contents.audience_of(AudienceVersion.objects.get(number=2)).recipients] == [
        OTHER,
        "+447710000002",
    ]
    assert bytes(Upload.objects.get().content) == f"name;mobile\r\nBob;{OTHER}\r\n".encode()
    assert {one.broken for one in archive.verify(service.pk)} == {""}
    assert len([row for row in archive.every(service) if row.msisdn == "#erased"]) == 1
    # once more changes nothing
    again = erase(service, folder=folder)
    assert again.certificate["changed"] == 0
    assert again.certificate["left"] == 0
    acts = AuditEvent.objects.filter(noun="erasure").order_by("pk").values_list("act", flat=True)
    assert list(acts) == ["erasure.asked", "erasure.done"] * 2


def test_a_changed_certificate_is_reported(folder):
    service = an_old_service()
    one = erase(service, folder=folder)
    one.certificate["left"] = 1
    assert not erasure.genuine(one)


def test_a_refusal_survives_erasure_and_is_still_not_written_to(folder):
    service = an_old_service()
    a_past_send(service, 1, days=20)
    optouts.opt_out(service.pk, [Refusal(NUMBER)], by=BY, source="page")
    late = create(an_order(service, 2, due_at=timezone.now() + timedelta(hours=1)), by=BY)
    assert late.rejected == 1
    erase(service, folder=folder)
    assert OptOut.objects.get().msisdn.startswith("#")
    assert facts.compare()[1] is None, "its country counts as before"
    anew = create(an_order(Service.objects.get(pk=service.pk), 2), by=BY)
    assert anew.rejects.get().code == "opted_out", "compose sees it"
    assert OptOut.in_force(service.pk, [NUMBER, OTHER]) == {NUMBER}
    assert optouts.opt_out(service.pk, [Refusal(NUMBER)], by=BY, source="page") == set(), (
        "it is in force already"
    )
    assert optouts.opt_in(service.pk, [NUMBER], by=BY, reason="Asked for it") == 1
    assert OptOut.in_force(service.pk, [NUMBER]) == set()


def test_dispatch_looks_for_digests_too(folder):
    service = an_old_service()
    optouts.opt_out(service.pk, [Refusal("+447710000005")], by=BY, source="page")
    erase(service, "+447710000005", folder=folder)
    send = create(an_order(service, 3), by=BY)
    refused = retention.messages.hidden(NUMBER, key=service.number_key)
    OptOut.objects.create(service=service, msisdn=refused, source="page")
    provider = Provider()
    provider.dispatch()
    assert send.counts() == {"cancelled": 1, "queued": 2}
    assert all(NUMBER[1:] not in number for number in provider.numbers)


def test_messages_under_way_are_waited_for_and_held_ones_too(folder):
    service = an_old_service()
    send = create(an_order(service, 2, due_at=timezone.now() + timedelta(hours=1)), by=BY)
    asked = erasure.ask(service, NUMBER, reason="r", by=BY)
    assert erasure.ask(service, NUMBER, reason="again", by=BY) == asked, "asked for once"
    assert not erasure.perform(asked, folder=folder)
    assert "1 message to this number is waiting" in asked.waits_for
    with pytest.raises(CommandError, match="1 of 1 erasures are not complete"):
        call_command(
            "erase_number",
            "--service",
            service.slug,
            "--number",
            NUMBER,
            "--reason",
            "r",
            stderr=io.StringIO(),
        )
    cancel(send, by=BY)
    retention.hold(send, because="Case 1", by=BY)
    assert not erasure.perform(asked, folder=folder)
    assert "kept by an admin" in asked.waits_for
    retention.release(send, by=BY)
    assert erasure.perform(asked, folder=folder)
    assert send.messages.order_by("pk").first().msisdn == "#erased"


def test_an_answer_that_a_keyword_owes_is_waited_for(folder):
    service = an_old_service()
    sms = InboundMessage.objects.create(
        service=service,
        dedupe=b"7" * 16,
        raw=b"{}",
        msisdn=NUMBER,
        text="C",
        received_at=timezone.now(),
        answer_due=True,
    )
    asked = erasure.ask(service, NUMBER, reason="r", by=BY)
    assert not erasure.perform(asked, folder=folder)
    assert "answer of a keyword" in asked.waits_for
    automatic.answer_due()
    assert erasure.perform(asked, folder=folder)
    sms.refresh_from_db()
    assert (sms.msisdn, sms.text) == ("", "")
    assert found(NUMBER, service, folder) == []


def test_what_comes_in_after_the_erasure_brings_nothing_back(folder):
    service = an_old_service()
    send = a_past_send(service, 2, days=20, clicks=False)
    first = send.messages.order_by("pk").first()
    erase(service, folder=folder)
    click = {
        "code": "7504",
        "deliveryStatus": "Clicked",
        "Description": f"https://x.test/|203.0.113.9|{NUMBER}",
    }
    for extra in ({}, {"info": click}):
        comes_in(Message.objects.get(pk=first.pk), **extra)
    comes_in(send.messages.order_by("pk").last(), info={"destination": OTHER[1:]})
    receipts.fold()
    assert found(NUMBER, service, folder) == []
    assert Click.objects.get(message=first).ip == "", "that it was opened stays"
    assert found(OTHER, service), "somebody else's is stored as it came"


def test_a_restored_backup_is_erased_again(folder):
    service = an_old_service()
    send = a_past_send(service, 3, days=20)
    erase(service, folder=folder)
    first = send.messages.order_by("pk").first()
    Message.objects.filter(pk=first.pk).update(msisdn=NUMBER, text="Hello")
    Erasure.objects.all().delete()  # the backup is from before
    out = io.StringIO()
    call_command("erase_number", "--again", stdout=out)
    assert "1 changed, 0 left" in out.getvalue()
    first.refresh_from_db()
    assert (first.msisdn, first.text) == ("#erased", "")
    assert Erasure.objects.get().again
    out = io.StringIO()
    call_command("erase_number", "--again", stdout=out)
    assert "Nothing that was erased before is here again" in out.getvalue()


def test_what_is_given_out_is_everything_of_the_person_and_nothing_of_others(folder):
    service, _ = an_installation_that_knows(folder)
    content = disclosure.disclose(service, NUMBER, reason="Request 8", by=BY)
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        held, page = json.loads(book.read("data.json")), book.read("data.html").decode()
    assert {kind: len(entries) for kind, entries in held.items() if isinstance(entries, list)} == {
        "messages": 2,
        "answers": 1,
        "conversations": 1,
        "opt_outs": 1,
        "audiences": 2,
        "rejected_rows": 5,
        "drafts": 1,
        "callbacks": 2,
        "uploaded_files": 2,
        "other_texts": 10,
        "other_receipts": 4,
        "report_files": 1,
        "not_complete": 1,
    }
    assert held["not_complete"] == [
        "1 file waits on the disk for a person to look at, with the number in it."
    ]
    assert sorted(file["rows"] for file in held["uploaded_files"]) == [["07710 000000"], ["Ada;07710 000000"]]
    said = {(entry["where"], str(entry["says"])) for entry in held["other_texts"]}
    assert ("message: text", "Your driver is +44 7710 000000") in said
    assert ("send: name", "For 07710 000000") in said
    assert held["messages"][0]["receipts"]
    assert held["opt_outs"][0]["evidence"] == "said so on 07710 000000"
    for text in (json.dumps(held), page):
        bare = text.replace(" ", "")
        assert "7710000001" not in bare, "somebody else's"
        assert "7710000002" not in bare
    event = AuditEvent.objects.get(act="number.disclosed")
    assert event.details["reason"] == "Request 8"
    assert "7710000000" not in json.dumps(event.details)


def test_the_page_shows_every_kind_of_entry_with_its_markup_as_text(folder):
    service, _ = an_installation_that_knows(folder)
    Send.objects.update(name="<b>Offer</b> for 07710 000000")
    content = disclosure.disclose(service, NUMBER, reason="Request 8", by=BY)
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        held, page = json.loads(book.read("data.json")), book.read("data.html").decode()
    counts = [
        len(found) for kind, found in held.items() if isinstance(found, list) and kind != "not_complete"
    ]
    assert [int(count) for count in re.findall(r"<h2>[^<]+ \((\d+)\)</h2>", page)] == counts
    assert page.count("<section>") == sum(counts)
    assert "&lt;b&gt;Offer&lt;/b&gt; for [your number]" in page
    assert "<b>" not in page
    assert re.search(r"<dt>sent as part of</dt>\s*<dd>", page)
    assert "<li>1 file waits on the disk for a person to look at, with the number in it.</li>" in page


NUMBERS = st.sampled_from(
    ["+447710000000", "+393401234567", "+12015550123", "+61412345678", "+4915112345678"]
)
SIGNS = st.sampled_from(["", " ", "-", ".", "/", " - ", "\u00a0"])


@given(number=NUMBERS, sign=SIGNS, zero=st.booleans(), head=st.sampled_from(["+", "00", ""]), data=st.data())
def test_a_number_is_found_and_taken_out_however_it_is_written(number, sign, zero, head, data):
    mention = Mention(number)
    national, cuts = mention.national, sorted(data.draw(st.sets(st.integers(1, 8), max_size=3)))
    groups = [national[a:b] for a, b in zip([0, *cuts], [*cuts, len(national)], strict=True)]
    body = sign.join(group for group in groups if group)
    written = data.draw(
        st.sampled_from(
            [f"{head}{mention.code}{sign}{'(0)' if zero else ''}{body}", f"{'0' if zero else ''}{body}"]
        )
    )
    text = f"Call {written}, or not."
    assert mention.found(text)
    after = mention.without(text)
    assert not mention.found(after)
    assert after.startswith("Call")
    assert after.endswith(", or not.")


def test_digits_of_other_scripts_are_digits_and_other_numbers_are_others():
    mention = Mention(NUMBER)
    assert mention.found("اتصل ٠٧٧١٠٠٠٠٠٠٠")
    for other in ("+447710000001", "order 17710000000", "77100000001", "0771000000", ""):
        assert not mention.found(other), other
    assert read_pasted(NUMBER, country="GB", limits=Limits()).recipients[0].msisdn == NUMBER
