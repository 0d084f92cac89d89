"""Roles that groups of single sign-on give and take, superusers among them, and the page that says which."""

import pytest
from allauth.socialaccount.models import SocialAccount
from django.test import Client

from portal.models import GroupRole, Membership, User
from sms.models import ApprovalRules, AuditEvent, WaitingChange
from tests.support import oidc_issuer
from tests.support.factors import PASSWORD
from tests.support.pages import text_of
from tests.support.people import a_cast
from tests.support.single_sign_on import code_of, is_in, set_up, signs_in

pytestmark = pytest.mark.django_db
URL = "/single-sign-on/"


@pytest.fixture(scope="module")
def issuer(tmp_path_factory):
    redirect = "http://127.0.0.1:8000/accounts/sso/callback/"
    with oidc_issuer.running(tmp_path_factory.mktemp("issuer"), redirect=redirect) as running:
        yield running


@pytest.fixture(autouse=True)
def desk(issuer, settings):
    set_up(settings, issuer.url)


@pytest.fixture
def cast():
    return a_cast(waiting=True)


def says(issuer, email: str, groups: object, **more: object) -> None:
    issuer.knows(ada={"email": email, "email_verified": True, "groups": groups} | more)


def roles_of(email: str) -> set[tuple[str, str]]:
    return set(Membership.objects.filter(user__email=email).values_list("service__slug", "role"))


def test_a_group_lets_a_stranger_in_and_leaving_it_takes_the_role(cast, issuer):
    GroupRole.objects.create(group="texters", service=cast.service, role="composer")
    GroupRole.objects.create(group="texters", service=cast.other, role="auditor")
    GroupRole.objects.create(group="chiefs", service=cast.service, role="admin")
    says(issuer, "new@elsewhere.test", ["texters", "canteen"])
    client = Client()
    signs_in(client)
    assert client.get("/s/shop/compose/").status_code == 200
    assert roles_of("new@elsewhere.test") == {("shop", "composer"), ("foreign", "auditor")}
    says(issuer, "new@elsewhere.test", ["chiefs"])
    signs_in(Client())
    assert roles_of("new@elsewhere.test") == {("shop", "admin")}
    says(issuer, "new@elsewhere.test", [])
    last = Client()
    signs_in(last)
    assert roles_of("new@elsewhere.test") == set()
    assert last.get("/s/shop/").status_code == 404
    rows = AuditEvent.objects.filter(noun="person").order_by("pk")
    assert {one.actor_label for one in rows} == {"Single sign-on"}
    assert (rows.last().act, rows.last().details["before"]) == ("person.removed", ["admin"])


@pytest.mark.parametrize(
    "sent", [["texters"], "texters", "canteen,texters", "canteen texters", ["", 7, None, "texters"]]
)
def test_the_shapes_in_which_issuers_send_groups(cast, issuer, sent):
    GroupRole.objects.create(group="texters", service=cast.service, role="composer")
    says(issuer, "new@elsewhere.test", sent)
    client = Client()
    signs_in(client)
    assert roles_of("new@elsewhere.test") == {("shop", "composer")}


@pytest.mark.parametrize(
    "sent", ["textersx", ["Texters"], [["texters"]], {"other": 1}, 7, True, None, ["x" * 300]]
)
def test_what_is_not_the_group_gives_nothing(cast, issuer, sent):
    GroupRole.objects.create(group="texters", service=cast.service, role="composer")
    says(issuer, "new@elsewhere.test", sent)
    client = Client()
    answer = signs_in(client)
    assert not is_in(client)
    assert answer.status_code == 403
    assert roles_of("new@elsewhere.test") == set()


def test_another_claim_can_hold_them(cast, issuer, settings):
    settings.OIDC_ROLE_CLAIM = "roles"
    GroupRole.objects.create(group="texters", service=cast.service, role="composer")
    says(issuer, "new@elsewhere.test", [], roles=["texters"])
    signs_in(Client())
    assert roles_of("new@elsewhere.test") == {("shop", "composer")}


def test_what_an_admin_gave_by_hand_stays(cast, issuer):
    GroupRole.objects.create(group="texters", service=cast.service, role="composer")
    GroupRole.objects.create(group="texters", service=cast.service, role="auditor")
    says(issuer, "composer@example.test", ["texters"])
    signs_in(Client())
    assert roles_of("composer@example.test") == {("shop", "composer"), ("shop", "auditor")}
    says(issuer, "composer@example.test", [])
    signs_in(Client())
    assert roles_of("composer@example.test") == {("shop", "composer")}


def test_a_group_that_gives_nothing_any_more_is_taken_back_at_the_next_sign_in(cast, issuer):
    GroupRole.objects.create(group="texters", service=cast.service, role="composer")
    says(issuer, "new@elsewhere.test", ["texters"])
    signs_in(Client())
    GroupRole.objects.all().delete()
    signs_in(Client())
    assert roles_of("new@elsewhere.test") == set()


def test_groups_that_were_cut_off_let_nobody_in_and_change_nothing(cast, issuer):
    GroupRole.objects.create(group="texters", service=cast.service, role="composer")
    says(issuer, "new@elsewhere.test", ["texters"])
    signs_in(Client())
    issuer.knows(
        ada={"email": "new@elsewhere.test", "email_verified": True, "_claim_names": {"groups": "src1"}}
    )
    client = Client()
    assert code_of(signs_in(client)) == "groups_cut"
    assert roles_of("new@elsewhere.test") == {("shop", "composer")}


def test_superuser_by_group_only_where_it_is_said_and_as_long_as_it_is(cast, issuer):
    says(issuer, "composer@example.test", ["superuser", "admin", "root"], is_superuser=True, is_staff=True)
    signs_in(Client())
    assert not User.objects.get(email="composer@example.test").is_superuser
    GroupRole.objects.create(group="root", service=None, role="")
    client = Client()
    signs_in(client)
    assert client.get(URL).status_code == 200
    says(issuer, "composer@example.test", [])
    signs_in(Client())
    assert client.get(URL).status_code == 403
    rows = AuditEvent.objects.filter(act="user.superuser_by_group").order_by("pk")
    assert [one.details["superuser"] for one in rows] == [True, False]
    # one who was made so by hand, and is in the group too, stays one without it
    User.objects.create_superuser("root@example.test", PASSWORD)
    SocialAccount.objects.all().delete()
    says(issuer, "root@example.test", ["root"])
    signs_in(Client())
    says(issuer, "root@example.test", [])
    signs_in(Client())
    assert User.objects.get(email="root@example.test").is_superuser


# --- The page -------------------------------------------------------------------------------------------------------------
@pytest.fixture
def chief(cast):
    client = Client()
    client.force_login(User.objects.create_superuser("root@example.test", PASSWORD))
    return client


def test_only_superusers_see_and_change_it(cast, issuer):
    row = GroupRole.objects.create(group="texters", service=cast.service, role="composer")
    says(issuer, "composer@example.test", [])
    signs_in(Client())
    bound = SocialAccount.objects.get()
    for who in ("composer", "admin"):
        assert cast[who].get(URL).status_code == 403
        assert cast[who].post(URL, {"group": "x", "role": "superuser"}).status_code == 403
        assert cast[who].post(f"{URL}{row.pk}/remove/").status_code == 403
        assert cast[who].post(f"{URL}bound/{bound.pk}/unbind/").status_code == 403
    assert GroupRole.objects.count() == 1
    assert SocialAccount.objects.count() == 1


def test_a_group_is_added_and_removed_and_audited(cast, chief, issuer):
    given = {"group": "texters", "service": cast.service.pk, "role": "composer"}
    page = chief.post(URL, given, follow=True)
    assert "texters Composer of Shop" in text_of(page)
    assert "/accounts/sso/callback/" in text_of(page)
    assert chief.post(URL, given).status_code == 422
    chief.post(URL, {"group": "root", "service": "", "role": "superuser"})
    for row in GroupRole.objects.all():
        chief.post(f"{URL}{row.pk}/remove/")
    acts = list(AuditEvent.objects.order_by("pk").values_list("act", flat=True))
    assert acts == ["group_role.added"] * 2 + ["group_role.deleted"] * 2
    first = AuditEvent.objects.earliest("pk")
    assert first.details == {"group": "texters", "gives": "composer", "of": "shop"}


def test_while_approval_is_on_a_group_gives_roles_when_a_second_person_agreed(cast, chief, issuer):
    ApprovalRules.objects.create(service=cast.service, size=10, size_approvers=1)
    chief.post(URL, {"group": "chiefs", "service": cast.service.pk, "role": "approver"})
    says(issuer, "composer@example.test", ["chiefs"])
    signs_in(Client())
    assert roles_of("composer@example.test") == {("shop", "composer")}
    change = WaitingChange.objects.get(state="waiting")
    cast["admin"].post(f"/s/shop/settings/waiting-changes/{change.pk}/confirm/")
    signs_in(Client())
    assert roles_of("composer@example.test") == {("shop", "composer"), ("shop", "approver")}


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"group": "", "role": "composer"}, "group"),
        ({"group": "x", "role": "composer"}, "service"),
        ({"group": "x", "role": "superuser", "service": "shop"}, "service"),
        ({"group": "x", "role": "king"}, "role"),
        ({"group": "x" * 201, "role": "superuser"}, "group"),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_field(cast, chief, given, field):
    if "service" in given:
        given = given | {"service": cast.service.pk}
    page = chief.post(URL, given)
    assert page.status_code == 422
    assert field in page.context["form"].errors
    assert not GroupRole.objects.exists()


def test_unbinding_lets_the_address_count_once_more(cast, chief, issuer):
    says(issuer, "composer@example.test", [])
    signs_in(Client())
    issuer.knows(bob={"email": "composer@example.test", "email_verified": True})
    assert code_of(signs_in(Client(), "bob")) == "bound_elsewhere"
    chief.post(f"{URL}bound/{SocialAccount.objects.get().pk}/unbind/")
    client = Client()
    signs_in(client, "bob")
    assert is_in(client)
    assert AuditEvent.objects.filter(act="user.sso_unbound").count() == 1
