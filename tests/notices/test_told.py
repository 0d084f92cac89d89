"""Who is told of what happens by itself: a send that is done or held, receipts that stop, keys that expire."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.utils import timezone

from sms import notices
from sms.catalogue import api_keys, domains, key_expiry
from sms.catalogue.domains.expiry import OwnAddress
from sms.compose.create import create
from sms.inbound.receipts import fold, receipt_addresses, tell_missing
from sms.inbound.receipts.inbox import insert
from sms.inbound.receipts.incoming import Incoming
from sms.ledger import settled
from sms.models import Actor, Notice, NoticeKind, Send
from sms.sends import control, holds
from sms.values import correlation_id
from tests.support.internet import NOW, Authority, listening, opener
from tests.support.jobs import run_job
from tests.support.people import a_cast
from tests.support.provider import Provider
from tests.support.receipts import receipt
from tests.support.sends import a_send, an_order

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cast():
    return a_cast(waiting=True)


def told(kind: NoticeKind) -> list[tuple[str, str]]:
    found = Notice.objects.filter(kind=kind).order_by("person__email", "pk")
    return [(one.person.email.partition("@")[0], one.says) for one in found]


def by(cast, who: str) -> Actor:
    return Actor.person(cast.users[who])


def test_the_author_hears_once_when_the_last_message_has_its_end_and_not_of_tests_or_of_what_was_cancelled(
    cast,
):
    mine = create(an_order(cast.service, 2, name="For +447700900123"), by=by(cast, "composer"))
    gone = create(an_order(cast.service, 1, name="Gone"), by=by(cast, "composer"))
    Provider().dispatch()
    assert told(NoticeKind.SEND_DONE) == []
    address = receipt_addresses.find(cast.service.receipt_token)
    for send in (mine, gone):
        for message, code in zip(send.messages.order_by("pk"), ("7500", "7203"), strict=False):
            name = correlation_id.write(message_id=message.pk, attempt=1, key=cast.service.correlation_key)
            status = "Delivered" if code == "7500" else "Un-Delivered"
            insert(
                [
                    Incoming.of(
                        receipt(name, code=code, status=status, transid=str(message.pk)), address=address
                    )
                ]
            )
    Send.objects.filter(pk=gone.pk).update(state="cancelled", cancelled_at=timezone.now(), cancelled_by="x")
    fold()
    run_job("settled sends")
    ((who, says),) = told(NoticeKind.SEND_DONE)
    assert who == "composer" and says.endswith("is done: 1 delivered, 1 failed.") and "900123" not in says
    Send.objects.update(settled_at=None)
    settled.look_again()
    assert len(told(NoticeKind.SEND_DONE)) == 1, "noted twice, told once"


def test_those_whose_sends_stop_hear_why_and_admins_of_what_textdesk_stopped(cast):
    later = timezone.now() + timedelta(hours=2)
    mine = create(an_order(cast.service, due_at=later, name="Mine"), by=by(cast, "composer"))
    a_send(cast.service, due_at=later)
    held = holds.hold(mine, by=by(cast, "admin"), because="Wrong price, says 07700 900123")
    ((who, says),) = told(NoticeKind.SEND_HELD)
    assert who == "composer" and says.startswith("“Mine” is paused: Wrong price") and "900123" not in says
    holds.lift(held, by=by(cast, "admin"))
    holds.hold(mine, by=by(cast, "composer"), because="My own act")
    assert len(told(NoticeKind.SEND_HELD)) == 1
    Notice.objects.all().delete()
    control.pause_everything(
        cast.service, by=Actor.system(), because="Webex Connect refused our credentials."
    )
    assert [who for who, _ in told(NoticeKind.SEND_HELD)] == ["admin", "composer"]
    assert {one.page for one in Notice.objects.all()} == {"sends"}


def test_admins_hear_of_a_key_a_week_and_a_day_before_it_expires(cast):
    now = timezone.now()
    at = now + timedelta(days=30)
    key, _ = api_keys.make(cast.service, by=by(cast, "admin"), name="Till", scopes=["send"], expires_at=at)
    for before in (
        timedelta(days=8),
        timedelta(days=6),
        timedelta(days=5),
        timedelta(hours=20),
        timedelta(0),
    ):
        key_expiry.tell_due(now=at - before)
    assert [who for who, _ in told(NoticeKind.KEY_EXPIRES)] == ["admin", "admin"]
    assert told(NoticeKind.KEY_EXPIRES)[0][1].startswith("The API key Till expires on ")
    assert {one.page_id for one in Notice.objects.all()} == {key.pk}


@pytest.mark.parametrize(
    ("days", "seen", "says"),
    [
        (90, [0, 80], []),
        (90, [82, 83.5, 84, 88.9], ["expires on"]),
        (90, [84, 89.5, 89.9], ["expires on", "expires on"]),
        (90, [84, 89.5, 90.1, 95], ["expires on", "expires on", "expired on"]),
        (-2, [0], ["expired on"]),
    ],
)
def test_admins_hear_of_the_certificate_of_the_desk_a_week_and_a_day_before_and_when_it_expired(
    cast, tmp_path, days, seen, says
):
    authority = Authority(tmp_path)
    with listening(b"", authority.server("desk.shop.example", days=days)) as port:
        own = OwnAddress(opener(port), authority.trust)
        for after in seen:
            at = NOW + timedelta(days=after)
            domains.tell_of_own("https://desk.shop.example", own=own, now=at)
    heard = told(NoticeKind.DOMAIN)
    assert sorted({who for who, _ in heard}) == (["admin", "foreigner"] if says else [])
    mine = [text for who, text in heard if who == "admin"]
    assert len(mine) == len(says), mine
    for text, words in zip(mine, says, strict=True):
        assert text.startswith(f"The certificate of Textdesk's own address, desk.shop.example, {words}")


def test_nothing_is_said_of_an_address_without_https_an_answer_or_a_certificate_of_its_own(cast, tmp_path):
    authority = Authority(tmp_path)
    with (
        listening(b"", authority.server("other.shop.example", days=1)) as others,
        listening(b"plain") as plain,
        silent() as nobody,
    ):
        for url, port in (
            ("http://desk.shop.example", others),
            ("https://desk.shop.example", others),
            ("https://desk.shop.example", plain),
            ("https://desk.shop.example", nobody),
        ):
            own = OwnAddress(opener(port), authority.trust, patience=0.5)
            domains.tell_of_own(url, own=own, now=NOW)
    assert told(NoticeKind.DOMAIN) == []


@contextmanager
def silent() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as waiting:
        yield waiting.getsockname()[1]


def test_admins_hear_once_a_day_that_receipts_stopped(cast):
    a_send(cast.service, 30)
    Provider().dispatch()
    tell_missing()
    assert told(NoticeKind.RECEIPTS_MISSING) == [], "they may still come"
    later = timezone.now() + timedelta(hours=1)
    for _ in range(2):
        tell_missing(now=later)
    ((who, says),) = told(NoticeKind.RECEIPTS_MISSING)
    assert (who, says) == ("admin", "Receipts are missing for about 30 of 30 messages.")
    assert notices.unread(cast.users["admin"]) == "1"
