"""What decides whose message goes, when, with whom, and whether at all."""

import itertools
import json
import random
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from sms import dispatch
from sms.audiences.files import Limits, read_pasted
from sms.dispatch.claim import WINDOW, Owner, claim
from sms.models import AuditEvent, Hold, Lane, Message, OptOut, Send, SendState, Slice
from sms.sends import control, holds
from tests.support.dispatching import back_in_time, release, states
from tests.support.provider import Provider, accepted, raw_reply, refused
from tests.support.sends import BY, PROVED, a_send, a_service

pytestmark = pytest.mark.django_db


# --- lanes and fairness in claims ---------------------------------------------------------------------------------------
def test_an_urgent_slice_is_claimed_before_older_ones_and_sends_take_turns():
    service = a_service()
    large = a_send(service, 1200, lane=Lane.BULK)
    other = a_send(service, 1, lane=Lane.BULK)
    urgent = a_send(service, 1, lane=Lane.URGENT)
    assert [lease.send_id for lease in claim(owner=Owner("one"), limit=3)] == [urgent.pk, large.pk, other.pk]


def test_only_lanes_before_mine_are_asked_for():
    service = a_service()
    a_send(service, 1)
    assert claim(owner=Owner("one"), limit=1, before_lane=Lane.NORMAL) == []
    urgent = a_send(service, 1, lane=Lane.URGENT)
    assert [lease.send_id for lease in claim(owner=Owner("one"), limit=1, before_lane=Lane.NORMAL)] == [
        urgent.pk
    ]


# --- batches ------------------------------------------------------------------------------------------------------------
def accepted_all(body: dict):
    return accepted(body)


def personal(count: int):
    rows = "\n".join(f"+44771{index:07d},Name {index}" for index in range(count))
    return read_pasted(f"number,Name\n{rows}", country="GB", limits=Limits())


def test_messages_with_one_text_share_requests_with_one_number_and_id_each():
    provider, send = Provider(), a_send(a_service(batch_size=50), 120)
    provider.dispatch()
    assert states(send) == {"queued": 120}
    assert sorted(len(body["to"]) for body in provider.bodies) == [20, 50, 50]
    entries = [entry for body in provider.bodies for entry in body["to"]]
    assert all(len(entry["msisdn"]) == 1 for entry in entries)
    assert len({entry["correlationId"] for entry in entries}) == 120


@pytest.mark.parametrize(("form", "token"), [("parentheses", "$(p1)"), ("braces", "${p1}")])
def test_a_personal_text_is_batched_with_the_pattern_and_each_ones_values_where_filling_is_proved(
    form, token
):
    provider = Provider()
    service = a_service(batch_size=10, **PROVED | {"inline_values": form})
    send = a_send(service, audience=personal(10), content="Hi $(name), $( Name ) and $(name)!")
    provider.dispatch()
    (body,) = provider.bodies
    assert body["content"] == {"type": "text", "text": f"Hi {token}, {token} and {token}!"}, (
        "one spelling for the provider"
    )
    assert [entry["substitutions"] for entry in body["to"]] == [
        {"p1": f"Name {index}"} for index in range(10)
    ]
    assert Message.objects.filter(send=send, text="Hi Name 7, Name 7 and Name 7!").count() == 1


def test_an_expiry_is_reported_to_the_provider_once_it_is_near_enough():
    service, provider = a_service(), Provider()
    soon, far = timezone.now() + timedelta(hours=1), timezone.now() + timedelta(days=8)
    a_send(service, expires_at=soon)
    a_send(service, expires_at=far)
    provider.dispatch()
    told = [body.get("expireAt") for body in provider.bodies]
    assert [one[:19] for one in told if one] == [soon.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")]
    assert None in told


def test_a_refused_batch_is_bisected_until_only_the_bad_one_fails():
    bad = "447710000037"

    def answer(body):
        if any(entry["msisdn"] == [bad] for entry in body["to"]):
            return refused("7102")
        return accepted(body)

    provider = Provider(answer)
    send = a_send(a_service(batch_size=100), 100)
    provider.dispatch()
    assert states(send) == {"queued": 99, "failed": 1}
    assert Message.objects.get(send=send, state="failed").msisdn == f"+{bad}"
    taken = Counter(
        entry["msisdn"][0]
        for body in provider.bodies
        for entry in body["to"]
        if not any(other["msisdn"] == [bad] for other in body["to"])
    )
    assert set(taken.values()) == {1}, "nobody was in two requests that were taken"


@pytest.mark.parametrize(("named", "state"), [(3, "queued"), (2, "unconfirmed"), (1, "unconfirmed")])
def test_a_batch_is_accepted_only_where_a_listed_reply_names_all_of_it(named, state):
    listed = [{"messageId": f"m-{number}", "status": "queued"} for number in range(named)]
    provider = Provider(lambda body: raw_reply(201, json.dumps(listed).encode()))
    send = a_send(a_service(batch_size=3), 3)
    provider.dispatch()
    assert states(send) == {state: 3}
    assert len(provider.bodies) == 1, "what may have been taken is not posted again"


def test_an_unconfirmed_batch_is_never_cut_up():
    provider = Provider(lambda body: raw_reply(500))
    send = a_send(a_service(batch_size=40), 40)
    provider.dispatch()
    assert states(send) == {"unconfirmed": 40}
    assert sum(1 for body in provider.bodies if body) == 1


def test_a_throttled_batch_goes_back_whole():
    answers = iter([refused("7020")])
    provider = Provider(lambda body: next(answers, None) or accepted(body))
    send = a_send(a_service(batch_size=20), 20)
    provider.dispatch()
    assert states(send) in ({"pending": 20}, {"queued": 20})
    release(send)
    provider.another_process()
    assert states(send) == {"queued": 20}
    assert set(Message.objects.filter(send=send).values_list("attempt", flat=True)) == {2}


# --- stop, hold, opt-out ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("what", ["send", "sender", "service"])
def test_what_is_held_is_not_posted_and_goes_on_where_it_stopped(what):
    service, provider = a_service(), Provider()
    send = a_send(service, 5)
    if what == "service":
        assert control.pause_everything(service, by=BY, because="a mistake in the text")
    else:
        held = holds.hold(send if what == "send" else send.sender, by=BY, because="a mistake in the text")
        assert holds.hold(send if what == "send" else send.sender, by=BY, because="again") == held
    provider.dispatch()
    assert provider.bodies == []
    assert dispatch.due_within(60) is None, "nothing is due while it is held"
    if what == "service":
        assert control.resume_service(service, by=BY)
    else:
        assert holds.lift(held, by=BY)
        assert not holds.lift(held, by=BY)
    provider.dispatch()
    assert states(send) == {"queued": 5}
    acts = list(
        AuditEvent.objects.filter(act__regex=r"paused|resumed").order_by("id").values_list("act", flat=True)
    )
    assert acts == [f"{what}.paused", f"{what}.resumed"]


def test_another_sender_is_not_held():
    service, provider = a_service(), Provider()
    send = a_send(service, 2)
    other = service.senders.create(address="OTHER", kind="alphanumeric")
    holds.hold(other, by=BY, because="its number is being moved")
    provider.dispatch()
    assert states(send) == {"queued": 2}


def test_stopping_a_sender_cancels_every_send_from_it():
    service = a_service()
    sends = [a_send(service, 3), a_send(service, 4)]
    assert control.stop(service.senders.get(), by=BY) == 7
    assert {send.state for send in Send.objects.filter(pk__in=[one.pk for one in sends])} == {
        SendState.CANCELLED
    }


def test_an_opt_out_after_the_claim_is_respected():
    service, provider = a_service(), Provider()
    send = a_send(service, 3)
    OptOut.objects.create(service=service, msisdn="+447710000001", source="inbound")
    provider.dispatch()
    assert states(send) == {"queued": 2, "cancelled": 1}
    assert "447710000001" not in provider.numbers
    assert Message.objects.get(send=send, state="cancelled").code == "opted_out"


# --- quiet hours ----------------------------------------------------------------------------------------------------------
def test_no_one_is_written_to_at_night_and_the_slice_comes_back_in_the_morning():
    service, provider = a_service(quiet_hours=_around_now("Europe/London")), Provider()
    send = a_send(service, 3)
    provider.dispatch()
    assert provider.bodies == []
    assert states(send) == {"pending": 3}
    item = Slice.objects.get(send=send)
    assert not item.owner
    assert timedelta(minutes=30) < item.due_at - timezone.now() < timedelta(minutes=130)


def test_a_column_says_where_each_recipient_is():
    service, provider = a_service(quiet_hours=_around_now("Europe/London")), Provider()
    audience = read_pasted(
        "number,time zone\n+447710000001,Asia/Tokyo\n+447710000002,\n+447710000003,Mars/Base",
        country="GB",
        limits=Limits(),
    )
    send = a_send(service, audience=audience)
    provider.dispatch()
    assert provider.numbers == ["447710000001"]
    assert send.rejected == 1
    assert "Mars/Base" in send.rejects.get().reason


def test_a_code_may_ignore_quiet_hours():
    service, provider = a_service(quiet_hours=_around_now("Europe/London")), Provider()
    send = a_send(service, 1, respect_quiet_hours=False)
    provider.dispatch()
    assert states(send) == {"queued": 1}


def _around_now(zone: str) -> str:
    import zoneinfo

    here = datetime.now(zoneinfo.ZoneInfo(zone))
    return f"{here - timedelta(hours=1):%H:%M}-{here + timedelta(hours=1):%H:%M}"


# --- ramp and rules -------------------------------------------------------------------------------------------------------
def deliver(send, *, failed: int = 0) -> None:
    """Final receipts for everything that the provider has."""
    from sms.ledger import states as ledger_states
    from sms.ledger.counters import CounterDeltas
    from sms.ledger.state_machine import StateChange

    with transaction.atomic():
        deltas = CounterDeltas()
        rows = list(Message.objects.filter(send=send, state="queued").order_by("pk"))
        news = [
            StateChange(
                row.pk,
                "failed" if index < failed else "delivered",
                timezone.now(),
                code="7203" if index < failed else "7500",
            )
            for index, row in enumerate(rows)
        ]
        ledger_states.apply(news, deltas=deltas)
        deltas.write()


def test_a_ramp_goes_on_stage_by_stage_once_the_last_one_was_delivered():
    service, provider = a_service(), Provider()
    send = a_send(service, 1000, ramp=True)
    seen = []
    for _ in range(3):
        provider.dispatch()
        seen.append(len(provider.bodies))
        assert dispatch.watch() == 0, "not before the receipts are in"
        deliver(send)
        dispatch.watch()
    assert seen == [10, 100, 1000]
    assert states(send) == {"delivered": 1000}
    assert Send.objects.get(pk=send.pk).state == SendState.FINISHED


def test_a_stage_that_fails_holds_the_send_and_resuming_overrules_the_rule():
    service, provider = a_service(hold_failures=60), Provider()
    send = a_send(service, 1000, ramp=True)
    provider.dispatch()
    deliver(send, failed=3)
    assert dispatch.watch() == 1
    held = Hold.objects.get(send=send)
    assert (held.rule, held.facts["failed"], held.facts["posted"]) == ("failures", 3, 10)
    assert "30 %" in held.because
    assert dispatch.watch() == 0
    holds.lift(held, by=BY)
    dispatch.watch()
    provider.dispatch()
    assert len(provider.bodies) == 100
    assert Hold.objects.filter(send=send).count() == 1


def test_a_send_is_held_when_too_many_have_no_receipt_or_opted_out():
    service, provider = a_service(rate=100_000, hold_silence=50, hold_opt_outs=5), Provider()
    send = a_send(service, 1000)
    provider.dispatch()
    Slice.objects.filter(send=send).update(done=False, due_at=timezone.now() + timedelta(hours=1))
    Send.objects.filter(pk=send.pk).update(state=SendState.SENDING)
    assert dispatch.watch() == 0
    back_in_time(send, timedelta(minutes=11))
    assert dispatch.watch() == 1
    silence = Hold.objects.get(send=send)
    assert silence.rule == "silence"
    holds.lift(silence, by=BY)
    for index in range(60):
        OptOut.objects.create(service=service, msisdn=f"+44771{index:07d}", source="inbound", send=send)
    assert dispatch.watch() == 1
    assert Hold.objects.active().get(send=send).rule == "opt_outs"


def test_a_small_send_is_not_judged():
    service, provider = a_service(), Provider()
    send = a_send(service, 5)
    provider.dispatch()
    deliver(send, failed=5)
    Slice.objects.filter(send=send).update(done=False)
    Send.objects.filter(pk=send.pk).update(state=SendState.SENDING)
    assert dispatch.watch() == 0


# --- one service never stops another ------------------------------------------------------------------------------------
def test_a_service_whose_key_cannot_be_read_is_paused_and_the_others_go_on():
    from django.db import connection

    broken, fine, provider = a_service(slug="broken", name="Broken"), a_service(), Provider()
    stuck, send = a_send(broken, 2), a_send(fine, 2)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE sms_service SET api_key = 'gAAAAA-not-ours' WHERE id = %s", [broken.pk])
    provider.dispatch()
    assert states(send) == {"queued": 2}
    assert states(stuck) == {"pending": 2}
    from sms.models import Service

    paused = Service.objects.only("paused_because").get(pk=broken.pk)
    assert "FIELD_KEYS" in paused.paused_because


def test_services_share_the_posters_fairly():
    services = [a_service(slug=f"s{index}", name=f"S{index}") for index in range(3)]
    sends = [a_send(service, 200) for service in services]
    order: list[str] = []

    def answer(body):
        order.append(body["notifyUrl"])
        return accepted(body)

    Provider(answer).dispatch()
    assert [states(send) for send in sends] == [{"queued": 200}] * 3
    first = Counter(order[:240])
    assert min(first.values()) >= 40, "each had its share from the beginning"


def test_random_provider_trouble_never_loses_or_repeats_a_message():
    rng = random.Random(7)
    taken: Counter[str] = Counter()

    def answer(body):
        if not body:
            return refused("7003")
        roll = rng.random()
        if roll < 0.1:
            return raw_reply(429, headers={"Retry-After": "0"})
        if roll < 0.2:
            return refused("7020")
        for entry in body["to"]:
            taken[entry["correlationId"].split("-")[0]] += 1
        return raw_reply(500) if roll < 0.23 else accepted(body)

    send = a_send(a_service(batch_size=7), 300)
    for _ in range(60):  # throttling makes it pause; here the pauses are skipped
        Provider(answer).dispatch()
        release(send)
        if set(states(send)) <= {"queued", "unconfirmed"}:
            break
    assert set(states(send)) <= {"queued", "unconfirmed"}
    assert len(taken) == 300
    assert set(taken.values()) == {1}
    assert json.dumps(states(send))


def test_a_service_whose_provider_hangs_does_not_hold_up_another():
    hanging, fine = a_service(slug="hanging", name="Hanging"), a_service()
    stuck, send = a_send(hanging, 60), a_send(fine, 60)
    all_answered, in_time = threading.Event(), []
    answered = itertools.count(1)

    def answer(body):
        if f"/{hanging.receipt_token}/" in body["notifyUrl"]:
            in_time.append(all_answered.wait(60))
            return raw_reply(500)
        if next(answered) == 60:
            all_answered.set()
        return accepted(body)

    Provider(answer).dispatch(clients=24)
    assert states(send) == {"queued": 60}
    assert in_time and all(in_time), "it waited for the one that hangs"
    assert states(stuck)["unconfirmed"] <= 24 + 3


def test_a_paced_request_does_not_wait_for_the_answer_to_the_one_before():
    send = a_send(a_service(rate=20), 4)
    all_begun, in_time = threading.Event(), []
    begun = itertools.count(1)

    def answer(body):
        if next(begun) == 4:
            all_begun.set()
        in_time.append(all_begun.wait(20))
        return accepted(body)

    Provider(answer).dispatch()
    assert states(send) == {"queued": 4}
    assert in_time == [True] * 4


@pytest.mark.parametrize(("answers", "most"), [(True, 24), (False, 8)])
def test_posters_become_more_while_a_slow_provider_answers_and_not_while_it_hangs(answers, most):
    lock, now, widest = threading.Lock(), 0, 0

    def answer(body):
        nonlocal now, widest
        with lock:
            now += 1
            widest = max(widest, now)
        time.sleep(0.15 if answers else 1.5)
        with lock:
            now -= 1
        return accepted(body) if answers else raw_reply(500)

    send = a_send(a_service(), 240)
    Provider(answer).dispatch(clients=24)
    assert widest == most
    if not answers:
        assert states(send)["unconfirmed"] <= 8 + 3


# --- Crowds and locks -----------------------------------------------------------------------------------------------------
def test_a_crowd_of_small_sends_costs_no_watch(django_assert_max_num_queries):
    service = a_service()
    for _ in range(8):
        a_send(service)
    Send.objects.update(state="sending")
    with django_assert_max_num_queries(3):  # beside the sends, what time it is by the database
        dispatch.watch()


def test_a_claim_looks_beyond_the_window_that_one_large_send_fills():
    service = a_service()
    large, small = a_send(service, 1), a_send(service, 1)
    one = large.slices.get()
    Slice.objects.filter(send=small).update(due_at=one.due_at + timedelta(milliseconds=1))
    same = {"send": large, "service": service, "first_id": one.first_id, "last_id": one.last_id}
    Slice.objects.bulk_create(Slice(**same, due_at=one.due_at, lane=one.lane) for _ in range(WINDOW + 5))
    leases = claim(owner=Owner("d"), limit=1, working_on={large.pk})
    assert [lease.send_id for lease in leases] == [small.pk]


def test_a_stage_does_not_wait_for_what_was_put_off_until_morning():
    send = a_send(a_service(), 1000, ramp=True)
    Provider().dispatch()
    deliver(send)
    open_one = Slice.objects.filter(send=send, stage=0)
    open_one.update(done=False, due_at=timezone.now() + timedelta(seconds=30))
    dispatch.watch()
    assert Send.objects.get(pk=send.pk).stage == 0, "a short trouble is waited for"
    open_one.update(due_at=timezone.now() + timedelta(hours=7))
    dispatch.watch()
    assert Send.objects.get(pk=send.pk).stage == 1


@pytest.mark.postgresql
def test_a_run_locks_opt_outs_before_it_locks_messages():
    """Folding does, and would wait for it for ever otherwise."""
    a_send(a_service(), 600)
    with CaptureQueriesContext(connection) as captured:
        Provider().dispatch(clients=4)
    messages_first, armed = False, 0
    for sql in (query["sql"] for query in captured):
        if sql.startswith(("SAVEPOINT", "RELEASE")):
            messages_first = False
        elif "pg_advisory_xact_lock_shared" in sql:
            assert not messages_first, sql
            armed += 1
        elif 'UPDATE "sms_message"' in sql or "UPDATE sms_message" in sql:
            messages_first = True
    assert armed > 1
