"""The pages of sends that come again, walked as a composer and an approver walk them."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from django.utils import timezone

from sms.models import ApprovalRules, Draft, RecurringSend, Send, StandingApproval
from sms.sends.recurring import make
from tests.support.approvals import request_of
from tests.support.pages import text_of
from tests.support.people import a_cast
from tests.support.recurring import a_draft_to, a_list, a_recurring_send

pytestmark = pytest.mark.django_db

BASE = "/s/shop"


@pytest.fixture
def cast():
    return a_cast(waiting=True)


def rhythm(**changes) -> dict[str, object]:
    fields = {"name": "Training", "every": "weekly", "days": ["0"], "at": "09:00", "ends": "never"}
    day = {"starts_on": "2027-03-01", "on_holiday": "send", "hours_before": "4", "revision": "1"}
    return fields | day | changes


def seen(page) -> str:
    return page.context["seen"]


def test_from_a_draft_to_its_end(cast):
    user, composer = cast.users["composer"], cast["composer"]
    draft = a_draft_to(a_list(cast.service, user=user), user=user)
    review = text_of(composer.get(f"{BASE}/drafts/{draft.pk}/review/"))
    assert "Repeat this send" in review
    page = f"{BASE}/drafts/{draft.pk}/repeat/"
    assert composer.get(page).status_code == 200
    wrong = composer.post(page, rhythm(days=[], ends="date", starts_on="2020-01-01"))
    assert wrong.status_code == 422
    for says in ("Choose at least one day.", "Choose the last day.", "That day is over."):
        assert says in text_of(wrong)
    unseen = composer.post(page, rhythm(save="1"))
    assert not RecurringSend.objects.exists(), "dates that were not shown are not started"
    assert "The next 5" in text_of(unseen)
    assert "Monday 29 March 2027, 09:00 BST" in text_of(unseen)
    changed = composer.post(page, rhythm(save="1", seen=seen(unseen), at="10:00"))
    assert not RecurringSend.objects.exists()
    started = composer.post(page, rhythm(save="1", at="10:00", seen=seen(changed)), follow=True)
    assert "Started. The first one goes out on Monday 1 March 2027 at 10:00 GMT." in text_of(started)
    again = composer.post(page, rhythm(save="1", at="10:00", seen=seen(changed)), follow=True)
    assert "sent again and again" in text_of(again), "a second press finds it"
    made = RecurringSend.objects.get()
    its = f"{BASE}/recurring/{made.pk}"
    frozen = composer.post(f"{BASE}/drafts/{draft.pk}/", {"text": "Other"}, follow=True)
    assert frozen.redirect_chain[0][0] == f"{its}/"
    assert "Training" not in text_of(composer.get(f"{BASE}/drafts/"))
    assert "every Monday at 10:00" in text_of(composer.get(f"{BASE}/recurring/"))

    skip = f"{its}/skip/?{urlencode({'on': '2027-03-08'})}"
    asked = text_of(composer.get(skip))
    assert "Occurrence 2 is not made, so the 3 people of “Members” get nothing then." in asked
    assert "The next one after it is on Monday 15 March 2027 at 10:00 GMT." in asked
    composer.post(skip)
    assert "Send it after all" in text_of(composer.get(f"{its}/"))
    calendar = text_of(composer.get(f"{BASE}/calendar/?view=week&at=2027-03-01"))
    assert "Comes again, not made yet" in calendar

    assert make.make_due(now=datetime(2027, 3, 1, 7, 0, tzinfo=UTC)) == 1
    send = Send.objects.get()
    assert "Occurrence 1 of Training" in text_of(composer.get(f"{BASE}/sends/{send.pk}/"))
    to_change = composer.post(f"{its}/change/")
    new = Draft.objects.get(recurs_since=None)
    assert to_change.url == f"{BASE}/drafts/{new.pk}/"
    Draft.objects.filter(pk=new.pk).update(text="Another text")
    assert "Change it from here on" in text_of(composer.get(f"{BASE}/drafts/{new.pk}/review/"))
    taken = composer.post(f"{BASE}/drafts/{new.pk}/take/", follow=True)
    assert "Changed from the next occurrence on." in text_of(taken)
    assert "What it said before" in text_of(taken)

    other = composer.post(f"{its}/rhythm/", rhythm(every="weekdays", days=[], starts_on="2027-03-01"))
    assert "Every weekday, Monday to Friday, at 09:00." in text_of(other)
    form = rhythm(every="weekdays", days=[], starts_on="2027-03-01", save="1", seen=seen(other))
    assert "The rhythm is changed" in text_of(composer.post(f"{its}/rhythm/", form, follow=True))
    assert "1 send that is made already still goes out" in text_of(
        composer.post(f"{its}/pause/", follow=True)
    )
    assert "It goes on, in your name." in text_of(composer.post(f"{its}/resume/", follow=True))
    assert "1 send made already still goes out" in text_of(composer.get(f"{its}/end/"))
    assert "has ended" in text_of(composer.post(f"{its}/end/", follow=True))
    assert "Training" in text_of(composer.get(f"{BASE}/recurring/?ended=1"))


def test_an_approver_answers_for_those_to_come(cast):
    ApprovalRules.objects.create(service=cast.service, size=1, size_approvers=1)
    recurring = a_recurring_send(
        cast.service,
        user=cast.users["composer"],
        starts_on=timezone.localdate(),
        every="daily",
        hours_before=48,
        now=timezone.now() - timedelta(hours=1),
    )
    assert make.make_due() >= 1
    request = request_of(Send.objects.earliest("pk"))
    page = f"{BASE}/approvals/{request.pk}/"
    shown = text_of(cast["approver"].get(page))
    assert "Who is on the list may change from one version to the next" in shown
    answered = cast["approver"].post(
        f"{page}approve/", {"seen": request.fingerprint, "following": "1", "more": "50"}, follow=True
    )
    assert "You approved the occurrences to come too, to 4 people at most" in text_of(answered)
    given = StandingApproval.objects.get()
    its = text_of(cast["composer"].get(f"{BASE}/recurring/{recurring.pk}/"))
    assert "approver@example.test approved the occurrences to come" in its
    cast["composer"].post(f"{BASE}/standing-approvals/{given.pk}/end/")
    given.refresh_from_db()
    assert given.ended_because == "Ended by composer@example.test."


def test_holidays_and_an_audience_in_use(cast):
    page, admin = f"{BASE}/recurring/holidays/", cast["admin"]
    wrong = admin.post(f"{page}keep/", {"lines": "2026-12-25 Christmas Day\nnext week"})
    assert wrong.status_code == 422
    assert "Line 2: “next week” does not begin with a date" in text_of(wrong)
    assert "2026-12-25 Christmas Day" in text_of(wrong), "what was typed stays"
    recurring = a_recurring_send(cast.service, user=cast.users["composer"], on_holiday="move")
    kept = admin.post(f"{page}keep/", {"lines": "2027-03-01 St David"}, follow=True)
    assert "1 recurring send has another next day because of it." in text_of(kept)
    assert "St David" in text_of(cast["auditor"].get(page))
    audience = f"{BASE}/audiences/{recurring.draft.audience_id}"
    assert "nothing is archived yet" in text_of(cast["composer"].post(f"{audience}/archive/", follow=True))
    assert "1 recurring send goes to it: “Training”." in text_of(
        cast["composer"].get(f"{audience}/archive-in-use/")
    )
    cast["composer"].post(f"{audience}/archive-in-use/")
    assert "The audience is archived, so no send can be made." in text_of(
        cast["composer"].get(f"{BASE}/recurring/{recurring.pk}/")
    )
    refused = admin.post(f"{audience}/delete/", follow=True)
    assert "is sent to it again and again" in text_of(refused)


def test_a_number_in_its_name_is_hidden_where_it_is_read(cast):
    recurring = a_recurring_send(cast.service, user=cast.users["composer"], name="For 07710 000 000")
    its = f"{BASE}/recurring/{recurring.pk}"
    for page in (f"{BASE}/recurring/", f"{its}/", f"{its}/end/", f"{its}/skip/?on=2027-03-01"):
        shown = text_of(cast["composer"].get(page))
        assert "710 000 000" not in shown, page
        assert "For " in shown or page.endswith("03-01"), page
