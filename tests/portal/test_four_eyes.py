"""One person alone gets nothing past the second pair of eyes: the ways that were tried, at every door that leads there."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.core.management import call_command
from django.utils import timezone

from portal import people
from portal.models import Invitation, Membership, Role, User
from sms.catalogue import api_keys
from sms.compose.create import create
from sms.models import (
    Actor,
    ApiKey,
    ApprovalRules,
    AuditEvent,
    ChangeState,
    GuardedChange,
    Send,
    SendState,
    Service,
    WaitingChange,
)
from sms.models.guard import watching
from tests.support import drop_in
from tests.support.approvals import a_person, acting, request_of
from tests.support.jobs import run_job
from tests.support.people import Cast, a_cast
from tests.support.sends import an_order

pytestmark = pytest.mark.django_db
RULES_OFF = {
    "size_approvers": "0",
    "size": "",
    "new_sender": "0",
    "new_domain": "0",
    "new_country": "0",
    "outside_hours": "0",
    "hours": "",
    "valid_hours": "24",
}


@pytest.fixture
def cast() -> Cast:
    made = a_cast()
    ApprovalRules.objects.create(service=made.service, size=10, size_approvers=1, new_sender=1)
    made.users["second"] = a_person("second", made.service, Role.ADMIN)
    User.objects.filter(email="admin@example.test").update(is_staff=True)
    return made


def change_of(cast, state=ChangeState.WAITING) -> WaitingChange:
    return WaitingChange.objects.filter(state=state).latest("pk")


def confirm(client, change):
    return client.post(f"/s/shop/settings/waiting-changes/{change.pk}/confirm/", follow=True)


def a_day_later() -> None:
    WaitingChange.objects.update(takes_effect_at=timezone.now())
    run_job("waiting changes")


def sent_by(cast, who: str, count: int, **changes) -> Send:
    return create(an_order(cast.service, count, **changes), by=acting(cast.users[who]))


def approve(client, send: Send):
    asked = request_of(send)
    return client.post(f"/s/shop/approvals/{asked.pk}/approve/", {"seen": asked.fingerprint})


def is_held(send: Send) -> bool:
    return Send.objects.get(pk=send.pk).state == SendState.AWAITING


# -- rules ------------------------------------------------------------------------------------------------------------------


def test_rules_off_waits_on_the_page_and_a_send_meanwhile_is_held(cast):
    page = cast["admin"].post("/s/shop/settings/approval/", RULES_OFF, follow=True)
    assert "waits for another admin" in page.content.decode()
    assert ApprovalRules.objects.get().size_approvers == 1
    assert is_held(sent_by(cast, "admin", 40))


def test_rules_off_waits_in_the_admin_too_and_they_cannot_be_deleted_there(cast):
    url = f"/admin/sms/approvalrules/{cast.service.pk}/change/"
    assert cast["admin"].post(url, RULES_OFF).status_code == 302
    cast["admin"].post(url.replace("change", "delete"), {"post": "yes"})
    assert ApprovalRules.objects.get().most == 1
    assert change_of(cast).asked_by == cast.users["admin"]


@pytest.mark.parametrize(
    "change",
    [{"size": "1000"}, {"size": "", "size_approvers": "0"}, {"new_sender": "0"}, {"valid_hours": "720"}],
    ids=str,
)
def test_each_weaker_rule_waits_and_a_stricter_one_beside_it_counts_at_once(cast, change):
    now = {"size": "10", "size_approvers": "1", "new_sender": "1", "valid_hours": "24"}
    typed = RULES_OFF | now | {"new_domain": "2"} | change
    cast["admin"].post("/s/shop/settings/approval/", typed)
    rules = ApprovalRules.objects.get()
    assert (rules.size, rules.size_approvers, rules.new_sender, rules.valid_hours) == (10, 1, 1, 24)
    assert rules.new_domain == 2
    confirm(cast["second"], change_of(cast))
    rules.refresh_from_db()
    for name, value in change.items():
        assert str(getattr(rules, name) or "") == value.replace("0", "") or str(getattr(rules, name)) == value


def test_who_asked_cannot_confirm_and_nobody_else_than_an_admin(cast):
    cast["admin"].post("/s/shop/settings/approval/", RULES_OFF)
    for who in ("admin", "composer", "approver", "auditor"):
        confirm(cast[who], change_of(cast))
    assert ApprovalRules.objects.get().most == 1


def test_a_second_admin_confirms_and_it_counts(cast):
    cast["admin"].post("/s/shop/settings/approval/", RULES_OFF)
    assert "Needs" not in cast["admin"].get("/s/shop/").content.decode()
    assert "waits for a second admin" in cast["second"].get("/s/shop/").content.decode()
    confirm(cast["second"], change_of(cast))
    assert ApprovalRules.objects.get().most == 0
    acts = list(AuditEvent.objects.filter(act__startswith="guard.").values_list("act", "actor_label"))
    assert sorted(acts) == [("guard.asked", "admin@example.test"), ("guard.confirmed", "second@example.test")]


def test_a_second_admin_declines_with_a_reason_and_all_admins_hear_of_both(cast):
    cast["admin"].post("/s/shop/settings/approval/", RULES_OFF)
    run_job("notice mails")
    url = f"/s/shop/settings/waiting-changes/{change_of(cast).pk}/decline/"
    assert cast["second"].post(url, {"reason": ""}).status_code == 422
    cast["second"].post(url, {"reason": "Not agreed"})
    run_job("notice mails")
    asked, also, declined, _ = mail.outbox
    assert [one.to for one in mail.outbox] == [["admin@example.test"], ["second@example.test"]] * 2
    assert asked.subject == also.subject == "Textdesk: “Approval rules” waits for a second admin"
    assert "from One approver to No approval" in asked.body
    assert "Not agreed" in declined.body
    a_day_later()
    assert ApprovalRules.objects.get().most == 1


def test_unanswered_it_takes_effect_after_a_day_and_not_before(cast):
    cast["admin"].post("/s/shop/settings/approval/", RULES_OFF)
    run_job("waiting changes")
    assert ApprovalRules.objects.get().most == 1
    WaitingChange.objects.update(takes_effect_at=timezone.now())
    run_job("waiting changes")
    assert ApprovalRules.objects.get().most == 0
    assert change_of(cast, ChangeState.ELAPSED).ended_by == "Textdesk"


def test_what_was_made_stricter_since_is_not_undone_by_an_old_wish(cast):
    cast["admin"].post("/s/shop/settings/approval/", RULES_OFF)
    ApprovalRules.objects.update(size_approvers=2)
    a_day_later()
    assert ApprovalRules.objects.get().size_approvers == 2
    assert change_of(cast, ChangeState.VOID).because


def test_a_page_that_forgets_to_ask_is_refused_when_it_saves(cast):
    rules = ApprovalRules.objects.get()
    rules.size_approvers = rules.new_sender = 0
    with watching(), pytest.raises(GuardedChange):
        rules.save()
    with watching(), pytest.raises(GuardedChange):
        Membership.objects.create(user=cast.users["admin"], service=cast.service, role=Role.APPROVER)


def test_a_service_that_is_still_set_up_is_not_hampered(cast):
    Membership.objects.filter(role=Role.APPROVER).delete()
    ApprovalRules.objects.update(set_up=False)  # as if there never had been one
    cast["admin"].post("/s/shop/settings/approval/", RULES_OFF)
    assert ApprovalRules.objects.get().most == 0


def test_without_approval_nothing_waits(cast):
    ApprovalRules.objects.all().delete()
    form = {
        "name": "Shop",
        "scopes": ["send"],
        "per_minute": "60",
        "purpose": "marketing",
        "resend": "evidence",
    }
    cast["admin"].post("/s/shop/api-keys/", form)
    assert ApiKey.objects.get().usable
    assert not WaitingChange.objects.exists()


# -- people -----------------------------------------------------------------------------------------------------------------


def invited(cast) -> User:
    cast["admin"].post(
        "/s/shop/settings/people/", {"email": "x@nowhere.invalid", "roles": ["approver", "auditor"]}
    )
    invitation = Invitation.objects.get()
    return people.join(invitation, password="correct horse battery")


def test_an_approver_of_ones_own_making_approves_nothing(cast):
    stooge = invited(cast)
    held = lambda: sorted(stooge.memberships.values_list("role", flat=True))  # noqa: E731
    assert held() == ["auditor"]
    send = sent_by(cast, "admin", 40)
    a_day_later()
    assert held() == ["approver", "auditor"]
    cast.users["stooge"] = stooge
    assert approve(cast["stooge"], send).status_code == 422
    assert is_held(send)
    other = sent_by(cast, "composer", 40)
    approve(cast["stooge"], other)
    assert not is_held(other)


def test_an_approver_whom_two_admins_made_answers_for_themselves(cast):
    stooge = invited(cast)
    confirm(cast["second"], change_of(cast))
    send = sent_by(cast, "admin", 40)
    cast.users["stooge"] = stooge
    approve(cast["stooge"], send)
    assert not is_held(send)


def test_ones_own_role_of_approver_waits_and_back_again_does_not_help(cast):
    user = cast.users["admin"]
    cast["admin"].post(f"/s/shop/settings/people/{user.pk}/", {"roles": ["admin", "approver"]})
    assert not user.memberships.filter(role="approver").exists()
    send = sent_by(cast, "admin", 40)
    confirm(cast["second"], change_of(cast))
    assert user.memberships.filter(role="approver").exists()
    approve(cast["admin"], send)
    cast["admin"].post(f"/s/shop/settings/people/{user.pk}/", {"roles": ["admin"]})
    assert is_held(send)


def test_a_role_given_in_the_admin_waits_as_well(cast):
    boss = User.objects.create_superuser("boss@example.test", "correct horse battery")
    cast.users["boss"] = boss
    other = cast.users["composer"]
    page = cast["boss"].get(f"/admin/portal/user/{other.pk}/change/")
    form = page.context["adminform"].form
    data = {"email": other.email, "is_active": "on", "time_zone": "", "first_name": "", "last_name": ""}
    rows = list(other.memberships.all())
    data |= {"memberships-TOTAL_FORMS": len(rows) + 1, "memberships-INITIAL_FORMS": len(rows)}
    for at, row in enumerate(rows):
        data |= {f"memberships-{at}-id": row.pk, f"memberships-{at}-user": other.pk}
        data |= {f"memberships-{at}-service": row.service_id, f"memberships-{at}-role": row.role}
    at = len(rows)
    data |= {f"memberships-{at}-user": other.pk, f"memberships-{at}-service": cast.service.pk}
    data |= {f"memberships-{at}-role": "approver"}
    assert form
    assert cast["boss"].post(f"/admin/portal/user/{other.pk}/change/", data).status_code == 302
    assert not other.memberships.filter(role="approver").exists()
    confirm(cast["admin"], change_of(cast))
    assert other.memberships.filter(role="approver").exists()


def test_a_superuser_is_made_by_two(cast):
    boss = User.objects.create_superuser("boss@example.test", "correct horse battery")
    cast.users["boss"] = boss
    other = cast.users["foreigner"]
    data = {"email": other.email, "is_active": "on", "is_superuser": "on", "time_zone": ""}
    row = other.memberships.get()
    data |= {"memberships-TOTAL_FORMS": 1, "memberships-INITIAL_FORMS": 1, "memberships-0-id": row.pk}
    data |= {
        "memberships-0-user": other.pk,
        "memberships-0-service": row.service_id,
        "memberships-0-role": row.role,
    }
    assert cast["boss"].post(f"/admin/portal/user/{other.pk}/change/", data).status_code == 302
    other.refresh_from_db()
    assert not other.is_superuser
    confirm(cast["boss"], change_of(cast))
    confirm(cast["admin"], change_of(cast))  # admins of one service answer for that one
    other.refresh_from_db()
    assert not other.is_superuser


def test_who_set_an_approvers_password_is_that_approver_for_some_days(cast):
    boss = User.objects.create_superuser("boss@example.test", "correct horse battery")
    cast.users["boss"] = boss
    approver = cast.users["approver"]
    word = "a new word for somebody"
    data = {"password1": word, "password2": word, "usable_password": "true"}
    assert cast["boss"].post(f"/admin/portal/user/{approver.pk}/password/", data).status_code == 302
    send = sent_by(cast, "boss", 40)
    approver.refresh_from_db()
    cast["approver"].force_login(approver)
    assert approve(cast["approver"], send).status_code == 422
    User.objects.filter(pk=approver.pk).update(vouched_at=timezone.now() - timedelta(days=8))
    approve(cast["approver"], send)
    assert not is_held(send)


def test_two_yeses_of_one_person_are_one(cast):
    ApprovalRules.objects.update(size_approvers=2)
    boss = User.objects.create_superuser("boss@example.test", "correct horse battery")
    cast.users |= {"boss": boss, "second_account": a_person("of_boss", cast.service)}
    Membership.objects.filter(user=cast.users["second_account"]).update(given_by=boss)
    send = sent_by(cast, "composer", 40)
    approve(cast["boss"], send)
    assert approve(cast["boss"], send).status_code == 422
    assert approve(cast["second_account"], send).status_code == 422
    assert is_held(send)
    approve(cast["approver"], send)
    assert not is_held(send)


# -- keys -------------------------------------------------------------------------------------------------------------------


def a_key_by(cast, who: str) -> str:
    form = {
        "name": "Robot",
        "scopes": ["send"],
        "per_minute": "600",
        "purpose": "marketing",
        "resend": "evidence",
    }
    page = cast[who].post("/s/shop/api-keys/", form).content.decode()
    return re.search(r'class="copy">([^<]+)<', page).group(1)


def test_a_key_opens_nothing_until_a_second_admin_agreed_and_its_maker_is_an_author(cast):
    token, numbers = a_key_by(cast, "admin"), [f"4477009000{at:02d}" for at in range(30)]
    assert drop_in.post(token, drop_in.body(*numbers)).status_code == 401
    confirm(cast["second"], change_of(cast))
    assert drop_in.post(token, drop_in.body(*numbers)).status_code in (200, 201, 202)
    send = Send.objects.get()
    assert is_held(send)
    Membership.objects.create(user=cast.users["admin"], service=cast.service, role=Role.APPROVER)
    assert approve(cast["admin"], send).status_code == 422
    approve(cast["approver"], send)
    assert not is_held(send)


def test_a_superusers_key_makes_them_an_author_as_well(cast):
    cast.users["boss"] = User.objects.create_superuser("boss@example.test", "correct horse battery")
    token = a_key_by(cast, "boss")
    confirm(cast["admin"], change_of(cast))
    drop_in.post(token, drop_in.body(*[f"4477009000{at:02d}" for at in range(30)]))
    send = Send.objects.get()
    assert approve(cast["boss"], send).status_code == 422
    assert is_held(send)


@pytest.mark.parametrize("door", ["page", "admin"])
def test_a_key_that_is_widened_waits(cast, door):
    key, _ = api_keys.make(cast.service, name="Robot", scopes=["send"], by=Actor.system("cli"))
    wide = {"purpose": "transactional", "resend": "evidence"}
    url = f"/s/shop/api-keys/{key.pk}/" if door == "page" else f"/admin/sms/apikey/{key.pk}/change/"
    assert cast["admin"].post(url, wide).status_code == 302
    key.refresh_from_db()
    assert key.purpose == "marketing"
    confirm(cast["second"], change_of(cast))
    key.refresh_from_db()
    assert key.purpose == "transactional"


def test_an_operator_of_the_host_acts_at_once_and_all_admins_get_a_notice(cast, capsys):
    call_command("api_key", service="shop", name="Ops", scopes="send")
    assert ApiKey.objects.get().usable
    assert change_of(cast, ChangeState.AT_ONCE).asked_label == "Textdesk"
    run_job("notice mails")
    assert [one.to for one in mail.outbox] == [["admin@example.test"], ["second@example.test"]]


# -- connection and retention -----------------------------------------------------------------------------------------------

ELSEWHERE = {
    "name": "Shop",
    "base_url": "https://evil.example",
    "auth_kind": "key",
    "api_key": "not-to-be-seen",
    "jwt_service_id": "",
    "jwt_secret": "",
    "receipt_secret": "",
    "receipt_algorithm": "sha256",
}


def test_another_connection_waits_as_a_whole_and_its_key_goes_nowhere_until_then(cast):
    before = Service.objects.get(pk=cast.service.pk)
    cast["admin"].post("/s/shop/settings/", ELSEWHERE | {"region": cast.service.region_id})
    now = Service.objects.get(pk=cast.service.pk)
    assert (now.provider_url, now.api_key, now.secrets_origin) == (
        before.provider_url,
        before.api_key,
        before.secrets_origin,
    )
    change = change_of(cast)
    assert "not-to-be-seen" not in str(change.says)
    confirm(cast["second"], change)
    now.refresh_from_db()
    assert (now.base_url, now.api_key, now.secrets_origin) == (
        "https://evil.example",
        "not-to-be-seen",
        "https://evil.example",
    )


def test_shorter_retention_waits_and_longer_counts_at_once(cast):
    Service.objects.update(keep_messages=100)
    days = {"keep_bodies": "30", "keep_numbers": "", "keep_receipts": "", "keep_messages": "200"}
    cast["admin"].post("/s/shop/settings/retention/", days)
    service = Service.objects.get(pk=cast.service.pk)
    assert (service.keep_bodies, service.keep_messages) == (None, 200)
    a_day_later()
    service.refresh_from_db()
    assert service.keep_bodies == 30


def test_a_key_that_is_removed_waits_too_and_the_page_says_so(cast):
    form = ELSEWHERE | {"region": cast.service.region_id, "base_url": "", "auth_kind": "jwt", "api_key": ""}
    form |= {"remove_api_key": "on", "jwt_service_id": "made-up", "jwt_secret": "c2VjcmV0"}
    page = cast["admin"].post("/s/shop/settings/", form, follow=True)
    assert "waits for another admin" in page.content.decode()
    assert Service.objects.get(pk=cast.service.pk).api_key == "a-key"
    a_day_later()
    service = Service.objects.get(pk=cast.service.pk)
    assert (service.auth_kind, service.api_key, service.jwt_secret) == ("jwt", "", "c2VjcmV0")


# -- a service in which nothing was sent yet ---------------------------------------------------------------------------------


def take_the_approver_away(cast) -> None:
    cast["admin"].post(f"/s/shop/settings/people/{cast.users['approver'].pk}/remove/")
    assert not cast.users["approver"].memberships.exists()


def switch_the_approver_off(cast) -> None:
    user = cast.users["approver"]
    user.is_active = False
    user.save()


def ask_for_more_approvers_than_there_are(cast) -> None:
    cast["admin"].post("/s/shop/settings/approval/", RULES_OFF | {"size": "10", "size_approvers": "2"})


@pytest.mark.parametrize(
    "first", [take_the_approver_away, switch_the_approver_off, ask_for_more_approvers_than_there_are]
)
def test_what_was_set_up_once_is_not_being_set_up_again(cast, first):
    first(cast)
    cast["admin"].post("/s/shop/settings/approval/", RULES_OFF)
    assert ApprovalRules.objects.get().most > 0
    assert is_held(sent_by(cast, "admin", 40))
    confirm(cast["second"], change_of(cast))
    assert (ApprovalRules.objects.get().most, ApprovalRules.objects.get().set_up) == (0, False)


# -- spend caps -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "raised",
    [{"cap_day": ""}, {"cap_key": "21000"}, {"countries": "GB, FR 9000"}, {"countries": "GB, CU"}],
    ids=str,
)
def test_a_raised_cap_waits_and_a_lower_one_beside_it_counts_at_once(cast, raised):
    Service.objects.update(cap_day=200_000, cap_key=20_000, cap_country=5_000, cap_number=50, countries="")
    usual = {"cap_day": "200000", "cap_key": "20000", "cap_country": "5000", "cap_number": "10"}
    page = cast["admin"].post("/s/shop/settings/caps/", usual | raised, follow=True)
    assert "waits for another admin" in page.content.decode()
    now = Service.objects.get(slug="shop")
    assert (now.cap_day, now.cap_key, now.countries, now.cap_number) == (200_000, 20_000, "", 10)
    confirm(cast["second"], change_of(cast))
    now.refresh_from_db()
    assert str(getattr(now, *raised) or "") == next(iter(raised.values()))


def test_a_keys_own_cap_waits_where_it_is_higher_than_that_of_the_service(cast):
    Service.objects.update(cap_key=100)
    admin = acting(cast.users["admin"])
    key, _ = api_keys.make(service=cast.service, name="Shop", scopes=["send"], by=admin)
    ApiKey.objects.update(confirmed=True)
    key.refresh_from_db()
    assert api_keys.change(key, by=admin, cap_day=50) == ["cap_day"]
    assert api_keys.change(key, by=admin, cap_day=101) == []
    assert change_of(cast).touches == f"sms.ApiKey:{key.pk}"
