"""What receipts did not tell: no report after 72 hours, minutes that look incomplete; replay and import; and order that never matters."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sms.inbound import receipts
from sms.inbound.receipts import NotAnExport, gaps, import_export, note_silence, replay
from sms.inbound.receipts.inbox import insert
from sms.inbound.receipts.incoming import Incoming
from sms.inbound.receipts.silence import find_gaps
from sms.ledger.counters import window_of
from sms.models import Message, Receipt, ReceiptInbox, StateCount
from sms.values import correlation_id
from tests.support.jobs import run_chores
from tests.support.provider import Provider
from tests.support.receipts import post, posted_message, receipt
from tests.support.sends import a_send, a_service

pytestmark = pytest.mark.django_db
KINDS = {
    "7501": "Submitted",
    "7500": "Delivered",
    "7203": "Un-Delivered",
    "7002": "Failed",
    "7504": "Clicked",
    "9999": "Dreamt",
}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(codes=st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=6), seed=st.integers(0, 2**32 - 1))
def test_any_permutation_and_repetition_of_a_messages_receipts_ends_alike(codes, seed):
    chance = random.Random(seed)
    service = a_service(slug=f"s{Message.objects.count()}-{chance.getrandbits(60):x}")
    send = a_send(service, 2)
    Provider().dispatch()
    ends = []
    for message in send.messages.order_by("pk"):
        name = correlation_id.write(message_id=message.pk, attempt=1, key=service.correlation_key)
        told = [
            receipt(
                name,
                code=code,
                status=KINDS[code],
                transid="same",
                info={"timeStamp": f"2026-03-02T09:15:{10 + at:02d}.000Z", "additionalInfo": f"agent {at}"},
            )
            for at, code in enumerate(codes)
        ]
        if ends:
            told = told * 2
            chance.shuffle(told)
        for raw in told:
            insert(
                [
                    Incoming.read(
                        raw, service_id=service.pk, key=service.correlation_key, received_at=timezone.now()
                    )
                ]
            )
            if chance.random() < 0.5:
                receipts.fold()
        receipts.fold()
        message.refresh_from_db()
        ends.append((message.state, message.code, message.submitted_at, message.final_at))
    assert ends[0] == ends[1]
    assert sum(send.counts().values()) == 2
    assert not any(count < 0 for count in send.counts().values())


@pytest.mark.parametrize("order", [("7203", "7500"), ("7500", "7203")])
def test_delivered_and_failed_both_reported_is_a_conflict_that_shows(order):
    service = a_service()
    message, name = posted_message(service)
    for code in order:
        post(service, receipt(name, code=code, status=KINDS[code]))
        receipts.fold()
    message.refresh_from_db()
    assert (message.state, message.detail) == ("delivered", "Also reported failed, code 7203.")


def test_after_72_hours_without_an_end_there_is_no_report_and_a_late_receipt_upgrades_it():
    service = a_service()
    send = a_send(service, 3)
    Provider().dispatch()
    first, second, third = send.messages.order_by("pk")
    names = {
        message.pk: correlation_id.write(message_id=message.pk, attempt=1, key=service.correlation_key)
        for message in (first, second, third)
    }
    post(service, receipt(names[first.pk]))
    post(service, receipt(names[second.pk], code="7501", status="Submitted"))
    receipts.fold()
    assert note_silence(now=timezone.now() + timedelta(hours=71)) == 0
    later = timezone.now() + timedelta(hours=72, minutes=6)
    assert note_silence(now=later, limit=1, batch=1) == 1
    assert note_silence(now=later) == 1
    assert note_silence(now=later) == 0
    assert send.counts() == {"delivered": 1, "no_report": 2}
    post(service, receipt(names[third.pk], code="7203", status="Un-Delivered"))
    receipts.fold()
    third.refresh_from_db()
    assert (third.state, third.code) == ("failed", "7203")
    assert send.counts() == {"delivered": 1, "no_report": 1, "failed": 1}


def test_counters_know_when_messages_were_posted():
    send = a_send(a_service(), 2)
    assert set(send.counters.values_list("window", flat=True)) == {0}
    Provider().dispatch()
    message = send.messages.first()
    rows = send.counters.filter(window=window_of(message.posted_at))
    assert sum(rows.filter(state="queued").values_list("delta", flat=True)) == 2
    assert sum(rows.filter(state="posting").values_list("delta", flat=True)) == 0


def test_minutes_in_which_receipts_stopped_are_found_and_reported_with_their_share():
    service = a_service()
    send = a_send(service)
    now = datetime(2026, 3, 2, 15, 30, tzinfo=UTC)
    begin = window_of(datetime(2026, 3, 2, 13, 30, tzinfo=UTC))
    for at in range(20):
        ended = 38 if at == 6 else 96
        for state, count in (("delivered", ended - 6), ("failed", 6), ("submitted", 100 - ended)):
            StateCount.objects.create(send=send, state=state, window=begin + at, delta=count)
    (gap,) = gaps(service, now=now)
    assert (f"{gap.begins:%H:%M}", f"{gap.ends:%H:%M}", gap.share, gap.usual) == ("14:00", "14:05", 38, 96)
    assert gap.missing == 58
    assert gaps(a_service(slug="other"), now=now) == []


def test_an_even_day_has_no_gap_even_where_few_arrive_and_a_long_gap_does_not_hide_itself():
    even = dict.fromkeys(range(100, 120), 50)
    assert find_gaps(even, dict.fromkeys(even, 15)) == []
    long = {window: 5 if 108 <= window < 112 else 48 for window in even}
    (gap,) = find_gaps(even, long)
    assert (gap.ends - gap.begins) == timedelta(minutes=20)
    assert find_gaps(dict.fromkeys(range(100, 120), 3), {}) == [], "three messages say nothing"


@pytest.mark.parametrize(
    ("dead", "minutes"),
    [(range(150, 162), 60), (range(150, 186), 180), (range(190, 200), 50), (range(100, 130), 150)],
    ids=["an hour", "three hours", "still going on", "from the beginning"],
)
def test_an_outage_is_one_gap_however_long(dead, minutes):
    posted = dict.fromkeys(range(100, 200), 50)
    (gap,) = find_gaps(posted, {window: 0 if window in dead else 48 for window in posted})
    assert gap.ends - gap.begins == timedelta(minutes=minutes)
    assert (gap.posted, gap.ended, gap.usual) == (50 * len(dead), 0, 96)


def test_a_day_without_any_receipt_is_a_gap_and_silence_does_not_part_two():
    (gap,) = find_gaps(dict.fromkeys(range(100, 120), 50), {})
    assert (gap.posted, gap.ended, gap.usual, gap.missing) == (1000, 0, None, 1000)
    posted = {window: 50 for window in range(100, 140) if window not in range(115, 120)}
    (gap,) = find_gaps(posted, {window: 0 if 110 <= window < 125 else 49 for window in posted})
    assert gap.ends - gap.begins == timedelta(minutes=75)


def test_the_chores_look_for_what_was_never_heard_of_again():
    send = a_send(a_service(), 1)
    Provider().dispatch()
    long_ago = timezone.now() - timedelta(hours=80)
    send.messages.update(posted_at=long_ago)
    send.counters.filter(window__gt=0).update(window=window_of(long_ago))
    run_chores()
    assert send.counts() == {"no_report": 1}


def test_replay_applies_stored_receipts_again(capsys):
    service = a_service()
    message, name = posted_message(service)
    post(service, receipt(name))
    receipts.fold()
    Message.objects.filter(pk=message.pk).update(state="queued", final_at=None)  # as if it had been misread
    call_command("replay_receipts", "--service", "shop", "--fold")
    assert "1 receipts were applied again" in capsys.readouterr().out
    message.refresh_from_db()
    assert message.state == "delivered"
    assert not ReceiptInbox.objects.exists()


def test_an_export_fills_a_gap_once(tmp_path, capsys):
    service = a_service()
    message, name = posted_message(service)
    export = (
        "\ufeffCorrelation ID;Status;Code;Time Stamp\r\n"
        f"{name};Delivered;7500;2026-03-02 09:15:07\r\n;Delivered;7500;\r\n\r\n"
    )
    path = tmp_path / "export.csv"
    path.write_text(export, encoding="utf-8")
    call_command("import_receipts", str(path), "--service", "shop")
    assert "2 rows: 1 imported, 0 known already, 1 refused" in capsys.readouterr().out
    receipts.fold()
    message.refresh_from_db()
    assert (message.state, message.final_at) == ("delivered", datetime(2026, 3, 2, 9, 15, 7, tzinfo=UTC))
    again = import_export(service, export.encode())
    assert (again.new, again.known, again.wrong) == (0, 1, [(3, "It names no message.")])


@pytest.mark.parametrize(
    ("times", "wrong"),
    [
        (["2026-03-02 09:15:07", "2026-03-02T09:15:07+01:00", "02 Mar 2026 09:15:07", ""], {}),
        (["13/04/2026 09:15:07", "03/04/2026 09:15"], {}),
        (["03/04/2026 09:15:07"], {2: "day or month first"}),
        (["13/04/2026 09:15:07", "04/13/2026 09:15:07"], {2: "day or month first", 3: "day or month first"}),
        (["soon"], {2: "cannot be read"}),
    ],
)
def test_a_time_that_can_be_meant_in_two_ways_is_refused(times, wrong):
    service = a_service()
    rows = [f"t-{number},Delivered,7500,{time}" for number, time in enumerate(times)]
    found = import_export(service, "\n".join(["transid,status,code,timestamp", *rows]).encode())
    assert (found.new, found.refused) == (len(times) - len(wrong), len(wrong))
    assert {row for row, _ in found.wrong} == set(wrong)
    assert all(wrong[row] in reason for row, reason in found.wrong)


def test_day_first_is_learnt_from_the_file():
    import_export(
        a_service(), b"transid,code,timestamp\na,7500,13/04/2026 09:15:07\nb,7500,03/04/2026 09:15:07\n"
    )
    raws = b" ".join(bytes(raw) for raw in Receipt.objects.values_list("raw", flat=True))
    assert b"2026-04-03T09:15:07" in raws


def test_replay_begins_where_the_time_does(django_assert_max_num_queries):
    service, now = a_service(), timezone.now()
    old = [Incoming(service.pk, b"%d" % n, now - timedelta(days=3)) for n in range(500)]
    insert(old)
    insert([Incoming(service.pk, b"new", now)])
    ReceiptInbox.objects.all().delete()
    with django_assert_max_num_queries(24):
        assert sum(replay(service, since=now - timedelta(hours=24), until=now + timedelta(hours=1))) == 1
    assert ReceiptInbox.objects.get().receipt.received_at == now


def test_the_payload_of_a_failed_notification_is_the_receipt_itself():
    service = a_service()
    _, name = posted_message(service)
    raw = receipt(name)
    quoted = raw.decode().replace('"', '""')
    found = import_export(service, f'Webhook,Payload\nours,"{quoted}"\n'.encode())
    assert found.new == 1
    assert bytes(Receipt.objects.get().raw) == raw
    assert post(service, raw).status_code == 200
    assert Receipt.objects.count() == 1, "what the endpoint takes in later is the same receipt"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "names the message"),
        (b"correlationid,destination\nx,y\n", "has the state"),
        (b"code,status\n7500,Delivered\n", "names the message"),
    ],
)
def test_a_file_that_is_no_export_says_what_is_missing(content, says):
    with pytest.raises(NotAnExport, match=says):
        import_export(a_service(), content)
