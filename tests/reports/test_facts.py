"""Facts equal the ledger, whatever happened to messages and in whichever order."""

import io
import secrets
from datetime import UTC, datetime, timedelta
from math import ceil

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Sum
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from sms import reports
from sms.compose.options import asking_for
from sms.inbound import optouts
from sms.inbound.clicks import counts
from sms.inbound.optouts import Refusal
from sms.ledger import states
from sms.ledger.counters import CounterDeltas
from sms.ledger.state_machine import StateChange
from sms.models import (
    Click,
    Fact,
    FactDelta,
    Message,
    Price,
    Receipt,
    Receipts,
    ReportedSend,
    SendFact,
    ShortLinkDomain,
)
from sms.models.sql.messages import Acceptance
from sms.reports import facts
from sms.sends.cancel import cancel
from sms.values import histogram
from tests.support.sends import BY, a_send, a_service

pytestmark = pytest.mark.django_db
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

STEPS = st.one_of(
    st.tuples(st.just("arm"), st.integers(0, 1), st.integers(0, 9000)),
    st.tuples(st.just("accept"), st.integers(0, 1), st.integers(0, 9000)),
    st.tuples(st.just("back"), st.integers(0, 1), st.integers(0, 9000)),
    st.tuples(
        st.sampled_from(
            ["unconfirmed", "queued", "submitted", "failed", "delivered", "no_report", "expired"]
        ),
        st.integers(0, 1),
        st.integers(-50, 9000),
        st.sampled_from(["", "o2", "ee"]),
        st.sampled_from([None, 1, 3]),
    ),
    st.tuples(st.just("click"), st.integers(0, 1), st.integers(0, 9000)),
    st.sampled_from([("cancel",), ("fold",)]),
    st.tuples(st.just("opt_out"), st.integers(0, 1)),
)


def differs() -> str:
    _, found = facts.compare()
    return str(found or "")


def play(step, send, ids) -> None:
    kind, at = step[0], START + timedelta(seconds=step[2] if len(step) > 2 else 0)
    deltas = CounterDeltas()
    if kind == "arm":
        states.arm([ids[step[1]]], at=at, deltas=deltas)
    elif kind == "accept":
        attempt = Message.objects.get(pk=ids[step[1]]).attempt
        states.accept([Acceptance(ids[step[1]], attempt, "p")], at=at, deltas=deltas)
    elif kind == "back":
        attempt = Message.objects.get(pk=ids[step[1]]).attempt
        states.apply(
            [StateChange(ids[step[1]], "pending", at, attempt=attempt, returned=True)], deltas=deltas
        )
    elif kind == "click":
        receipt = Receipt.objects.create(
            service=send.service,
            message_id=ids[step[1]],
            raw=b"{}",
            dedupe=secrets.token_bytes(16),
            received_at=at,
        )
        states.apply([StateChange(ids[step[1]], "delivered", at)], deltas=deltas)
        Click.objects.create(message_id=ids[step[1]], receipt=receipt, url="https://x.test/", at=at)
        counts.judge_messages([ids[step[1]]])
    elif kind == "cancel":
        cancel(send, by=BY)
    elif kind == "fold":
        facts.fold()
    elif kind == "opt_out":
        number = Message.objects.get(pk=ids[step[1]]).msisdn
        optouts.opt_out(send.service_id, [Refusal(number, "", send.pk)], by=BY, source="page")
    else:
        code = "7203" if kind == "failed" else ""
        states.apply(
            [StateChange(ids[step[1]], kind, at, code=code, carrier=step[3], segments=step[4])], deltas=deltas
        )
    deltas.write()


@settings(max_examples=60)
@given(steps=st.lists(STEPS, min_size=3, max_size=20), posted=st.booleans())
def test_facts_equal_the_ledger_after_any_changes(steps, posted):
    service = a_service(slug=secrets.token_hex(8))
    send = a_send(service, 3)
    ids = list(send.messages.order_by("pk").values_list("pk", flat=True))
    for step in [("arm", index, 0) for index in range(3) if posted] + steps:
        play(step, send, ids)
    assert differs() == ""
    told = dict(
        SendFact.objects.filter(send_id=send.pk, measure="state")
        .values_list("word")
        .annotate(Sum("messages"))
    )
    assert told == send.counts()


def a_busy_send(count: int = 24, **changes):
    """Some delivered, some failed, one waiting."""
    send = a_send(a_service(slug=secrets.token_hex(8)), count, **changes)
    ids = list(send.messages.order_by("pk").values_list("pk", flat=True))
    deltas = CounterDeltas()
    states.arm(ids[:-1], at=send.created_at + timedelta(seconds=2), deltas=deltas)
    at = send.created_at + timedelta(seconds=4)
    states.apply(
        [StateChange(pk, "delivered", at, carrier="o2", segments=2) for pk in ids[:-3]], deltas=deltas
    )
    states.apply([StateChange(pk, "failed", at, code="7203") for pk in ids[-3:-1]], deltas=deltas)
    deltas.write()
    return send


def figures() -> set[tuple]:
    names = [field.name for field in Fact._meta.concrete_fields if not field.primary_key]
    return set(Fact.objects.values_list(*names))


def test_what_folding_made_and_what_rebuilding_makes_are_the_same():
    a_busy_send()
    optouts.opt_out(a_service(slug="other").pk, [Refusal("+447710000000")], by=BY, source="page")
    facts.fold()
    folded = figures()
    facts.rebuild()
    assert figures() == folded
    assert set(Fact.objects.values_list("measure", flat=True)) == {
        "state",
        "wait",
        "deliver",
        "opt_out",
        "posted",
    }


def test_how_long_messages_waited_is_kept_of_a_whole_service_alone():
    a_busy_send(30)
    facts.fold()
    assert set(Fact.objects.filter(measure="wait").values_list("cut", flat=True)) == {Fact.Cut.WHOLE}
    assert set(SendFact.objects.values_list("measure", flat=True)) == {"state", "deliver", "posted"}
    # a row too many is a difference, and gone with the next rebuild
    old = Fact.objects.filter(measure="deliver", cut=Fact.Cut.PROFILE).first()
    old.pk, old.measure = None, "wait"
    old.save()
    assert "by the ledger it is 0" in differs()
    facts.rebuild()
    assert not Fact.objects.filter(measure="wait", cut=Fact.Cut.PROFILE).exists()


def test_folding_in_small_parts_comes_to_the_same():
    for _ in range(3):
        a_busy_send(3)
    waiting = FactDelta.objects.count()
    assert facts.fold(at_once=2) == waiting
    folded = figures()
    facts.rebuild()
    assert figures() == folded
    assert not FactDelta.objects.exists()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (
            lambda send: Fact.objects.filter(word="delivered").update(messages=5),
            "messages is 5, by the ledger it is 21",
        ),
        (lambda send: Fact.objects.filter(measure="deliver").delete(), "measure deliver"),
        (lambda send: SendFact.objects.filter(word="failed").delete(), "sms_sendfact"),
        (lambda send: Message.objects.filter(state="failed").update(country="FR"), "country FR"),
        (
            lambda send: FactDelta.objects.create(
                send_id=send.pk, measure="state", word="pending", messages=1
            ),
            "pending",
        ),
    ],
)
def test_the_first_difference_is_named(spoil, said):
    send = a_busy_send()
    facts.fold()
    call_command("check_facts", stdout=io.StringIO())
    spoil(send)
    with pytest.raises(CommandError, match="Facts and ledger differ") as told:
        call_command("check_facts", stdout=io.StringIO())
    assert said in str(told.value)
    said = io.StringIO()
    call_command(
        "rebuild_facts", verbosity=0, stdout=said
    )  # as `manage.py prepare` asks for it at a first start
    assert said.getvalue() == ""
    call_command("rebuild_facts", stdout=said)
    assert "messages in" in said.getvalue()
    call_command("check_facts", stdout=io.StringIO())


def test_facts_stay_when_messages_go():
    send = a_busy_send(name="Spring")
    facts.fold()
    before = figures()
    ids = list(send.messages.order_by("pk").values_list("pk", flat=True))
    facts.keep(ids[0], ids[-1])
    send.messages.all().delete()
    assert differs() == ""
    facts.rebuild()
    assert figures() == before
    assert ReportedSend.objects.get(pk=send.pk).name == "Spring"


def test_clicks_go_where_their_message_goes():
    send = a_send(a_service(slug="clicked"), 1)
    (pk,) = send.messages.values_list("pk", flat=True)
    for step in [
        ("arm", 0, 0),
        ("submitted", 0, 2, "", None),
        ("click", 0, 60),
        ("delivered", 0, 5, "o2", 1),
    ]:
        play(step, send, [pk])
    assert differs() == ""
    carriers = Fact.objects.filter(measure="click", cut=Fact.Cut.PLACE, grain="d").values_list(
        "carrier", "amount"
    )
    assert list(carriers) == [("o2", 1)]


@given(st.lists(st.floats(0.012, 500_000), min_size=1, max_size=60), st.sampled_from([0.5, 0.95, 0.99]))
def test_a_percentile_is_at_most_five_percent_off(seconds, share):
    counts: dict[int, int] = {}
    for one in seconds:
        number = histogram.bucket(START + timedelta(seconds=one), START)
        counts[number] = counts.get(number, 0) + 1
    true = sorted(seconds)[max(ceil(share * len(seconds)) - 1, 0)]
    read = histogram.percentile(counts, share)
    assert read is not None
    assert abs(read - true) <= histogram.ERROR * true + 0.001
    assert histogram.ERROR < 0.05


@pytest.mark.parametrize(
    ("options", "measured"),
    [
        (asking_for(), True),
        (asking_for(tag1="spring"), True),
        (asking_for(track_clicks=False), False),
        (asking_for(receipts=Receipts.DELIVERED | Receipts.FAILED), False),
    ],
)
def test_clicks_of_a_send_that_asks_for_none_are_not_measurable(options, measured):
    shop = a_service()
    domain = ShortLinkDomain.objects.create(
        service=shop, host="go.example.test", region=shop.region, state="healthy", checked_at=timezone.now()
    )
    send = a_send(shop, link_domain=domain, options=options)
    deltas = CounterDeltas()
    states.arm(list(send.messages.values_list("pk", flat=True)), at=timezone.now(), deltas=deltas)
    deltas.write()
    facts.fold()
    today = send.due_at.date()
    for by in ("day", "send", "domain"):
        made = reports.report(
            reports.ReportQuery(shop.pk, shop.facts_clock, today, today + timedelta(days=1), by=by)
        )
        assert made.total.clicks_measurable is measured
        assert made.lines[0].figures.clicks_measurable is measured, by


def test_a_year_in_blocks_and_days_comes_to_the_same_as_in_days():
    """Each day once, whichever way its end meets those of blocks, and cost as segments times price."""
    shop = a_service()
    Price.objects.create(service=shop, country="GB", amount="0.04", currency="EUR")
    start = datetime(2026, 1, 5, 9, tzinfo=UTC)
    for number in range(0, 90, 7):
        made = a_send(shop, 1 + number % 3)
        deltas = CounterDeltas()
        keys = list(made.messages.values_list("pk", flat=True))
        states.arm(keys, at=start + timedelta(days=number), deltas=deltas)
        deltas.write()
    facts.fold()
    for first, last in ((0, 89), (3, 70), (10, 45), (0, 31), (20, 21)):
        since, until = (start + timedelta(days=days) for days in (first, last))
        asked = {"since": since.date(), "until": until.date()}
        by_day = reports.report(reports.ReportQuery(shop.pk, shop.facts_clock, **asked)).total
        by_sender = reports.report(reports.ReportQuery(shop.pk, shop.facts_clock, **asked, by="sender")).total
        by_country = reports.report(
            reports.ReportQuery(shop.pk, shop.facts_clock, **asked, by="country")
        ).total
        expected = Message.objects.filter(
            posted_at__gte=since.replace(hour=0), posted_at__lt=until.replace(hour=0) + timedelta(days=1)
        ).count()
        assert (by_day.posted, by_sender.posted, by_country.posted) == (expected,) * 3
        assert (
            by_day.money == by_sender.money == ([("EUR", pytest.approx(0.04 * expected))] if expected else [])
        )
