"""The rules that hold a send, figure by figure: just below each limit and just at it, with the sentence and the facts."""

from datetime import timedelta

import pytest
from django.utils import timezone

from sms import dispatch
from sms.dispatch.watch import broken_rules
from sms.models import AuditEvent, Hold, OptOut, Send, Slice
from tests.support.dispatching import without_receipt
from tests.support.provider import Provider, refused
from tests.support.sends import a_send, a_service

pytestmark = pytest.mark.django_db


def found(
    counts: dict[str, int],
    *,
    ramp: bool = False,
    stage: int = 0,
    silent: int = 0,
    opt_outs: int = 0,
    **limits,
):
    """The broken rules of a send with these figures."""
    service = a_service(**limits)
    send = a_send(service, max(silent, 1))
    send.recipients, send.ramp, send.stage = sum(counts.values()), ramp, stage
    long_ago = timezone.now() - timedelta(minutes=11)
    without_receipt(send, long_ago)
    for index in range(opt_outs):
        OptOut.objects.create(service=service, msisdn=f"+44772{index:07d}", source="inbound", send=send)
    return [(one.rule, one.because, one.facts) for one in broken_rules(send, counts, now=timezone.now())]


@pytest.mark.parametrize(
    ("counts", "limit", "broken"),
    [
        ({"failed": 20, "delivered": 80, "pending": 7}, 20, {"failed": 20, "settled": 100, "limit": 20, "posted": 100, "waiting": 7}),
        ({"failed": 20, "delivered": 81}, 20, None),
        ({"failed": 20, "delivered": 79}, 20, None),
        ({"failed": 99, "queued": 50}, 20, None),
        ({"failed": 100}, 100, {"failed": 100, "settled": 100, "limit": 100, "posted": 100, "waiting": 0}),
        ({"failed": 100, "cancelled": 5, "expired": 3}, 20, {"failed": 100, "settled": 100, "limit": 20, "posted": 100, "waiting": 0}),
        ({"failed": 100}, None, None),
    ],
)  # fmt: skip
def test_failures(counts, limit, broken):
    rows = found(counts, hold_failures=limit)
    assert [(rule, facts) for rule, _, facts in rows] == ([("failures", broken)] if broken else [])


@pytest.mark.parametrize(
    ("counts", "stage", "limit", "broken"),
    [
        ({"failed": 2, "delivered": 8, "pending": 90}, 0, None, 20),  # a ramp has a rule of its own
        ({"failed": 2, "delivered": 9, "pending": 89}, 0, None, None),
        (
            {"failed": 2, "delivered": 7, "queued": 1, "pending": 90},
            0,
            None,
            None,
        ),  # one of them has no result yet
        ({"failed": 2, "delivered": 8, "pending": 90}, 1, 50, 20),
        ({"failed": 1, "delivered": 9, "pending": 90}, 0, 10, 10),
        ({"failed": 20, "delivered": 79, "pending": 1}, 2, None, None),  # the last stage is like any send
        ({"failed": 20, "delivered": 80}, 2, None, 20),
        ({"failed": 1, "pending": 99}, 0, None, 20),
        ({"pending": 100}, 0, None, None),
    ],
)
def test_failures_of_a_ramp(counts, stage, limit, broken):
    rows = found(counts, ramp=True, stage=stage, hold_failures=limit)
    assert [(rule, facts["limit"]) for rule, _, facts in rows] == ([("failures", broken)] if broken else [])


@pytest.mark.parametrize(
    ("counts", "silent", "limit", "holds"),
    [
        ({"queued": 100}, 100, 100, True),
        ({"queued": 100}, 99, 100, False),
        ({"queued": 99, "delivered": 1}, 100, 100, False),
        ({"queued": 99}, 100, 100, False),
        ({"queued": 100, "delivered": 100}, 100, 50, True),
        ({"queued": 100, "delivered": 101}, 100, 50, False),
        ({"queued": 150, "pending": 10}, 99, 50, False),
        ({"queued": 100}, 100, None, False),
    ],
)
def test_silence(counts, silent, limit, holds):
    posted = sum(counts.values()) - counts.get("pending", 0)
    facts = {"posted": posted, "waiting": counts.get("pending", 0), "silent": silent, "limit": limit}
    because = f"{silent} of {posted} messages have had no receipt for ten minutes; this service holds a send at {limit} %."
    assert found(counts, silent=silent, hold_silence=limit) == (
        [("silence", because, facts)] if holds else []
    )


@pytest.mark.parametrize(("minutes", "holds"), [(9.9, False), (10.1, True)])
def test_silence_begins_after_ten_minutes(minutes, holds):
    send = a_send(a_service(hold_silence=100), 100)
    without_receipt(send, timezone.now() - timedelta(minutes=minutes))
    assert bool(broken_rules(send, {"queued": 100}, now=timezone.now())) == holds


@pytest.mark.parametrize(
    ("counts", "opt_outs", "limit", "holds"),
    [
        ({"queued": 100, "pending": 900}, 2, 2, True),
        ({"queued": 101}, 2, 2, False),
        ({"queued": 99}, 2, 2, False),
        ({"queued": 100}, 0, 0, False),
        ({"queued": 100}, 1, 0, True),
        ({"queued": 100}, 100, None, False),
    ],
)
def test_opt_outs(counts, opt_outs, limit, holds):
    posted = counts["queued"]
    facts = {"posted": posted, "waiting": counts.get("pending", 0), "opt_outs": opt_outs, "limit": limit}
    because = f"{opt_outs} of {posted} recipients have opted out; this service holds a send at {limit} %."
    assert found(counts, opt_outs=opt_outs, hold_opt_outs=limit) == (
        [("opt_outs", because, facts)] if holds else []
    )


def test_the_share_in_the_sentence_is_rounded_down_and_every_broken_rule_is_found():
    rows = found(
        {"failed": 33, "delivered": 83, "queued": 100},
        silent=100, opt_outs=3, hold_failures=20, hold_silence=40, hold_opt_outs=1,
    )  # fmt: skip
    assert [rule for rule, _, _ in rows] == ["failures", "silence", "opt_outs"]
    assert rows[0][1] == "28 % of the messages with a result have failed; this service holds a send at 20 %."


def test_a_hold_carries_the_rule_its_sentence_its_figures_and_who_placed_it():
    service = a_service(hold_failures=20)
    send = a_send(service, 100)
    Provider(lambda body: refused("7004")).dispatch(seconds=5)
    Slice.objects.filter(send=send).update(done=False, due_at=timezone.now() + timedelta(hours=1))
    Send.objects.filter(pk=send.pk).update(state="sending")
    assert dispatch.watch() == 1
    hold = Hold.objects.get()
    because = "100 % of the messages with a result have failed; this service holds a send at 20 %."
    assert (hold.service, hold.send, hold.rule, hold.because) == (service, send, "failures", because)
    assert hold.facts == {"posted": 100, "waiting": 0, "failed": 100, "settled": 100, "limit": 20}
    event = AuditEvent.objects.get(act="send.paused")
    assert event.details == {"rule": "failures", "because": because}
    assert hold.placed_by == event.actor_label
    assert dispatch.watch() == 0
