"""A second factor that is asked for: by the desk and by role, with days of grace, and never of programs."""

import re
from datetime import timedelta

import pytest
from django.contrib.staticfiles.finders import find
from django.core import mail
from django.test import Client
from django.utils import timezone

from portal import factor_gate, factors
from portal.models import FactorRule, Membership, Role, User
from sms.models import AuditEvent
from tests.support.drop_in import body
from tests.support.factors import PASSWORD, a_code, asked, has_any, reauthenticated, with_app
from tests.support.pages import text_of
from tests.support.partners import a_key
from tests.support.people import a_cast, a_person
from tests.support.routes import patterns

pytestmark = [pytest.mark.django_db, pytest.mark.once]  # kept in sessions, and in rows of a library

RULES = "/s/shop/settings/second-factor/"
SET_UP = "/accounts/2fa/"


@pytest.fixture
def cast():
    return a_cast(waiting=True)


def superuser(**fields) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root@example.test", PASSWORD, **fields))
    return client


def test_within_the_days_of_grace_every_page_counts_them_down(cast):
    asked(cast.service, role="composer", days_ago=10, grace_days=14)
    for page in (
        "/s/shop/",
        "/s/shop/compose/",
        "/",
        "/accounts/details/",
        SET_UP,
        "/accounts/password/change/",
    ):
        said = text_of(cast["composer"].get(page, follow=True))
        assert "A second factor is asked of every composer of Shop" in said, page
        assert re.search(r"You have 3\sdays, 23\shours left", said), page
    assert "second factor is asked" not in text_of(cast["approver"].get("/s/shop/"))


def test_afterwards_only_its_set_up_opens_whatever_the_address(cast):
    asked(cast.service, role="composer", days_ago=15, grace_days=14)
    client = cast["composer"]
    tried = 0
    for path, name, entry in patterns():
        if path.startswith("admin/") or not getattr(entry.callback, "login_required", True):
            continue
        url = "/" + re.sub(r"<(?:slug|str):\w+>", "shop", re.sub(r"<int:\w+>|<path:\w+>", "1", path))
        if "(?P" in url or name in factor_gate.OPEN:
            continue
        for answer in (client.get(url), client.post(url)):
            assert (answer.status_code, answer.headers.get("Location")) == (302, SET_UP), url
            tried += 1
    assert tried > 200
    assert "days of grace are over" in text_of(client.get(SET_UP))
    live = client.get("/s/shop/", headers={"hx-request": "true"})
    assert live.headers["HX-Redirect"] == SET_UP


def test_the_admin_site_is_shut_too(cast):
    asked(cast.service, role="admin", days_ago=1)
    for page in ("/admin/", "/admin/sms/sender/", "/admin/sms/send/add/"):
        assert cast["admin"].get(page).headers["Location"] == SET_UP
        assert cast["admin"].post(page).headers["Location"] == SET_UP


def test_setting_one_up_opens_the_desk_and_shows_recovery_codes_once(cast):
    asked(days_ago=1)
    client = reauthenticated(cast["composer"])
    page = client.get(f"{SET_UP}totp/activate/")
    secret = page.context["form"].secret
    done = client.post(f"{SET_UP}totp/activate/", {"code": a_code(secret)})
    assert done.headers["Location"] == f"{SET_UP}recovery-codes/"
    shown = text_of(client.get(done.headers["Location"]))
    codes = re.findall(r"\b\d{8}\b", shown)
    assert len(codes) == 10
    again = text_of(client.get(done.headers["Location"]))
    assert not set(codes) & set(re.findall(r"\b\d{8}\b", again))
    assert "not shown again" in again
    assert client.get("/s/shop/").status_code == 200


def test_the_secret_of_an_app_waits_sealed_in_the_session(cast):
    client = reauthenticated(cast["composer"])
    secret = client.get(f"{SET_UP}totp/activate/").context["form"].secret
    assert secret not in str(dict(client.session))
    assert "gAAAA" in str(dict(client.session))


def test_programs_and_what_needs_no_signing_in_are_never_caught(cast):
    key = a_key(cast.service)
    asked(days_ago=1)
    cast["composer"].get("/")
    for client in (cast["composer"], cast["admin"], Client()):
        assert client.get("/api/v1/sends", headers={"key": key}).status_code == 200
        assert client.get("/api/v1/sends").status_code == 401
        sent = client.post("/v2/messages", body(), content_type="application/json", headers={"key": key})
        assert sent.status_code == 201, sent.content
        receipt = f"/receipts/{cast.service.receipt_token}/"
        assert client.post(receipt, {}, content_type="application/json").status_code == 200
        assert client.get("/healthz").status_code == 200
        assert client.get("/accounts/login/").status_code in (200, 302)
        assert client.get("/accounts/logout/").status_code in (200, 302)
    assert find("js/page.js")
    assert cast["composer"].post("/accounts/logout/").headers["Location"] != SET_UP
    assert cast["composer"].get("/s/shop/").headers["Location"].startswith("/accounts/login/")


def test_recovery_codes_alone_are_no_second_factor(cast):
    asked(days_ago=1)
    with_app(cast.users["composer"])
    cast.users["composer"].authenticator_set.filter(type="totp").delete()
    assert cast["composer"].get("/s/shop/").headers["Location"] == SET_UP


@pytest.mark.parametrize("who", ["composer", "approver", "auditor", "admin", "foreigner"])
def test_the_desk_asks_everybody_or_admins(cast, who):
    rule = asked(role="admin", days_ago=1)
    shut = cast[who].get("/").headers.get("Location") == SET_UP
    assert shut == (who in ("admin", "foreigner"))
    FactorRule.objects.filter(pk=rule.pk).update(role="")
    assert cast[who].get("/").headers.get("Location") == SET_UP


def test_a_superuser_counts_as_an_admin_of_the_desk(cast):
    client = superuser()
    asked(role="admin", days_ago=1)
    assert client.get("/").headers["Location"] == SET_UP


def test_who_comes_later_has_the_days_from_then(cast):
    asked(cast.service, role="composer", days_ago=100, grace_days=7)
    late = User.objects.create_user("late@example.test", PASSWORD)
    Membership.objects.create(user=late, service=cast.service, role="composer")
    client = Client()
    client.force_login(late)
    assert "You have 6" in text_of(client.get("/s/shop/"))
    assert factors.demand_of(late).until > timezone.now() + timedelta(days=6)


def test_the_strictest_of_several_rules_counts(cast):
    asked(grace_days=30)
    asked(cast.service, role="composer", days_ago=2, grace_days=1)
    assert cast["composer"].get("/s/shop/").headers["Location"] == SET_UP
    assert cast["approver"].get("/s/shop/").status_code == 200


def test_an_admin_asks_by_role_and_it_is_audited_with_what_it_was(cast):
    page = cast["admin"].post(RULES, {"roles": ["admin", "approver"], "grace_days": "7"}, follow=True)
    assert "Saved. It counts from the next click" in text_of(page)
    cast["admin"].post(RULES, {"roles": ["admin"], "grace_days": "30"})
    cast["admin"].post(RULES, {"roles": ["admin"], "grace_days": "30"})
    cast["admin"].post(RULES, {"roles": [], "grace_days": "30"})
    acts = list(AuditEvent.objects.filter(act="factor_rule.changed").order_by("pk"))
    assert [one.service_slug for one in acts] == ["shop"] * 3
    assert acts[1].details == {
        "before": [{"role": "admin", "grace_days": 7}, {"role": "approver", "grace_days": 7}],
        "after": [{"role": "admin", "grace_days": 30}],
    }
    assert acts[2].details["after"] == []
    assert not FactorRule.objects.exists()


def test_asking_more_roles_does_not_begin_the_days_anew(cast):
    rule = asked(cast.service, role="admin", days_ago=3, grace_days=7)
    cast["admin"].post(RULES, {"roles": ["admin", "composer"], "grace_days": "7"})
    assert FactorRule.objects.get(role="admin").since == rule.since


def test_all_admins_hear_of_a_looser_rule_and_of_no_stricter_one(cast, django_capture_on_commit_callbacks):
    a_person("second@example.test", cast.service, Role.ADMIN)
    User.objects.create_superuser("root@example.test", PASSWORD)

    def saved(**typed) -> list[list[str]]:
        mail.outbox.clear()
        with django_capture_on_commit_callbacks(execute=True):
            cast["admin"].post("/s/shop/settings/second-factor/", typed)
        return [sorted(one.bcc) for one in mail.outbox]

    all_of_them = [["admin@example.test", "root@example.test", "second@example.test"]]
    assert saved(roles=["admin", "composer"], grace_days="3") == []
    assert saved(roles=["admin", "composer"], grace_days="2") == []
    assert saved(roles=["admin"], grace_days="2") == all_of_them
    assert saved(roles=["admin"], grace_days="9") == all_of_them
    assert "admin@example.test changed" in mail.outbox[0].body
    assert saved(grace_days="9") == all_of_them
    assert "Now: nobody" in mail.outbox[0].body


@pytest.mark.parametrize("days", ["-1", "91", "", "many"])
def test_days_that_make_no_sense_are_refused(cast, days):
    page = cast["admin"].post(RULES, {"roles": ["admin"], "grace_days": days})
    assert page.status_code == 422
    assert not FactorRule.objects.exists()


def test_only_superusers_decide_for_the_desk(cast):
    for who in ("composer", "admin"):
        assert cast[who].get("/second-factor/").status_code == 403
        assert cast[who].post("/second-factor/", {"who": "nobody", "grace_days": "1"}).status_code == 403
    client = superuser()
    client.post("/second-factor/", {"who": "everybody", "grace_days": "5"})
    assert FactorRule.objects.get().grace_days == 5
    client.post("/second-factor/", {"who": "nobody", "grace_days": "5"})
    assert not FactorRule.objects.exists()
    assert AuditEvent.objects.filter(act="factor_rule.changed", service_slug="").count() == 2


def test_admins_and_superusers_see_who_lacks_it_and_since_when(cast):
    with_app(cast.users["approver"])
    asked(days_ago=3, grace_days=2)
    with_app(cast.users["admin"])
    said = text_of(cast["admin"].get(RULES))
    since = (timezone.now() - timedelta(days=3)).strftime("%-d %b %Y")
    assert f"composer@example.test everybody {since} shut since" in said
    lacking = {one.user.email for one in factors.lacking(cast.service)}
    assert lacking == {"composer@example.test", "auditor@example.test"}
    client = superuser()
    FactorRule.objects.update(grace_days=10)
    assert "foreigner@example.test" in text_of(client.get("/second-factor/"))


def test_the_last_factor_stays_while_one_is_asked(cast):
    with_app(cast.users["composer"])
    asked(days_ago=1)
    client = reauthenticated(cast["composer"])
    page = client.post(f"{SET_UP}totp/deactivate/")
    assert "You have to have a second factor here" in text_of(page)
    assert factors.has_one(cast.users["composer"])
    FactorRule.objects.all().delete()
    client.post(f"{SET_UP}totp/deactivate/")
    assert not has_any(cast.users["composer"])


# --- Taking a colleague's away --------------------------------------------------------------------------------------------
def reset(who: str, cast) -> str:
    return f"/s/shop/settings/people/{cast.users[who].pk}/reset/"


def test_an_admin_resets_a_colleagues_factor_with_a_mail_and_an_audit_row(cast):
    person = cast.users["composer"]
    with_app(person)
    shown = text_of(cast["admin"].get(f"/s/shop/settings/people/{person.pk}/"))
    assert "Reset their second factor" in shown
    assert "call them" in text_of(cast["admin"].get(reset("composer", cast)))
    page = cast["admin"].post(reset("composer", cast), follow=True)
    assert "They were told by e-mail" in text_of(page)
    assert not has_any(person)
    (letter,) = mail.outbox
    assert letter.to == [person.email]
    row = AuditEvent.objects.get(act="user.second_factor_reset")
    assert (row.actor_label, row.details["kinds"]) == ("admin@example.test", ["recovery_codes", "totp"])


def test_who_may_reset_whose(cast):
    both = cast.users["auditor"]
    Membership.objects.create(user=both, service=cast.other, role="composer")
    chief = User.objects.create_superuser("root@example.test", PASSWORD)
    Membership.objects.create(user=chief, service=cast.service, role="composer")
    cast.users["chief"] = chief
    for who in ("auditor", "chief", "composer", "admin"):
        with_app(cast.users[who])
    # of another service as well, a superuser, oneself
    for who in ("auditor", "chief", "admin"):
        assert cast["admin"].get(reset(who, cast)).status_code == 403
        assert cast["admin"].post(reset(who, cast)).status_code == 403
        assert has_any(cast.users[who])
    assert cast["approver"].post(reset("composer", cast)).status_code == 403
    assert cast["foreigner"].post(reset("composer", cast)).status_code == 404
    assert cast["chief"].post(reset("auditor", cast)).status_code == 302
    assert not has_any(both)
    assert mail.outbox[-1].to == [both.email]


def test_the_list_of_people_says_who_has_one(cast):
    with_app(cast.users["composer"])
    rows = cast["admin"].get("/s/shop/settings/people/").context["page"]
    assert {one.email for one in rows if one.has_factor} == {"composer@example.test"}
