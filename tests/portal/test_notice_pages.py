"""A person's notices over HTTP: the bell, the page, reading them, and the choice of what to be told."""

import re

import pytest
from django.utils import timezone

from portal.models import Membership, Role
from sms.models import Actor, AuditEvent, Notice, NoticeChoices, NoticeKind
from sms.notices import no_longer, tell
from tests.support.people import a_cast
from tests.support.sends import a_send

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return a_cast(waiting=True)


def bell(client) -> str:
    return re.search(r'aria-label="(Notices[^"]*)"', client.get("/notices/").content.decode())[1]


def say(cast, number: int, *, kind=NoticeKind.SEND_DONE, who=("composer",), **more) -> None:
    people = [cast.users[one].pk for one in who]
    tell(kind, people, event=f"test:{number}", says=f"Number {number}.", service=cast.service, **more)


def test_a_notice_is_counted_leads_to_its_thing_and_is_read_from_then_on(cast):
    send = a_send(cast.service)
    say(cast, 1, page="send", page_id=send.pk, anchor="figures")
    say(cast, 1, page="send", page_id=send.pk)
    for number in (2, 3):
        say(cast, number, page="gone_since")
    composer = cast["composer"]
    assert bell(composer) == "Notices: 3 unread", "the same event tells once"
    assert bell(cast["auditor"]) == "Notices"
    first, second, third = Notice.objects.order_by("pk")
    opened = composer.get(f"/notices/{first.pk}/")
    assert opened.headers["Location"] == f"/s/{cast.service.slug}/sends/{send.pk}/#figures"
    assert composer.get(f"/notices/{second.pk}/").headers["Location"] == "/"
    assert bell(composer) == "Notices: 1 unread"
    assert composer.get("/notices/?unread=1").content.count(b"/read/") == 2, "one to read, and all"
    composer.post("/notices/read/", {"until": second.pk})
    assert bell(composer) == "Notices: 1 unread", "what came since the page was drawn stays unread"
    composer.post(f"/notices/{third.pk}/read/")
    assert bell(composer) == "Notices"
    assert b"Nothing is unread" in composer.get("/notices/?unread=1").content
    for method in ("get", "post"):
        assert getattr(cast["auditor"], method)(f"/notices/{first.pk}/").status_code in (404, 405)
    assert cast["auditor"].post(f"/notices/{third.pk}/read/").status_code == 404


def test_whoever_leaves_or_loses_the_role_reads_and_hears_no_more_of_it(cast):
    say(cast, 1, who=("composer", "foreigner"))
    say(cast, 2, kind=NoticeKind.SPEND_CAP, who=("admin", "composer"))
    assert sorted(Notice.objects.values_list("person__email", "event")) == [
        ("admin@example.test", "test:2"),
        ("composer@example.test", "test:1"),
    ]
    Membership.objects.filter(user=cast.users["admin"]).update(role=Role.AUDITOR)
    assert bell(cast["admin"]) == "Notices"
    Membership.objects.filter(user=cast.users["composer"]).delete()
    assert bell(cast["composer"]) == "Notices"
    assert cast["composer"].get(f"/notices/{Notice.objects.get(event='test:1').pk}/").status_code == 404
    say(cast, 3)
    assert Notice.objects.count() == 2


def test_nobody_is_told_of_their_own_act_but_of_what_guards_the_others(cast):
    admin = cast.users["admin"]
    by = Actor.person(admin)
    say(cast, 1, who=("admin", "composer"), by=by)
    assert [one.person for one in Notice.objects.all()] == [cast.users["composer"]]
    say(cast, 2, kind=NoticeKind.CHANGE_WAITS, who=("admin",), by=by)
    assert Notice.objects.get(event="test:2").person == admin
    no_longer("test:1", "test:2")
    assert not Notice.objects.filter(seen_at=None).exists()


def test_what_one_is_told_is_a_choice(cast):
    composer, person = cast["composer"], cast.users["composer"]
    page = composer.get("/accounts/notices/").content.decode()
    assert 'name="send_done"' in page and 'name="spend_cap"' not in page
    shown = composer.get("/accounts/notices/").context["form"]
    typed = {name: shown[name].value() for name in shown.fields}
    wrong = composer.post("/accounts/notices/", typed | {"digest_hour": "25", "reply": "pigeon"})
    assert wrong.status_code == 422 and b"Please fix 2 things" in wrong.content
    say(cast, 1, kind=NoticeKind.MENTION)
    chosen = typed | {"send_done": "off", "mention": "digest", "reply": "mail", "digest_hour": "17"}
    assert composer.post("/accounts/notices/", chosen).status_code == 302
    kept = NoticeChoices.objects.get(person=person)
    assert (kept.ways, kept.digest_hour) == ({"send_done": "off", "mention": "digest", "reply": "mail"}, 17)
    assert AuditEvent.objects.get(act="user.notices_changed").details["digest_hour"] == 17
    say(cast, 2)
    say(cast, 3, kind=NoticeKind.MENTION)
    say(cast, 4, kind=NoticeKind.REPLY)
    at_once, daily, reply = Notice.objects.order_by("pk")
    assert (at_once.way, daily.way, reply.way) == ("mail", "digest", "mail"), "nothing of what is off"
    assert at_once.mail_due_at <= timezone.now() and daily.mail_due_at.hour == 17
    composer.post("/accounts/notices/", chosen | {"digest_hour": "5"})
    daily.refresh_from_db()
    assert daily.mail_due_at.hour == 5
    composer.get(f"/notices/{daily.pk}/")
    daily.refresh_from_db()
    assert daily.mail_due_at is None, "what was read is not mailed"
    admin = cast["admin"].get("/accounts/notices/").content.decode()
    assert re.search(r'name="change_waits"[^>]*disabled', admin)


def test_a_long_list_goes_on_after_a_key_and_counts_to_99(cast, django_assert_max_num_queries):
    for number in range(101):
        say(cast, number)
    cast["composer"].get("/")
    with django_assert_max_num_queries(10):
        page = cast["composer"].get("/notices/")
    assert b"Notices: 99+ unread" in page.content
    before = page.context["next_before"]
    assert f"before={before}" in page.content.decode()
    assert len(cast["composer"].get(f"/notices/?before={before}").context["rows"]) == 50
