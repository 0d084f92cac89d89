"""What days take away, what they leave, and what they must not touch."""

import io
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from sms.compliance import archive, retention
from sms.models import (
    ApprovalRequest,
    Archive,
    AuditEvent,
    Callback,
    CallbackEndpoint,
    Click,
    Comment,
    Conversation,
    Draft,
    Echo,
    Fact,
    InboundMessage,
    Message,
    Preparation,
    Receipt,
    ReceiptInbox,
    Reject,
    RetentionClock,
    RetentionRun,
    Send,
    SendFact,
    SendKeeping,
    Service,
    Upload,
)
from sms.reports import facts
from sms.sends.messages import SendMessageSelection, find_messages, messages_of, story_of
from sms.values.msisdn.hidden import hidden, is_hidden
from tests.compliance import scan
from tests.support.past_sends import a_past_send, an_old_service, no_rest, run, told
from tests.support.sends import BY

pytestmark = pytest.mark.django_db
NUMBER = "+447710000000"


@pytest.fixture
def folder(state_folder):
    return state_folder


def differs() -> str:
    return str(facts.compare()[1] or "")


def figures() -> set[tuple]:
    names = [field.name for field in Fact._meta.concrete_fields if not field.primary_key]
    return set(Fact.objects.values_list(*names))


def test_texts_go_and_everything_else_of_a_message_stays():
    service = an_old_service(keep_bodies=30)
    old = a_past_send(service, days=31, content="Hi $(number), your code is 4711")
    young = a_past_send(service, days=29, content="Hello again")
    before = list(old.messages.values_list("msisdn", "state", "provider_id", "posted_at"))
    run(service)
    assert set(old.messages.values_list("text", flat=True)) == {""}
    assert list(old.messages.values_list("msisdn", "state", "provider_id", "posted_at")) == before
    assert set(young.messages.values_list("text", flat=True)) == {"Hello again"}
    old.refresh_from_db()
    assert "4711" not in old.text + old.name
    assert differs() == ""


def test_numbers_leave_a_digest_by_which_a_person_who_knows_them_still_finds_the_message():
    service = an_old_service(keep_numbers=30, keep_receipts=30)
    send = a_past_send(service, days=31, content="Is $(number) still yours?")
    number = send.messages.order_by("pk").first().msisdn
    Reject.objects.create(send=send, row=9, value="07700 900001", code="duplicate", reason="Twice.")
    run(service)
    message = send.messages.order_by("pk").first()
    assert message.msisdn == hidden(number, key=service.number_key)
    assert number[1:] not in message.text
    assert Echo.objects.get(message=message).destination == ""
    assert Reject.objects.get(send=send).value == ""
    assert message.country == "GB"
    assert [one.pk for one in find_messages(service, number).messages] == [message.pk]
    assert differs() == ""


def test_receipts_are_shortened_to_what_became_of_the_message():
    service = an_old_service(keep_receipts=10)
    send = a_past_send(service, days=11)
    run(service)
    for kept in Receipt.objects.filter(service=service):
        assert b"44771" not in bytes(kept.raw)
        assert b'"code"' in bytes(kept.raw)
    click = Click.objects.get(message__send=send)
    assert (click.url, click.ip, click.user_agent) == ("", "", "")
    assert click.verdict
    story = story_of(service, send.messages.first().pk)
    assert len(story.receipts) == 2
    assert differs() == ""


@pytest.mark.parametrize("still", ["queued", "unconfirmed", "pending"])
def test_a_send_of_which_anything_is_open_stays_as_a_whole(still):
    service = an_old_service(keep_bodies=7, keep_numbers=7, keep_receipts=7, keep_messages=7)
    send = a_past_send(service, 2, days=400, ends=("delivered", still))
    run(service)
    assert send.messages.exclude(text="").count() == 2
    assert retention.forecast(service, now=timezone.now()).open == 1


def test_a_send_that_is_held_stays_until_it_is_let_go():
    service = an_old_service(keep_bodies=7, keep_messages=7)
    send = a_past_send(service, days=400)
    assert retention.hold(send, because="Case 12", by=BY)
    assert not retention.hold(send, because="Again", by=BY)
    run(service)
    assert send.messages.exclude(text="").count() == 4
    assert retention.forecast(service, now=timezone.now()).held == 1
    assert retention.release(send, by=BY)
    run(service)
    assert not send.messages.exists()
    assert set(
        AuditEvent.objects.filter(noun="send", noun_key=str(send.pk)).values_list("act", flat=True)
    ) >= {
        "send.kept",
        "send.kept_no_more",
    }


def test_the_dry_run_says_what_the_run_then_does_and_changes_nothing():
    service = an_old_service(keep_bodies=10, keep_numbers=20, keep_receipts=5, keep_messages=30)
    for days in (6, 12, 25, 40):
        a_past_send(service, days=days)
    before = figures()
    out = io.StringIO()
    call_command("retain", "--dry-run", "--service", service.slug, stdout=out)
    assert Message.objects.exclude(text="Hello").count() == 0
    found = retention.forecast(service, now=timezone.now())
    assert found.messages == {"receipts": 16, "bodies": 12, "numbers": 8, "archive": 4}
    assert "12 messages without their text" in out.getvalue()
    out = io.StringIO()
    call_command("retain", "--service", service.slug, "--no-rest", stdout=out)
    assert "4 messages moved into archive files" in out.getvalue()
    done = RetentionRun.objects.get(service=service).counts
    assert (done["bodies"], done["numbers"], done["archive"]) == (12, 8, 4)
    assert AuditEvent.objects.get(act="retention.ran").details["archive"] == 4
    left = retention.forecast(service, now=timezone.now())
    assert not (any(left.sends.values()) or left.archives or any(left.others.values()))
    assert figures() == before
    assert differs() == ""


def test_a_number_goes_from_what_was_written_back_and_forth_while_the_texts_stay():
    """What a person texted, and an answer that a colleague typed: the send, its message, and what approvers were shown."""
    service = an_old_service(keep_receipts=10, keep_numbers=10)
    typed, long_ago = "We call 07710 000 000 at nine.", timezone.now() - timedelta(days=20)
    send = a_past_send(service, 1, days=20, content=typed, name="Answer in conversation 1")
    asked = ApprovalRequest.objects.create(
        service=service,
        send=send,
        snapshot={"text": typed},
        approvers=1,
        eligible=1,
        rules=[],
        parts={},
        at_once=True,
        due_at=long_ago,
        asked_at=long_ago,
        expires_at=long_ago,
        ended_at=long_ago,
        state="approved",
    )
    talk = Conversation.objects.create(service=service, msisdn=NUMBER, address="72345", last_at=long_ago)
    sms = InboundMessage.objects.create(
        service=service,
        dedupe=b"1" * 16,
        raw=b'{"oa":"447710000000"}',
        msisdn=NUMBER,
        text="Call me on +44 7710 000000 please",
        received_at=long_ago,
        conversation=talk,
    )
    note = Comment.objects.create(
        service=service, send=send, label="bob", text="Ask 07710 000 000", at=long_ago
    )
    run(service)
    for row in (send, asked, talk, sms, note):
        row.refresh_from_db()
    assert sms.text == "Call me on ••• please"
    assert send.text == asked.snapshot["text"] == send.messages.get().text == "We call ••• at nine."
    assert (note.text, bytes(sms.raw)) == ("", b"")
    assert is_hidden(talk.msisdn) and is_hidden(sms.msisdn)
    assert scan.found(NUMBER, service) == []


def test_what_lies_beside_messages_follows_the_same_days():
    service = an_old_service(keep_bodies=10, keep_numbers=10, keep_receipts=10)
    send = a_past_send(service, days=20)
    long_ago = timezone.now() - timedelta(days=20)
    upload = Upload.keep(b"number\n+447710000000\n", service=service, name="a.csv", user=None)
    waiting = Upload.keep(b"number\n+447710000001\n", service=service, name="b.csv", user=None)
    Upload.objects.update(uploaded_at=long_ago)
    Draft.objects.create(service=service, upload=upload, send=send, pasted="+447710000009")
    Draft.objects.create(service=service, upload=waiting)
    InboundMessage.objects.create(
        service=service,
        dedupe=b"1" * 16,
        raw=b"{}",
        msisdn="+447710000000",
        text="Stop",
        received_at=long_ago,
    )
    lost = Receipt.objects.create(service=service, raw=b"x", dedupe=b"2" * 16, received_at=long_ago)
    ReceiptInbox.objects.create(
        receipt=lost, received_at=lost.received_at, why="unknown", next_at=timezone.now()
    )
    named = Receipt.objects.create(
        service=service, raw=b'{"to":"447710000000"}', dedupe=b"3" * 16, received_at=long_ago
    )
    endpoint = CallbackEndpoint.objects.create(service=service, name="P", url="https://p.test/")
    Callback.objects.create(
        endpoint=endpoint,
        event_id="e",
        kind="k",
        body="{}",
        state="delivered",
        created_at=long_ago,
        since=long_ago,
        done_at=long_ago,
    )
    run(service)
    assert list(Upload.objects.values_list("pk", flat=True)) == [waiting.pk], "a draft still needs the other"
    assert Draft.objects.get(send=send).pasted == ""
    sms = InboundMessage.objects.get()
    assert (bytes(sms.raw), sms.text) == (b"", "")
    assert is_hidden(sms.msisdn)
    assert not ReceiptInbox.objects.exists()
    assert not Receipt.objects.filter(pk=lost.pk).exists()
    named.refresh_from_db()
    assert bytes(named.raw) == b"", "it named no message by our id, and cannot be read"
    assert not Callback.objects.exists()


def test_a_draft_that_was_not_sent_or_changed_for_so_long_loses_its_recipients():
    service = an_old_service(keep_numbers=30, keep_receipts=30)
    upload = Upload.keep(b"number\n+447710000001\n", service=service, name="b.csv", user=None)
    Upload.objects.update(uploaded_at=timezone.now() - timedelta(days=50))
    old = Draft.objects.create(service=service, upload=upload, text="Hello")
    pasted = Draft.objects.create(service=service, pasted="+447710000009")
    young = Draft.objects.create(service=service, pasted="+447710000009")
    Preparation.objects.create(service=service, draft=old, kind="check", partial=b"x")
    Draft.objects.filter(pk__in=(old.pk, pasted.pk)).update(changed_at=timezone.now() - timedelta(days=31))
    assert retention.other_rows.forecast(service, now=timezone.now())["drafts"] == 2
    assert run(service).counts == {"drafts": 2, "uploads": 1}
    assert list(Draft.objects.order_by("pk").values_list("text", "pasted", "upload")) == [
        ("Hello", "", None),
        ("", "", None),
        ("", "+447710000009", None),
    ]
    assert not Preparation.objects.exists()
    assert run(service).counts == {}
    assert young.pk


def test_what_stood_in_for_a_missing_value_goes_with_the_texts():
    service = an_old_service(keep_bodies=30)
    send = a_past_send(service, days=31)
    Draft.objects.create(service=service, send=send, text="Hi", fillings={"name": {"fallback": "Ada"}})
    Preparation.objects.create(
        service=service,
        send=send,
        kind="expand",
        state="ready",
        cursor={"place": 1, "fillings": {"name": "Ada"}},
    )
    run(service)
    assert Draft.objects.get().fillings == {}
    assert Preparation.objects.get().cursor == {"place": 1}


def test_a_run_that_is_ended_half_way_is_gone_on_with(monkeypatch):
    monkeypatch.setattr(retention.messages, "batch_size", lambda: 3)
    service = an_old_service(keep_bodies=10)
    a_past_send(service, 10, days=20, ends=("delivered",), clicks=False)
    turns = iter([False, False, True])
    assert run(service, rest=lambda: next(turns)) is None
    keeping = SendKeeping.objects.get()
    assert keeping.stage == "bodies"
    assert Message.objects.exclude(text="").count() == 1
    assert run(service).counts["bodies"] == 10, "the run counts as one"
    assert not Message.objects.exclude(text="").exists()


def test_changed_days_wait_an_hour_and_a_service_without_days_never_runs():
    service, other = an_old_service(keep_bodies=10), an_old_service()
    a_past_send(service, days=20)
    a_past_send(other, days=2000)
    retention.put_off(service)
    assert retention.run_due(stopped=no_rest) == 0
    RetentionClock.objects.update(next_at=timezone.now() - timedelta(seconds=1))
    assert retention.run_due(stopped=no_rest) == 1
    assert retention.run_due(stopped=no_rest) == 0, "once an hour"
    assert Message.objects.exclude(text="").count() == 4


DAYS = st.one_of(st.none(), st.integers(7, 60))


@settings(max_examples=10)
@given(
    ages=st.lists(
        st.tuples(
            st.integers(1, 70),
            st.lists(
                st.sampled_from(
                    ["delivered", "failed", "no_report", "queued", "unconfirmed", "pending", "submitted"]
                ),
                min_size=1,
                max_size=3,
            ),
        ),
        min_size=1,
        max_size=3,
    ),
    bodies=DAYS,
    numbers=DAYS,
    messages=DAYS,
)
def test_any_mix_of_states_and_ages_leaves_every_figure_as_it_was(ages, bodies, numbers, messages):
    receipts = None if numbers is None else max(7, numbers - 3)
    service = an_old_service(
        keep_bodies=bodies, keep_numbers=numbers, keep_receipts=receipts, keep_messages=messages
    )
    sends = [a_past_send(service, 3, days=days, ends=tuple(ends)) for days, ends in ages]
    before, counts = figures(), [send.counts() for send in sends]
    of_sends = set(SendFact.objects.values_list("send_id", "measure", "word", "code", "bucket", "messages"))
    everybody = {one.pk for send in sends for one in messages_of(send).messages}
    run(service)
    assert differs() == ""
    facts.rebuild()
    assert figures() == before
    assert (
        set(SendFact.objects.values_list("send_id", "measure", "word", "code", "bucket", "messages"))
        == of_sends
    )
    assert [send.counts() for send in sends] == counts
    assert {one.pk for send in sends for one in messages_of(send).messages} == everybody
    assert run(service).counts == {}, "a second run finds nothing to do"


def test_archives_are_found_by_number_and_ids_and_shown_as_before():
    service = an_old_service(keep_messages=30)
    send = a_past_send(service, days=31, content="Hi $(number)")
    stories = {}
    for one in send.messages.order_by("pk"):
        stories[one.pk] = story_of(service, one.pk)
    run(service)
    assert not send.messages.exists()
    assert not Receipt.objects.filter(service=service).exists()
    assert SendKeeping.objects.get(pk=send.pk).archived_at
    for pk, before in stories.items():
        after = story_of(service, pk)
        assert after.archived
        for name in (
            "msisdn",
            "text",
            "state",
            "code",
            "provider_id",
            "posted_at",
            "final_at",
            "segments_billed",
            "row",
        ):
            assert getattr(after.message, name) == getattr(before.message, name), name
        assert [bytes(one.raw) for one in after.receipts] == [bytes(one.raw) for one in before.receipts]
        assert {one.verdict for one in after.clicks.values()} == {
            one.verdict for one in before.clicks.values()
        }
        ours = archive.history_of and before.message
        for text in (ours.msisdn, ours.provider_id):
            assert [one.pk for one in find_messages(service, text).messages] == [pk]
    assert len(messages_of(send, page=2).messages) == 3
    assert [one.state for one in messages_of(send, SendMessageSelection(state="failed")).messages] == [
        "failed"
    ]
    verdicts = list(archive.verify(service.pk))
    assert [one.broken for one in verdicts] == [""]
    assert verdicts[0].messages == 4


def test_archives_are_rewritten_when_their_own_days_are_over(folder):
    service = an_old_service(keep_messages=10)
    send = a_past_send(service, days=15, content="Hi $(number)")
    number = send.messages.first().msisdn
    run(service)
    before = Archive.objects.get()
    Service.objects.filter(pk=service.pk).update(keep_numbers=12, keep_receipts=12, keep_bodies=12)
    run(service)
    after = Archive.objects.get()
    assert after.name != before.name
    assert [path.name for path in folder.rglob("*.tda")] == [after.name.split("/")[1]], "the old file is gone"
    (found,) = find_messages(service, number).messages
    assert is_hidden(found.msisdn)
    assert found.text == ""
    assert run(service).counts == {}
    assert not next(archive.verify(service.pk)).broken


def test_what_changed_after_it_was_written_stays_in_the_ledger():
    service = an_old_service(keep_messages=10)
    send = a_past_send(service, days=15, ends=("delivered",))
    ids = list(send.messages.order_by("pk").values_list("pk", flat=True))
    made = archive.make(
        service, [ids[:2], ids[2:]], posted_until=timezone.now(), gone=archive.StripRule(), rest=no_rest
    )
    late = send.messages.get(pk=ids[3])
    told(late, service, at=timezone.now())
    assert archive.move(made, rest=no_rest) == 2
    assert list(send.messages.order_by("pk").values_list("pk", flat=True)) == ids[2:]
    assert [one.pk for one in messages_of(send).messages] == ids
    assert not next(archive.verify(service.pk)).broken
    assert differs() == ""
    run(service)
    assert not send.messages.exists()
    assert [one.pk for one in messages_of(send).messages] == ids


def test_a_damaged_or_missing_file_is_named_and_breaks_no_page(folder):
    service = an_old_service(keep_messages=10)
    send = a_past_send(service, days=15)
    number = send.messages.first().msisdn
    run(service)
    (path,) = folder.rglob("*.tda")
    whole = path.read_bytes()
    path.write_bytes(whole[:-3] + b"abc")
    archive.read.forget_blocks()
    with pytest.raises(Exception, match="1 of 1 archives do not hold"):
        call_command("verify_archives", stderr=io.StringIO())
    found = find_messages(service, number)
    assert found.messages == []
    assert "not as it was written" in found.problem
    path.unlink()
    assert "cannot be read here" in find_messages(service, number).problem
    path.write_bytes(whole)
    out = io.StringIO()
    call_command("verify_archives", stdout=out)
    assert "All 1 archives hold: 4 messages." in out.getvalue()


def test_nothing_of_an_archive_can_be_read_from_its_file_alone(folder):
    service = an_old_service(keep_messages=10)
    send = a_past_send(service, days=15, content="Meet me at noon")
    number = send.messages.first().msisdn
    run(service)
    (path,) = folder.rglob("*.tda")
    for secret in (number[1:], "noon", "203.0.113.9"):
        assert secret.encode() not in path.read_bytes()
    assert Archive.objects.get().key, "and the key is in the database, sealed with FIELD_KEYS"
    assert Send.objects.get(pk=send.pk).keeping.archived_at
