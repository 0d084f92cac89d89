"""Clicks in the database: judged with their neighbours when folded, counted once, and judged again over history."""

import itertools
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command

from sms.inbound import receipts
from sms.inbound.clicks import verdicts
from sms.models import Click, ClickCount, ClickFigures
from tests.inbound.click_receipts import COMPUTER, OFFER, TERMS, delivered, take, told
from tests.support.provider import Provider
from tests.support.sends import a_send, a_service

pytestmark = pytest.mark.django_db


@pytest.fixture
def service():
    return a_service()


@pytest.fixture
def send(service):
    send = a_send(service, 2)
    Provider().dispatch()
    return send


def judged(message):
    return sorted(message.clicks.values_list("url", "ip", "verdict", "reason", "rules_version"))


def test_a_click_is_judged_and_counted_as_it_is_folded(service, send):
    message = send.messages.first()
    take(service, delivered(service, message, at=4), told(service, message, at=30))
    assert judged(message) == [(OFFER, "203.0.113.9", "human", "phone", verdicts.RULES)]
    assert ClickFigures.of_send(send.pk) == ClickFigures(human=1, human_messages=1)


def test_a_later_click_changes_an_earlier_verdict_and_the_numbers(service, send):
    message = send.messages.first()
    take(service, delivered(service, message, at=4), told(service, message, at=47, agent=COMPUTER))
    assert ClickFigures.of_send(send.pk) == ClickFigures(human=1, human_messages=1)
    take(service, told(service, message, at=47.5, agent=COMPUTER, url=TERMS))
    assert [row[2:4] for row in judged(message)] == [("machine", "links_together")] * 2
    assert ClickFigures.of_send(send.pk) == ClickFigures(machine=2, machine_messages=1)


def test_a_delivery_reported_after_the_click_is_evidence_too(service, send):
    message = send.messages.first()
    take(service, told(service, message, at=40, agent=COMPUTER))
    assert judged(message)[0][2:4] == ("human", "browser")
    take(service, delivered(service, message, at=39.5))
    assert judged(message)[0][2:4] == ("machine", "too_soon")


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
@pytest.mark.parametrize("each", [True, False])
def test_receipts_in_any_order_end_with_the_same_verdicts_and_numbers(service, send, order, each):
    message = send.messages.first()
    bodies = [
        delivered(service, message, at=4),
        told(service, message, at=5.5, ip="203.0.113.1"),
        told(service, message, at=47, agent=COMPUTER, ip="192.0.2.71"),
        told(service, message, at=47.5, agent=COMPUTER, ip="192.0.2.71", url=TERMS),
    ]
    take(service, *(bodies[index] for index in order), each=each)
    assert [row[1:4] for row in judged(message)] == [
        ("192.0.2.71", "machine", "links_together"),
        ("203.0.113.1", "unsure", "hasty"),
        ("192.0.2.71", "machine", "links_together"),
    ]
    assert ClickFigures.of_send(send.pk) == ClickFigures(machine=2, unsure=1, unsure_messages=1)


def test_the_same_receipts_again_count_nothing_twice(service, send):
    message = send.messages.first()
    bodies = [delivered(service, message, at=4), told(service, message, at=30), told(service, message, at=90)]
    for _ in range(2):
        take(service, *bodies)
    assert ClickFigures.of_send(send.pk) == ClickFigures(human=2, human_messages=1)


def test_a_message_is_counted_for_its_best_click(service, send):
    one, two = send.messages.order_by("pk")
    for message in (one, two):
        take(
            service,
            message,
            delivered(service, message, at=4),
            told(service, message, at=9, agent="curl/8.5.0"),
        )
    assert ClickFigures.of_send(send.pk) == ClickFigures(machine=2, machine_messages=2)
    take(service, told(service, one, at=60))
    figures = ClickFigures.of_send(send.pk)
    assert figures == ClickFigures(human=1, machine=2, human_messages=1, machine_messages=1)
    assert figures.all == 3


def a_past(service, send):
    """Clicks as an older version left them: stored, never judged, not counted."""
    for message in send.messages.order_by("pk"):
        take(service, delivered(service, message, at=4), told(service, message, at=30))
    Click.objects.update(verdict="unsure", reason="not_judged", rules_version=0)
    ClickCount.objects.all().delete()


def test_history_is_judged_once_and_counted_once(service, send, capsys):
    a_past(service, send)
    call_command("judge_clicks", "--batch", "1")
    assert "2 messages judged, 2 verdicts changed" in capsys.readouterr().out
    assert ClickFigures.of_send(send.pk) == ClickFigures(human=2, human_messages=2)
    call_command("judge_clicks")
    assert "0 messages judged, 0 verdicts changed" in capsys.readouterr().out
    call_command("judge_clicks", "--all")
    assert "2 messages judged, 0 verdicts changed" in capsys.readouterr().out
    assert ClickFigures.of_send(send.pk) == ClickFigures(human=2, human_messages=2)


def test_what_other_rules_judged_is_judged_again_and_the_numbers_follow(service, send):
    a_past(service, send)
    Click.objects.update(verdict="machine", reason="crowd", rules_version=verdicts.RULES)
    hour = int(Click.objects.first().at.timestamp()) // 3600
    ClickCount.add({(send.pk, "machine", hour): (2, 2)})
    assert list(receipts.judge_history()) == []
    assert [step.changed for step in receipts.judge_history(everything=True)] == [2]
    assert ClickFigures.of_send(send.pk) == ClickFigures(human=2, human_messages=2)
    assert set(Click.objects.values_list("reason", flat=True)) == {"phone"}


def test_since_leaves_older_clicks_alone(service, send):
    a_past(service, send)
    first, second = send.messages.order_by("pk")
    second.clicks.update(at=datetime(2020, 1, 1, tzinfo=UTC))
    call_command("judge_clicks", "--since", "2021-05-01")
    assert (first.clicks.get().rules_version, second.clicks.get().rules_version) == (verdicts.RULES, 0)


@pytest.mark.parametrize("arguments", [("--since", "yesterday"), ("--since", "2026-02-31"), ("--batch", "0")])
def test_the_command_says_what_it_does_not_understand(arguments):
    with pytest.raises(CommandError):
        call_command("judge_clicks", *arguments)


def test_clicks_of_the_sandbox_are_distinguished():
    from sms.webex.sandbox.outcomes import CLICKS

    posted = datetime(2026, 3, 2, 9, 15, tzinfo=UTC)
    arrived = posted + timedelta(seconds=4)
    for who, kind in (("person", "human"), ("scanner", "machine")):
        visits = [
            verdicts.ClickVisit(arrived + timedelta(seconds=one.delay), OFFER, one.ip, one.agent)
            for one in CLICKS[who]
        ]
        found = verdicts.judge(visits, posted_at=posted, delivered_at=arrived)
        assert [verdict.kind for verdict in found] == [kind] * len(visits)


def test_what_a_receipt_says_is_kept_as_it_came(service, send):
    message = send.messages.first()
    raw = told(service, message, at=30, agent="curl/8.5.0")
    take(service, raw)
    click = message.clicks.get()
    assert bytes(click.receipt.raw) == raw
    assert json.loads(raw)["deliveryInfoNotification"]["deliveryInfo"]["additionalInfo"] == click.user_agent
