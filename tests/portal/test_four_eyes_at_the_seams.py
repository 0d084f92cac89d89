"""One person alone gets nothing past the second pair of eyes where two mechanisms meet: moving, cancelling, leaving, caps and groups."""

from datetime import timedelta

import pytest
from django.utils import timezone

from portal.models import Role, User
from sms.catalogue import api_keys
from sms.compose.create import create
from sms.models import (
    Actor,
    ApprovalRules,
    ChangeState,
    Message,
    MessageState,
    Send,
    SendState,
    Service,
    WaitingChange,
)
from tests.support import drop_in
from tests.support.approvals import a_person, acting
from tests.support.jobs import run_job
from tests.support.people import Cast, a_cast
from tests.support.sends import an_order

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    made = a_cast()
    ApprovalRules.objects.create(service=made.service, size=10, size_approvers=1)
    made.users["second"] = a_person("second", made.service, Role.ADMIN)
    return made


def sent_by(cast, who: str, count: int, **changes) -> Send:
    return create(an_order(cast.service, count, **changes), by=acting(cast.users[who]))


def is_held(send: Send) -> bool:
    return Send.objects.get(pk=send.pk).state == SendState.AWAITING


def a_day_later() -> None:
    WaitingChange.objects.update(takes_effect_at=timezone.now())
    run_job("waiting changes")


def asked_for_an_approver(cast) -> WaitingChange:
    other = cast.users["auditor"]
    cast["admin"].post(f"/s/shop/settings/people/{other.pk}/", {"roles": ["auditor", "approver"]})
    return WaitingChange.objects.get(state=ChangeState.WAITING)


# -- small sends that become a large one later --------------------------------------------------------------------------------


def test_small_sends_of_different_days_are_not_moved_together(cast):
    soon = timezone.now() + timedelta(hours=1)
    first = sent_by(cast, "composer", 9, due_at=soon)
    later = sent_by(cast, "composer", 9, due_at=soon + timedelta(days=3))
    assert [is_held(one) for one in (first, later)] == [False, False]
    at = (soon + timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M")
    page = cast["composer"].post(f"/s/shop/sends/{later.pk}/move/", {"send_at": at, "due_at": at})
    later.refresh_from_db()
    assert later.due_at > timezone.now() + timedelta(days=2), page.status_code
    assert "large" in page.content.decode()


def test_what_was_posted_of_a_cancelled_send_counts(cast):
    first = sent_by(cast, "composer", 9)
    gone = Message.objects.filter(send=first).first()
    Message.objects.filter(pk=gone.pk).update(state=MessageState.SUBMITTED)
    Send.objects.filter(pk=first.pk).update(state=SendState.SENDING)
    cast["composer"].post(f"/s/shop/sends/{first.pk}/cancel/")
    assert Send.objects.get(pk=first.pk).state == SendState.CANCELLED
    assert is_held(sent_by(cast, "composer", 9))


def test_a_cancelled_send_of_which_nothing_was_posted_does_not_count(cast):
    first = sent_by(cast, "composer", 9, due_at=timezone.now() + timedelta(hours=1))
    cast["composer"].post(f"/s/shop/sends/{first.pk}/cancel/")
    assert Send.objects.get(pk=first.pk).state == SendState.CANCELLED
    assert not is_held(sent_by(cast, "composer", 9))


def test_another_key_of_the_same_name_does_not_take_sends_out_of_the_sum(cast):
    system = Actor.system("cli")
    _, token = api_keys.make(cast.service, name="Robot", scopes=["send"], by=system)
    api_keys.make(
        cast.service, name="Robot", scopes=["send"], purpose="transactional", by=acting(cast.users["admin"])
    )
    for first in (0, 9):
        numbers = [f"4477009000{at:02d}" for at in range(first, first + 9)]
        assert drop_in.post(token, drop_in.body(*numbers)).status_code == 201
    assert [is_held(one) for one in Send.objects.order_by("pk")] == [False, True]


# -- a wish whose asker is gone -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["roles", "inactive", "deleted"])
def test_a_wish_ends_with_the_role_of_who_asked(cast, how):
    change, asker = asked_for_an_approver(cast), cast.users["admin"]
    if how == "roles":
        cast["second"].post(f"/s/shop/settings/people/{asker.pk}/", {"roles": ["composer"]})
    elif how == "inactive":
        User.objects.filter(pk=asker.pk).update(is_active=False)
    else:
        asker.memberships.all().delete()
        asker.delete()
    a_day_later()
    change.refresh_from_db()
    assert change.state == ChangeState.VOID
    assert "no admin" in change.because
    assert not cast.users["auditor"].memberships.filter(role=Role.APPROVER).exists()


# -- other rows that guard ----------------------------------------------------------------------------------------------------------


def test_another_default_country_waits_because_no_cap_holds_there(cast):
    User.objects.filter(email="admin@example.test").update(is_staff=True)
    url = f"/admin/sms/service/{cast.service.pk}/change/"
    form = cast["admin"].get(url).context["adminform"].form
    typed = {
        name: "" if (value := form.get_initial_for_field(field, name)) is None else value
        for name, field in form.fields.items()
    }
    typed = {name: value for name, value in typed.items() if value is not False} | {"default_country": "LV"}
    assert cast["admin"].post(url, typed).status_code == 302
    assert Service.objects.get(pk=cast.service.pk).default_country == "GB"
    a_day_later()
    assert Service.objects.get(pk=cast.service.pk).default_country == "LV"


def test_a_key_stays_as_the_second_admin_reads_it_until_they_answered(cast):
    User.objects.filter(email="admin@example.test").update(is_staff=True)
    key, _ = api_keys.make(
        cast.service, name="Robot", scopes=["send"], cap_day=10, by=acting(cast.users["admin"])
    )
    said = WaitingChange.objects.get().says
    assert "10 segments a day" in said[0]["after"]
    wide = {"purpose": "transactional", "resend": "evidence", "cap_day": ""}
    cast["admin"].post(f"/admin/sms/apikey/{key.pk}/change/", wide)
    cast["admin"].post(f"/s/shop/api-keys/{key.pk}/", wide)
    a_day_later()
    key.refresh_from_db()
    assert (key.confirmed, key.purpose, key.cap_day) == (True, "marketing", 10)


def test_a_secret_that_was_asked_for_is_not_kept_when_that_has_ended(cast):
    Service.objects.filter(pk=cast.service.pk).update(base_url="")
    typed = {"name": "Shop", "region": cast.service.region_id, "base_url": "https://other.example"}
    typed |= {"auth_kind": "key", "api_key": "typed-for-elsewhere", "jwt_service_id": "", "jwt_secret": ""}
    cast["admin"].post("/s/shop/settings/", typed | {"receipt_secret": "", "receipt_algorithm": "sha256"})
    change = WaitingChange.objects.get()
    assert "typed-for-elsewhere" in change.operations
    cast["second"].post(f"/s/shop/settings/waiting-changes/{change.pk}/decline/", {"reason": "No"})
    assert WaitingChange.objects.get().state == ChangeState.DECLINED
    assert WaitingChange.objects.get().operations == ""


def test_a_higher_cap_in_money_counts_once_it_is_confirmed(cast):
    Service.objects.filter(pk=cast.service.pk).update(cap_money="100.00", cap_currency="EUR")
    typed = {"cap_day": "200000", "cap_key": "20000", "cap_country": "5000", "cap_number": "50"}
    typed |= {"cap_money": "200", "cap_money_key": "", "cap_currency": "EUR", "countries": ""}
    assert cast["admin"].post("/s/shop/settings/caps/", typed).status_code == 302
    assert str(Service.objects.get(pk=cast.service.pk).cap_money) == "100.00"
    change = WaitingChange.objects.get()
    cast["second"].post(f"/s/shop/settings/waiting-changes/{change.pk}/confirm/")
    assert str(Service.objects.get(pk=cast.service.pk).cap_money) == "200.00"


def test_who_was_removed_is_not_brought_back_by_a_wish_from_before(cast):
    change, gone = asked_for_an_approver(cast), cast.users["auditor"]
    cast["second"].post(f"/s/shop/settings/people/{gone.pk}/remove/")
    assert not gone.memberships.exists()
    a_day_later()
    change.refresh_from_db()
    assert change.state == ChangeState.VOID
    assert not gone.memberships.exists()


def test_a_role_that_is_asked_for_twice_waits_on(cast):
    change = asked_for_an_approver(cast)
    assert asked_for_an_approver(cast) == change


def test_nobody_opens_the_link_of_a_colleagues_invitation(cast):
    invites = {"email": "x@nowhere.invalid", "roles": ["approver"]}
    cast["second"].post("/s/shop/settings/people/", invites)
    page = "/s/shop/settings/people/"
    assert "Link to copy" in cast["second"].get(page).content.decode()
    assert "Link to copy" not in cast["admin"].get(page).content.decode()
    cast["admin"].post(page, invites)  # and answers for that person from now on
    assert "Link to copy" in cast["admin"].get(page).content.decode()
    assert "Link to copy" not in cast["second"].get(page).content.decode()
