"""Notices by e-mail: at once and once a day, to an address that refuses them, and what comes back later."""

import mailbox
import socket
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.core.management import call_command
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from portal.mail_server import send as send_mail
from portal.models import Membership
from sms import notices
from sms.models import AuditEvent, Notice, NoticeChoices, NoticeKind
from sms.notices.digest import next_digest
from sms.notices.mails import RETRY_AFTER
from tests.support.people import a_cast
from tests.support.smtp import mail_server

pytestmark = pytest.mark.django_db
URL = "https://desk.example.test"
ZONES = ("Europe/London", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Cairo", "UTC")


@pytest.fixture
def cast():
    return a_cast(waiting=True)


def say(cast, number: int, kind=NoticeKind.MENTION, *, who="composer", now=None) -> None:
    notices.tell(
        kind,
        [cast.users[who].pk],
        event=f"test:{number}",
        says=f"Number {number} of 07710 000000.",
        more="More of it.",
        service=cast.service,
        now=now,
    )


def due(now=None) -> int:
    return notices.send_due(public_url=URL, now=now)


def test_what_is_due_for_a_person_is_one_mail_without_numbers_and_with_a_way_out(cast):
    say(cast, 1)
    assert (due(), due()) == (1, 0)
    (first,) = mail.outbox
    one = Notice.objects.get()
    assert (first.to, first.bcc) == (["composer@example.test"], [])
    assert first.subject.startswith("Textdesk: Number 1 of ") and "000000" not in first.subject + first.body
    assert f"More of it.\n\n{URL}/notices/{one.pk}/" in first.body
    assert first.extra_headers["List-Unsubscribe"] == f"<{URL}/accounts/notices/>"
    ((html, kind),) = first.alternatives
    assert kind == "text/html" and f'href="{URL}/notices/{one.pk}/"' in html
    assert one.mailed_at is not None and one.mail_due_at is None
    for number in (2, 3, 4, 5):
        say(cast, number)
    notices.mark_read(cast.users["composer"], pk=Notice.objects.get(event="test:4").pk)
    NoticeChoices.objects.update_or_create(
        person=cast.users["composer"], defaults={"ways": {"mention": "off"}}
    )
    say(cast, 6)
    assert due() == 1
    assert mail.outbox[1].subject == "Textdesk: 3 notices", "what was read is left out"
    say(cast, 7, NoticeKind.SEND_HELD)
    Membership.objects.filter(user=cast.users["composer"]).delete()
    assert due() == 0 and not Notice.objects.filter(mail_due_at__isnull=False).exists()


@given(
    zone=st.sampled_from(ZONES),
    hour=st.integers(0, 23),
    after=st.datetimes(datetime(2009, 1, 1), datetime(2030, 1, 1)).map(lambda one: one.replace(tzinfo=UTC)),
)
def test_a_daily_mail_comes_once_on_every_day_of_the_clock(zone, hour, after):
    clock, days = ZoneInfo(zone), list[datetime]()
    for _ in range(3):
        after = next_digest(after, hour=hour, zone=zone)
        days.append(after.astimezone(clock))
    dates = [one.date() for one in days]
    assert dates == sorted(set(dates)), "never twice on a day"
    for one in days:
        skipped = one.replace(tzinfo=None) != one.astimezone(UTC).astimezone(clock).replace(tzinfo=None)
        assert one.hour == hour or skipped or one.utcoffset() != (one - timedelta(hours=2)).utcoffset()


def test_the_daily_mail_gathers_a_day_at_the_persons_hour_and_is_none_where_nothing_is_new(cast):
    composer = cast.users["composer"]
    composer.time_zone = "Europe/London"
    composer.save()
    NoticeChoices.objects.create(person=composer, ways={"mention": "digest"}, digest_hour=17)
    morning = datetime(2027, 3, 27, 9, tzinfo=UTC)
    say(cast, 1, now=morning)
    say(cast, 2, now=morning + timedelta(hours=3))
    assert due(datetime(2027, 3, 27, 16, 59, tzinfo=UTC)) == 0
    assert due(datetime(2027, 3, 27, 17, 0, tzinfo=UTC)) == 1
    say(cast, 3, now=datetime(2027, 3, 27, 18, tzinfo=UTC))
    assert due(datetime(2027, 3, 28, 15, 59, tzinfo=UTC)) == 0
    assert due(datetime(2027, 3, 28, 16, 0, tzinfo=UTC)) == 1, "17:00 of a clock that was put forward"
    assert due(datetime(2027, 3, 29, 16, 0, tzinfo=UTC)) == 0
    assert mail.outbox[0].subject == "Textdesk: 2 notices"


def test_a_mail_server_that_is_away_or_busy_gets_it_later_and_one_that_refuses_is_said(cast, settings):
    say(cast, 1)
    now, choices = timezone.now(), "/accounts/notices/"
    with mail_server(settings) as server:
        settings.EMAIL_PORT, port = 1, settings.EMAIL_PORT
        assert due(now) == 0, "away"
        settings.EMAIL_PORT, server.refuses = port, "450 4.2.1 Try later"
        assert due(now + RETRY_AFTER) == 0, "busy"
        server.refuses = "550 5.1.1 No such user here"
        assert due(now + 2 * RETRY_AFTER) == 0
        assert NoticeChoices.objects.get().refused_says == "550 5.1.1 No such user here"
        assert AuditEvent.objects.get(act="user.mail_refused").noun_key == str(cast.users["composer"].pk)
        say(cast, 2)
        server.refuses = ""
        assert due(now + 9 * RETRY_AFTER) == 0 and server.taken == [], "they stay in the portal"
        for client, page in (
            (cast["composer"], "/notices/"),
            (cast["composer"], choices),
            (cast["admin"], f"/s/{cast.service.slug}/settings/people/{cast.users['composer'].pk}/"),
        ):
            assert b"E-mail to composer@example.test does not arrive" in client.get(page).content
        people = cast["admin"].get(f"/s/{cast.service.slug}/settings/people/").content
        assert people.count(b"e-mail does not arrive") == 1
        cast["composer"].post("/accounts/notices/mail-again/")
        assert b"does not arrive" not in cast["composer"].get(choices).content
        say(cast, 3)
        assert due() == 1
        server.refuses = "550 5.1.1 Gone"
        assert not send_mail("Your password", "It was changed.", "composer@example.test")
        assert NoticeChoices.objects.get().refused_says == "550 5.1.1 Gone", "of whatever was mailed"
        (taken,) = server.taken
        assert b"Number 3" in taken


def test_a_mail_server_that_says_nothing_is_waited_for_once_and_not_for_each_person(cast, settings):
    assert 0 < settings.EMAIL_TIMEOUT <= 10, "seconds; Django would wait for ever"
    with mail_server(settings), socket.create_server(("127.0.0.1", 0)) as silent:
        settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = silent.getsockname()[1], 0.1
        for who in ("composer", "approver"):
            say(cast, 1, who=who)
        assert due() == 0
        silent.accept()[0].close()
        silent.setblocking(False)
        with pytest.raises(BlockingIOError):
            silent.accept()


def report(sent, *, to: str, action: str = "failed", status: str = "5.1.1", name: str | None = None) -> bytes:
    return f"""From: MAILER-DAEMON@mx.example.test
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

Sorry.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.test

Final-Recipient: rfc822; {to}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 Mailbox of {to} is closed

--b
Content-Type: text/rfc822-headers

Message-ID: {name or sent.extra_headers["Message-ID"]}
Subject: {sent.subject}

--b--
""".encode()


def test_mail_that_comes_back_later_is_read_from_a_mailbox(cast, tmp_path, capsys):
    say(cast, 1)
    say(cast, 1, who="auditor")
    due()
    sent = {one.to[0]: one for one in mail.outbox}
    ours, other = sent["composer@example.test"], sent["auditor@example.test"]
    box = mailbox.Maildir(tmp_path / "bounces")
    forged = ours.extra_headers["Message-ID"].replace("notice.", "notice.9")
    for raw in (
        report(other, to="auditor@example.test", action="delayed", status="4.4.1"),
        report(ours, to="composer@example.test", name=forged),
        report(other, to="composer@example.test"),
        b"Subject: hello\n\nNo report.",
        # what breaks readers must not be in the way of what comes behind it
        report(ours, to="composer@example.test", name="<>"),
        b'Content-Type: multipart/report; boundary="b"\n\n--b\n' + b"Content-Type: message/rfc822\n\n" * 1000,
        report(ours, to="Composer@Example.test"),
    ):
        box.add(raw)
    call_command("read_bounces", str(tmp_path / "bounces"))
    says = (
        "1 noted at the person, 1 only delayed, 3 about mail that is not ours, 2 no report of a mail server"
    )
    assert capsys.readouterr().out.strip() == says
    assert len(mailbox.Maildir(tmp_path / "bounces")) == 5, "what is none of ours stays"
    kept = NoticeChoices.objects.get()
    assert (kept.person, kept.refused_says) == (
        cast.users["composer"],
        "550 Mailbox of Composer@Example.test is closed",
    )
    with pytest.raises(Exception, match="There is no mailbox at"):
        call_command("read_bounces", str(tmp_path / "none"))


def test_old_notices_go(cast):
    say(cast, 1, now=timezone.now() - timedelta(days=Notice.KEPT, minutes=1))
    say(cast, 2, now=timezone.now() - timedelta(days=Notice.KEPT, minutes=-1))
    assert (notices.forget(), notices.forget()) == (1, 0)
    assert Notice.objects.get().event == "test:2"
