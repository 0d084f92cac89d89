"""People of a service: invited by a link that works once, changed and removed at once, and never without an admin."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from portal import people
from portal.models import Invitation, Membership, Role, User
from sms.models import AuditEvent
from tests.support.people import Cast, a_cast
from tests.support.sends import BY

pytestmark = pytest.mark.django_db
URL = "/s/shop/settings/people/"
PASSWORD = "correct horse battery"


@pytest.fixture
def cast() -> Cast:
    return a_cast()


def text_of(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def invited(cast: Cast, email: str = "New@Example.test", roles=("composer", "auditor")) -> str:
    """The path of the link that the page shows."""
    response = cast["admin"].post(URL, {"email": email, "roles": roles}, follow=True)
    return re.search(r"https?://[^/]+(/invitations/[^<\s]+/)", response.content.decode())[1]


def user_of(role: str) -> User:
    return User.objects.get(email=f"{role}@example.test")


def test_what_no_database_keeps_is_refused_where_it_is_searched_for(cast):
    shown = text_of(cast["admin"].get(URL, {"q": "composer@"}))
    assert "composer@example.test" in shown
    assert "auditor@example.test" not in shown
    for url in (URL, "/s/shop/messages/"):
        page = cast["admin"].get(url, {"q": "compo\0ser@"})
        assert page.status_code == 400 and "“q” holds a character" in text_of(page)


def test_a_password_counts_as_it_was_typed(cast):
    typed = f" {PASSWORD} "
    Client().post(invited(cast), {"password": typed, "again": typed})
    for password, status in ((PASSWORD, 200), (typed, 302)):
        answer = Client().post("/accounts/login/", {"login": "new@example.test", "password": password})
        assert answer.status_code == status


def test_an_invitation_is_mailed_shown_and_used_once(cast):
    link = invited(cast)
    [letter] = mail.outbox
    assert (letter.to, link in letter.body) == (["new@example.test"], True)
    client = Client()
    assert "invites new@example.test" in text_of(client.get(link))
    response = client.post(link, {"password": PASSWORD, "again": PASSWORD})
    assert response.url == "/s/shop/"
    assert client.get("/s/shop/").status_code == 200
    assert client.get(URL).status_code == 403
    assert set(User.objects.get(email="new@example.test").memberships.values_list("role", flat=True)) == {
        "composer",
        "auditor",
    }
    again = Client().post(link, {"password": PASSWORD, "again": PASSWORD})
    assert again.status_code == 410
    assert "used already" in text_of(again)
    acts = [one.act for one in AuditEvent.objects.order_by("pk") if one.noun == "person"]
    assert acts == ["person.invited", "person.joined"]


def test_a_person_with_an_account_signs_in_and_joins(cast):
    link = invited(cast, "foreigner@example.test", ["approver"])
    assert f"?next={link}" in Client().get(link).content.decode().replace("%3A", ":")
    assert "You are signed in as" in text_of(cast["auditor"].get(link))
    assert cast["auditor"].post(link).status_code == 200
    assert not Membership.objects.filter(user=user_of("auditor"), role="approver").exists()
    assert cast["foreigner"].get("/s/shop/").status_code == 404
    assert cast["foreigner"].post(link).url == "/s/shop/"
    assert cast["foreigner"].get("/s/shop/").status_code == 200


def test_a_link_that_is_old_withdrawn_renewed_or_forged_leads_nowhere(cast):
    link = invited(cast)
    newer = invited(cast, roles=["auditor"])
    assert "a newer one was sent" in text_of(Client().get(link))
    assert "not complete" in text_of(Client().get(newer[:-3] + "/"))
    found = Invitation.objects.get()
    assert found.roles == ["auditor"]
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    late = Client().post(newer, {"password": PASSWORD, "again": PASSWORD})
    assert (late.status_code, User.objects.filter(email="new@example.test").exists()) == (410, False)
    assert "has expired" in text_of(late)
    assert "The link has expired" in text_of(cast["admin"].get(URL))
    cast["admin"].post(f"/s/shop/settings/invitations/{found.pk}/withdraw/")
    assert "was withdrawn" in text_of(Client().get(newer))
    assert Client().get("/invitations/nonsense/").status_code == 410


def test_two_who_press_at_once_join_once(cast):
    invited(cast)
    found = Invitation.objects.get()
    people.join(found, password=PASSWORD)
    with pytest.raises(people.InvitationGone):
        people.join(found, password=PASSWORD)
    with pytest.raises(people.InvitationGone):
        people.accept(found, User.objects.get(email="new@example.test"), by=BY)


@pytest.mark.parametrize(
    ("typed", "field", "says"),
    [
        ({"email": "nobody", "roles": ["auditor"]}, "email", "valid email"),
        ({"email": "a@b.test", "roles": []}, "roles", "Choose at least one role"),
        ({"email": "a@b.test", "roles": ["king"]}, "roles", "king"),
        ({"email": "AUDITOR@example.test", "roles": ["admin"]}, "email", "is here already"),
    ],
)
def test_a_mistake_is_reported_at_its_field(cast, typed, field, says):
    page = cast["admin"].post(URL, typed)
    assert page.status_code == 422
    assert says in str(page.context["form"].errors[field])
    assert not mail.outbox


def test_a_mail_server_that_is_away_loses_no_invitation(cast, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", 9, 1
    page = cast["admin"].post(URL, {"email": "a@b.test", "roles": ["auditor"]}, follow=True)
    assert "the e-mail could not be sent. Copy the link below" in text_of(page)
    assert "/invitations/" in page.content.decode()


def test_without_a_mail_server_no_link_goes_to_the_log(cast, settings, capsys):
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    page = cast["admin"].post(URL, {"email": "a@b.test", "roles": ["auditor"]}, follow=True)
    assert "no mail server is set up (EMAIL_URL). Copy the link below" in text_of(page)
    assert "/invitations/" not in capsys.readouterr().out


def test_roles_change_and_count_at_once(cast):
    composer = user_of("composer")
    assert cast["composer"].get("/s/shop/compose/").status_code == 200
    response = cast["admin"].post(f"{URL}{composer.pk}/", {"roles": ["auditor", "approver"]})
    assert response.status_code == 302
    assert cast["composer"].get("/s/shop/compose/").status_code == 302, "signed out, where a role was lost"
    cast["composer"].force_login(composer)
    assert cast["composer"].get("/s/shop/compose/").status_code == 403
    event = AuditEvent.objects.get(act="person.roles_changed")
    assert (event.details["before"], event.details["roles"]) == (["composer"], ["approver", "auditor"])


def test_who_is_removed_is_out_with_the_next_click(cast):
    auditor = user_of("auditor")
    assert cast["auditor"].get("/s/shop/").status_code == 200
    assert "at once" in text_of(cast["admin"].get(f"{URL}{auditor.pk}/remove/"))
    cast["admin"].post(f"{URL}{auditor.pk}/remove/")
    assert cast["auditor"].get("/s/shop/").status_code == 302, "signed out"
    cast["auditor"].force_login(auditor)
    assert cast["auditor"].get("/s/shop/").status_code == 404
    assert User.objects.filter(pk=auditor.pk).exists()
    assert AuditEvent.objects.get(act="person.removed").details["email"] == "auditor@example.test"


def test_the_last_admin_stays_everywhere(cast):
    admin = user_of("admin")
    page = cast["admin"].post(f"{URL}{admin.pk}/", {"roles": ["composer"]})
    assert page.status_code == 422
    assert "Shop would be left without an admin" in str(page.context["form"].errors)
    page = cast["admin"].post(f"{URL}{admin.pk}/remove/", follow=True)
    assert "would be left without an admin" in text_of(page)
    assert Membership.objects.filter(user=admin, role=Role.ADMIN).exists()
    # somebody who may not sign in is no admin that could help
    people.set_roles(cast.service, user_of("composer"), ["admin"], by=BY)
    User.objects.filter(email="composer@example.test").update(is_active=False)
    assert cast["admin"].post(f"{URL}{admin.pk}/", {"roles": ["composer"]}).status_code == 422
    User.objects.filter(email="composer@example.test").update(is_active=True)
    assert cast["admin"].post(f"{URL}{admin.pk}/remove/").url == "/"
    assert cast["admin"].get("/s/shop/").status_code == 404


def root() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root@example.test", PASSWORD))
    return client


def as_form(user: User, **changes) -> dict[str, object]:
    rows = list(user.memberships.all())
    fields = {
        "email": user.email,
        "is_active": "on",
        "memberships-TOTAL_FORMS": len(rows),
        "memberships-INITIAL_FORMS": len(rows),
    }
    for at, row in enumerate(rows):
        fields |= {
            f"memberships-{at}-id": row.pk,
            f"memberships-{at}-user": user.pk,
            f"memberships-{at}-service": row.service_id,
            f"memberships-{at}-role": row.role,
        }
    return {name: value for name, value in (fields | changes).items() if value is not None}


@pytest.mark.parametrize(
    "changes", [{"is_active": None}, {"memberships-0-DELETE": "on"}, {"memberships-0-role": "auditor"}]
)
def test_the_django_admin_keeps_the_last_admin_too(cast, changes):
    client, admin = root(), user_of("admin")
    address = f"/admin/portal/user/{admin.pk}/change/"
    page = client.post(address, as_form(admin, **changes))
    assert page.status_code == 200
    assert "Shop would be left without an admin" in text_of(page)
    page = client.post(f"/admin/portal/user/{admin.pk}/delete/", {"post": "yes"}, follow=True)
    assert "Shop would be left without an admin" in text_of(page)
    assert User.objects.get(pk=admin.pk).is_active
    assert Membership.objects.filter(user=admin, role="admin").exists()
    people.set_roles(cast.service, user_of("composer"), ["admin"], by=BY)
    assert client.post(address, as_form(admin, **changes)).status_code == 302


def test_the_list_asks_the_same_number_of_queries_for_one_and_for_many(cast, django_assert_max_num_queries):
    with django_assert_max_num_queries(12):
        cast["admin"].get(URL)
    many = User.objects.bulk_create(
        User(email=f"p{index}@example.test", password="!") for index in range(3000)
    )
    Membership.objects.bulk_create(
        Membership(user=one, service=cast.service, role="composer") for one in many
    )
    with django_assert_max_num_queries(12):
        page = cast["admin"].get(URL)
    assert len(page.context["page"]) == 50
    assert [one.email for one in cast["admin"].get(f"{URL}?q=p2999").context["page"]] == [
        "p2999@example.test"
    ]
