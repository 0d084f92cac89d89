"""Mails are in the language of who gets them, whoever acted and whatever their browser asks for."""

import pytest
from django.core import mail
from django.utils import timezone

from portal import account_mail
from portal.models import Role, User
from sms.models import NoticeKind, ReportSchedule
from sms.notices import mails, tell
from sms.reports import mail as report_mail
from sms.words import in_language
from tests.support.people import a_cast
from tests.support.strange_letters import CODE, StrangeLetters, strange

pytestmark = pytest.mark.django_db


class Everything:
    def __contains__(self, text: object) -> bool:
        return True


@pytest.fixture
def cast(monkeypatch, settings, django_capture_on_commit_callbacks):
    """An admin who reads the language of other letters, and others who read English."""
    from django.utils.translation import trans_real

    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    monkeypatch.setitem(trans_real._translations, CODE, StrangeLetters(Everything()))
    cast = a_cast(waiting=True)
    User.objects.filter(pk=cast.users["admin"].pk).update(language=CODE)
    cast.users["admin"].refresh_from_db()
    return cast


def test_a_mail_about_an_account(cast, django_capture_on_commit_callbacks):
    with in_language("fr"), django_capture_on_commit_callbacks(execute=True):
        account_mail.sessions_ended(cast.users["admin"], by="boss@example.test")
        account_mail.sessions_ended(cast.users["composer"], by="boss@example.test")
    theirs, english = mail.outbox
    assert theirs.subject == f"Textdesk: {strange('you were signed out')}"
    assert theirs.body.startswith(f"boss@example.test {strange('signed you out of Textdesk')}")
    assert english.subject == "Textdesk: you were signed out"


def test_notices(cast):
    now = timezone.now()
    both = [cast.users["admin"].pk, cast.users["approver"].pk]
    told = {"event": "x:1", "says": "Nothing waits.", "service": cast.service, "page": "sends", "now": now}
    tell(NoticeKind.SEND_HELD, both, **told)
    mails.send_due(public_url="https://desk.example.test", now=now)
    bodies = {one.to[0]: one.body for one in mail.outbox}
    assert strange("Choose what you are told") in bodies["admin@example.test"]
    assert "Choose what you are told" in bodies["approver@example.test"]


def test_a_report_goes_out_once_in_each_language(cast):
    now = timezone.now()
    readers = [f"{role}@example.test" for role in (Role.ADMIN, Role.AUDITOR, Role.COMPOSER)]
    ReportSchedule.objects.create(
        service=cast.service,
        name="Weekly",
        every="week",
        query={"by": "day"},
        recipients=readers,
        next_at=now,
    )
    assert report_mail.send_due(public_url="https://desk.example.test", now=now) == 1
    english, theirs = sorted(mail.outbox, key=lambda one: -len(one.bcc))
    assert english.bcc == readers[1:]
    assert theirs.bcc == readers[:1]
    assert "Messages: 0" in english.body
    assert f"{strange('Messages')}: 0" in theirs.body
    # the file is for programs too
    assert [one.attachments[0][1] for one in (english, theirs)] == [english.attachments[0][1]] * 2


def test_those_who_loosened_rules_are_told_of_in_each_admins_language(cast):
    from portal import admin_mail
    from tests.support.people import a_person

    a_person("second@example.test", cast.service, Role.ADMIN)
    admin_mail.factor_rules_loosened(cast.service, by="boss@example.test", before=[], after=[])
    assert {tuple(one.bcc): one.subject for one in mail.outbox} == {
        ("second@example.test",): "Textdesk: fewer people of Shop have to have a second factor",
        (
            "admin@example.test",
        ): f"{strange('Textdesk: fewer people of')} Shop {strange('have to have a second factor')}",
    }
