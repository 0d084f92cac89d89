"""Another time for a send: it goes then and not before, even where a dispatcher had chosen it already; what has begun stays."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from sms.compose.errors import ComposeError
from sms.dispatch.claim import Owner, claim
from sms.models import AuditEvent, Send, SendState, Slice
from sms.sends import control, reschedule
from tests.support.provider import Provider
from tests.support.sends import BY, a_send, a_service

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def scheduled(count: int = 2) -> Send:
    """Due in an hour, and named by us."""
    due = timezone.now() + HOUR
    return a_send(a_service(), count, due_at=due)


def test_it_is_sent_at_its_new_time():
    send = scheduled()
    reschedule.reschedule(send, due_at=timezone.now(), by=BY)
    provider = Provider()
    provider.dispatch()
    assert len(provider.bodies) == 2
    send.refresh_from_db()
    assert send.state == SendState.FINISHED


def test_its_name_says_its_new_time():
    send = scheduled()
    before, due = send.name, timezone.now() + timedelta(days=40)
    reschedule.reschedule(send, due_at=due, by=BY)
    assert send.name != before
    assert send.name.endswith(f"{timezone.localtime(due):%d %b %H:%M}")
    Send.objects.update(name="Spring")
    reschedule.reschedule(send, due_at=due + HOUR, by=BY)
    assert send.name == "Spring"


def test_what_was_chosen_just_before_it_was_put_off_is_not_claimed():
    send = scheduled()
    reschedule.reschedule(send, due_at=timezone.now(), by=BY)
    put_off = []

    def between(execute, sql, params, many, context):
        """Right before the claim looks at the slices that it chose."""
        if "sms_slice" in sql and '"id" IN' in sql and not put_off:
            put_off.append(True)
            reschedule.reschedule(send, due_at=timezone.now() + HOUR, by=BY)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(between):
        assert claim(owner=Owner("me"), limit=5) == []
    assert put_off
    assert claim(owner=Owner("me"), limit=5) == []


def test_what_has_begun_or_would_expire_stays_as_it_is():
    send = scheduled()
    due = send.due_at
    Slice.objects.update(owner="somebody", leased_until=timezone.now() + HOUR)
    with pytest.raises(reschedule.SendHasBegun):
        reschedule.reschedule(send, due_at=due + HOUR, by=BY)
    Slice.objects.update(owner="", leased_until=None)
    Send.objects.update(expires_at=due + HOUR)
    with pytest.raises(ComposeError, match="expire"):
        reschedule.reschedule(send, due_at=due + 2 * HOUR, by=BY)
    with pytest.raises(ComposeError, match="passed"):
        reschedule.reschedule(send, due_at=timezone.now() - HOUR, by=BY)
    control.stop(send, by=BY)
    with pytest.raises(reschedule.SendHasBegun):
        reschedule.reschedule(send, due_at=due, by=BY)
    send.refresh_from_db()
    assert send.due_at == due
    assert not AuditEvent.objects.filter(act="send.rescheduled").exists()
