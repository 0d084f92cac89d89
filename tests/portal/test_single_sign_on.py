"""Single sign-on against a real issuer: who gets in, as whom, and what a stranger or a lost answer gets."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount
from django.contrib import admin
from django.test import Client

from portal import people
from portal.models import User
from sms.models import AuditEvent
from tests.support import oidc_issuer
from tests.support.factors import PASSWORD, a_code, asked, with_app
from tests.support.logs import written_log
from tests.support.pages import text_of
from tests.support.people import a_cast
from tests.support.processes import free_port
from tests.support.sends import BY
from tests.support.single_sign_on import at_the_issuer, code_of, is_in, leaves, set_up, signs_in

pytestmark = [pytest.mark.django_db, pytest.mark.once]  # an issuer and sessions
ADA = {"email": "composer@example.test", "email_verified": True}


@pytest.fixture(scope="module")
def issuer(tmp_path_factory):
    redirect = "http://127.0.0.1:8000/accounts/sso/callback/"
    with oidc_issuer.running(tmp_path_factory.mktemp("issuer"), redirect=redirect) as running:
        yield running


@pytest.fixture(autouse=True)
def desk(issuer, settings):
    set_up(settings, issuer.url)
    issuer.knows(ada=ADA)


@pytest.fixture
def cast():
    return a_cast(waiting=True)


def refused_because() -> list[str]:
    rows = AuditEvent.objects.filter(act="user.sign_in_refused").order_by("pk")
    return [one.details.get("why", "") for one in rows]


def test_the_address_asks_with_state_nonce_and_pkce_and_leads_back_to_public_url(cast):
    for host in ("testserver", "localhost:99"):
        asked_for = parse_qs(urlsplit(leaves(Client(headers={"host": host}))).query)
        assert asked_for["code_challenge_method"] == ["S256"]
        assert all(len(asked_for[name][0]) > 15 for name in ("state", "nonce", "code_challenge"))
        assert asked_for["redirect_uri"] == ["http://127.0.0.1:8000/accounts/sso/callback/"]
        assert set(asked_for["scope"][0].split()) == {"openid", "profile", "email", "groups"}


def test_the_button_is_there_where_it_is_set_up(cast, settings):
    page = text_of(Client().get("/accounts/login/?next=/s/shop/sends/"))
    assert "Sign in with single sign-on" in page
    set_up(settings, "")
    assert "single sign-on" not in text_of(Client().get("/accounts/login/"))
    assert Client().post("/accounts/sso/").status_code == 404
    assert Client().get("/accounts/sso/callback/").status_code == 404


def test_a_link_alone_signs_nobody_in(cast):
    assert Client().get("/accounts/sso/?next=/").headers["Location"] == "/accounts/login/"
    client = Client(enforce_csrf_checks=True)
    assert client.post("/accounts/sso/").status_code == 403


def test_an_invited_person_is_found_by_a_verified_address_and_bound_for_good(cast, issuer):
    client = Client()
    assert signs_in(client, next="/s/shop/sends/").headers["Location"] == "/s/shop/sends/"
    assert client.get("/s/shop/").status_code == 200
    bound = SocialAccount.objects.get(user=cast.users["composer"])
    assert bound.extra_data == {"second_factor": False}
    acts = list(AuditEvent.objects.order_by("pk").values_list("act", flat=True))
    assert acts == ["user.sso_bound", "user.signed_in"]
    # from now on the subject counts, whatever the address says
    issuer.knows(ada={"email": "admin@example.test", "email_verified": True})
    other = Client()
    signs_in(other)
    assert other.session["_auth_user_id"] == str(cast.users["composer"].pk)
    assert User.objects.get(pk=cast.users["composer"].pk).email == "composer@example.test"
    issuer.knows(ada={})
    third = Client()
    signs_in(third)
    assert third.session["_auth_user_id"] == str(cast.users["composer"].pk)


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_nobody_is_led_elsewhere_afterwards(cast, target):
    assert signs_in(Client(), next=target).headers["Location"] == "/"


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"email": "composer@example.test"},
        *(
            {"email": "composer@example.test", "email_verified": odd}
            for odd in (False, "false", 1, "yes", None, [])
        ),
        {"email": "composer@example.test", "email_verified": False, "xms_edov": True},
        {"email": ["composer@example.test"], "email_verified": True},
        {"email": "composer", "email_verified": True},
        {"email": "composer@example.test", "xms_edov": False},
        {
            "preferred_username": "composer@example.test",
            "upn": "composer@example.test",
            "email_verified": True,
        },
    ],
)
def test_an_address_that_is_not_vouched_for_opens_nothing(cast, issuer, claims):
    issuer.knows(ada=claims)
    client = Client()
    answer = signs_in(client)
    assert (answer.status_code, code_of(answer)) == (403, "not_verified")
    assert not is_in(client)
    assert not SocialAccount.objects.exists()
    assert refused_because() == ["not_verified"]


@pytest.mark.parametrize("vouched", [{"email_verified": "true"}, {"xms_edov": True}, {"xms_edov": "1"}])
def test_how_other_issuers_vouch(cast, issuer, vouched):
    issuer.knows(ada={"email": "Composer@Example.TEST"} | vouched)
    client = Client()
    signs_in(client)
    assert is_in(client)


def test_a_stranger_stays_outside_and_no_account_is_made(cast, issuer):
    issuer.knows(eve={"email": "eve@elsewhere.test", "email_verified": True, "groups": ["admins"]})
    before = User.objects.count()
    client = Client()
    answer = signs_in(client, "eve")
    assert (answer.status_code, code_of(answer)) == (403, "not_invited")
    assert "knows you as eve@elsewhere.test" in text_of(answer)
    assert not is_in(client)
    assert User.objects.count() == before
    assert refused_because() == ["not_invited"]


def test_an_address_that_only_a_database_takes_for_the_same_opens_nothing(cast, issuer):
    issuer.knows(ada={"email": "compo\u017fer@example.test", "email_verified": True})
    client = Client()
    assert code_of(signs_in(client)) == "not_invited"
    assert not is_in(client)


def test_an_open_invitation_is_taken_up(cast, issuer):
    people.invite(cast.service, "eve@elsewhere.test", ["auditor"], by=BY)
    issuer.knows(eve={"email": "eve@elsewhere.test", "email_verified": True})
    client = Client()
    signs_in(client, "eve")
    assert client.get("/s/shop/audit/").status_code == 200
    eve = User.objects.get(email="eve@elsewhere.test")
    assert not eve.has_usable_password()
    assert AuditEvent.objects.filter(act="person.joined").exists()
    page = client.get("/accounts/password/change/", follow=True)
    assert "You have no password here" in text_of(page)


def test_a_second_subject_with_the_same_address_does_not_get_in(cast, issuer):
    signs_in(Client())
    issuer.knows(bob=ADA)
    client = Client()
    answer = signs_in(client, "bob")
    assert code_of(answer) == "bound_elsewhere"
    assert not is_in(client)


def test_another_issuer_is_another_issuer_though_its_subjects_are_alike(cast, issuer, settings, tmp_path):
    signs_in(Client())
    redirect = "http://127.0.0.1:8000/accounts/sso/callback/"
    with oidc_issuer.running(tmp_path, redirect=redirect) as other:
        set_up(settings, other.url)
        other.knows(ada={"email": "stranger@elsewhere.test", "email_verified": True})
        client = Client()
        assert code_of(signs_in(client)) == "not_invited"
        assert not is_in(client)


def test_a_superuser_is_not_taken_over_by_an_address(cast, issuer):
    User.objects.create_superuser("root@example.test", PASSWORD)
    issuer.knows(eve={"email": "root@example.test", "email_verified": True})
    client = Client()
    assert code_of(signs_in(client, "eve")) == "superuser"
    assert not is_in(client)
    assert not SocialAccount.objects.exists()


def test_who_may_not_sign_in_does_not_this_way_either(cast):
    signs_in(Client())
    User.objects.filter(email="composer@example.test").update(is_active=False)
    client = Client()
    assert code_of(signs_in(client)) == "inactive"
    assert not is_in(client)


# --- What fails on the way ------------------------------------------------------------------------------------------------
def test_an_answer_counts_once_and_in_the_browser_that_asked(cast):
    client, thief = Client(), Client()
    back = at_the_issuer(leaves(client), "ada")
    assert code_of(thief.get(back)) == "state_lost"
    assert not is_in(thief)
    client.get(back)
    assert is_in(client)
    client.post("/accounts/logout/")
    assert code_of(client.get(back)) == "state_lost"
    assert not is_in(client)


def test_an_answer_to_another_sign_in_of_the_same_browser_is_refused(cast):
    """A code that was got elsewhere, put beside a state of one's own: its nonce tells."""
    client, other = Client(), Client()
    stolen = parse_qs(urlsplit(at_the_issuer(leaves(other), "ada")).query)["code"][0]
    state = parse_qs(urlsplit(leaves(client)).query)["state"][0]
    answer = client.get(f"/accounts/sso/callback/?code={stolen}&state={state}")
    assert code_of(answer) in ("state_lost", "refused")
    assert not is_in(client)


def test_a_nonce_that_does_not_fit_is_refused(cast):
    client = Client()
    back = at_the_issuer(leaves(client), "ada")
    session = client.session
    for state, *_ in session["socialaccount_states"].values():
        state["nonce"] = "another"
    session.save()
    assert code_of(client.get(back)) == "state_lost"
    assert not is_in(client)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?state=x",
        "?code=x",
        "?error=access_denied",
        "?code=x&state=" + "y" * 300,
        "?state=x&error=%3Cb%3E",
    ],
)
def test_what_nobody_asked_for_is_a_page_with_the_way_out(cast, query):
    answer = Client().get(f"/accounts/sso/callback/{query}")
    assert (answer.status_code, code_of(answer)) == (403, "state_lost")
    assert "Begin again" in text_of(answer)


def test_cancelling_there_is_said(cast):
    client = Client()
    answer = client.get(at_the_issuer(leaves(client), "ada", cancel=True))
    assert code_of(answer) == "cancelled"
    assert refused_because() == ["cancelled"]


def test_another_error_there_is_said_without_repeating_it(cast):
    client = Client()
    state = parse_qs(urlsplit(leaves(client)).query)["state"][0]
    answer = client.get(
        f"/accounts/sso/callback/?state={state}&error=server_error&error_description=%3Cb%3EHi"
    )
    assert code_of(answer) == "refused"
    assert "Hi" not in answer.content.decode()


def test_an_issuer_that_is_away_before_and_after(cast, issuer, settings):
    client = Client()
    back = at_the_issuer(leaves(client), "ada")
    set_up(settings, f"http://127.0.0.1:{free_port()}/o")
    assert code_of(Client().post("/accounts/sso/")) == "away"
    # whose answer comes back while it is away
    set_up(settings, issuer.url)
    settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]["settings"]["server_url"] = (
        settings.OIDC_ISSUER.replace(str(issuer.port), str(free_port()))
    )
    assert code_of(client.get(back)) == "away"
    assert not is_in(client)


def test_what_is_no_issuer_at_all_is_as_good_as_none(cast, issuer, settings):
    set_up(settings, f"http://127.0.0.1:{issuer.port}/sign-in")
    assert code_of(Client().post("/accounts/sso/")) == "away"


def test_a_wrong_secret_is_said_to_the_operator(cast, issuer, settings):
    set_up(settings, issuer.url, secret="not the secret")
    client = Client()
    assert code_of(signs_in(client)) == "wrong_client"
    assert not is_in(client)


def test_an_issuer_that_calls_itself_otherwise_is_refused(cast, issuer, settings):
    set_up(settings, issuer.url.replace("127.0.0.1", "localhost"))
    assert code_of(Client().post("/accounts/sso/")) == "wrong_issuer"


@pytest.mark.parametrize("skew", [-40_000, 40_000])
def test_clocks_that_do_not_agree_are_said(cast, issuer, skew):
    issuer.knows(ada=ADA | {"_skew": skew})
    client = Client()
    assert code_of(signs_in(client)) == "clock"
    assert not is_in(client)


@pytest.mark.parametrize(
    "token",
    [
        {"sub": "999"},
        {"nonce": "x"},
        {"iss": "https://evil.example"},
        {"aud": "another-client"},
        {"aud": [oidc_issuer.CLIENT, "another-client"]},
        {"aud": [oidc_issuer.CLIENT, "another-client"], "azp": "another-client"},
    ],
)
def test_a_token_that_contradicts_is_refused(cast, issuer, token):
    issuer.knows(ada=ADA | {"_token": token})
    client = Client()
    assert code_of(signs_in(client)) in ("wrong_issuer", "state_lost", "refused")
    assert not is_in(client)


def test_nothing_secret_is_logged_or_audited_whatever_fails(cast, issuer, settings):
    with written_log("json") as lines:
        client = Client()
        back = at_the_issuer(leaves(client), "ada")
        client.get(back)
        Client().get(back)
        set_up(settings, issuer.url, secret="another secret")
        signs_in(Client())
    code = parse_qs(urlsplit(back).query)["code"][0]
    written = lines.getvalue() + json.dumps(list(AuditEvent.objects.values_list("details", flat=True)))
    for secret in (code, oidc_issuer.SECRET, "another secret", "eyJ", oidc_issuer.PASSWORD):
        assert secret not in written
    assert "single_sign_on_failed" in written


def test_strangers_cannot_fill_the_audit_with_lost_answers(cast):
    client = Client()
    leaves(client)
    for _ in range(20):
        assert code_of(client.get("/accounts/sso/callback/?state=x")) == "state_lost"
        Client().get("/accounts/sso/callback/?state=x")
    assert refused_because() == ["state_lost"]


def test_who_begins_too_often_waits(cast):
    answers = [Client().post("/accounts/sso/").status_code for _ in range(40)]
    assert answers[0] == 200
    assert answers[-1] == 429


# --- Second factors and passwords -----------------------------------------------------------------------------------------
def test_single_sign_on_is_no_second_factor_by_itself(cast):
    asked(days_ago=1)
    client = Client()
    signs_in(client)
    assert client.get("/s/shop/").headers["Location"] == "/accounts/2fa/"


@pytest.mark.parametrize("said", [{"amr": ["pwd", "mfa"]}, {"acr": "gold"}])
def test_a_factor_that_the_issuer_saw_counts(cast, issuer, settings, said):
    asked(days_ago=1)
    with_app(cast.users["composer"])
    settings.OIDC_ACR_VALUES = ["gold"]
    issuer.knows(ada=ADA | said)
    client = Client()
    assert parse_qs(urlsplit(leaves(Client())).query)["acr_values"] == ["gold"]
    signs_in(client)
    assert client.get("/s/shop/").status_code == 200
    cast.users["composer"].authenticator_set.all().delete()
    assert client.get("/s/shop/").status_code == 200
    assert "composer@example.test" not in text_of(cast["admin"].get("/s/shop/settings/second-factor/"))
    # it counts for that sign-in, not for one by password
    by_password = Client()
    by_password.post("/accounts/login/", {"login": "composer@example.test", "password": PASSWORD})
    assert by_password.get("/s/shop/").headers["Location"] == "/accounts/2fa/"


@pytest.mark.parametrize("said", [{}, {"amr": ["pwd"]}, {"amr": "mfa"}, {"acr": "1"}, {"acr": ""}])
def test_otherwise_the_factor_that_is_kept_here_is_asked_for(cast, issuer, said):
    with_app(cast.users["composer"])
    issuer.knows(ada=ADA | said)
    client = Client()
    assert signs_in(client).headers["Location"] == "/accounts/2fa/authenticate/"
    assert not is_in(client)
    client.post("/accounts/2fa/authenticate/", {"code": a_code()})
    assert is_in(client)


def test_a_bound_person_keeps_or_loses_the_password_and_a_superuser_never(cast, settings):
    User.objects.create_superuser("root@example.test", PASSWORD)
    SocialAccount.objects.create(
        user=User.objects.get(email="root@example.test"),
        provider=settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]["provider_id"],
        uid="77",
    )
    signs_in(Client())

    def by_password(who: str) -> tuple[Client, object]:
        client = Client()
        return client, client.post("/accounts/login/", {"login": f"{who}@example.test", "password": PASSWORD})

    assert is_in(by_password("composer")[0])
    settings.OIDC_KEEPS_PASSWORD = False
    client, answer = by_password("composer")
    assert code_of(answer) == "password_off"
    assert not is_in(client)
    for who in ("approver", "root"):
        assert is_in(by_password(who)[0]), who
    assert refused_because() == ["password_off"]


def test_the_admin_site_has_no_pages_of_it(cast):
    names = {one.__name__ for one in admin.site._registry}
    assert not {"SocialAccount", "SocialApp", "SocialToken"} & names
