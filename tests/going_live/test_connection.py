"""A service goes live, or back: what ends, what waits and what is refused, by every way in."""

import io
import re
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.utils import timezone

from portal import people
from portal.demo.entries import ADDRESSES
from portal.demo.loading import load
from portal.management.commands import up
from portal.models import Membership, User
from sms.catalogue import api_keys
from sms.dispatch import epochs
from sms.models import (
    Actor,
    AuditEvent,
    DomainState,
    Hold,
    PolicyConnection,
    ProbeFinding,
    ProbeStep,
    Region,
    Sender,
    Service,
    TenantProbe,
)
from sms.models.spend_cap import DEFAULTS
from sms.worker import supervisor
from tests.support.pages import text_of
from tests.support.people import signed_in
from tests.support.provider import Provider
from tests.support.sends import BY, a_send, a_service

pytestmark = pytest.mark.django_db

SANDBOX, LIVE, PASSWORD = "http://127.0.0.1:8001", "https://api.uk.webexconnect.io", "demo-password-1"
PAGE = "/s/demo/settings/"


def connection(**changes):
    fields = {"name": "Demo", "region": Region.objects.get(key="uk").pk, "auth_kind": "key", "base_url": ""}
    return fields | {"receipt_algorithm": "sha256", "api_key": "live-key"} | changes


@pytest.fixture
def demo() -> Service:
    service = load(SANDBOX, "sandbox-key", password=PASSWORD)
    assert service is not None
    return service


@pytest.fixture
def ada(demo) -> Client:
    return signed_in("ada@example.test", demo, "admin")


def demo_person(role: str, password: str = PASSWORD) -> Client:
    client = Client()
    typed = {"login": f"{role}@demo.test", "password": password}
    client.post("/accounts/login/", typed)
    return client


def start(monkeypatch, *arguments: str) -> tuple[str, dict]:
    """`manage.py up` up to where its processes would begin: what it prints, and what it would start with."""
    started = {}

    class Recorded(supervisor.Supervisor):
        def run(self, *, ready_urls, when_ready):
            started.update(environment=self.environment, children=[child.name for child in self.children])
            when_ready()

    monkeypatch.setattr(up.supervisor, "Supervisor", Recorded)
    monkeypatch.setattr(up.supervisor, "must_be_free", lambda port, option, **_: None)
    monkeypatch.setattr(up.connections, "close_all", lambda: None)
    said = io.StringIO()
    bare = ["--unfurnished"] if "--demo" in arguments else []
    call_command("up", *arguments, *bare, stdout=said)
    return said.getvalue(), started


# --- connecting a real region -------------------------------------------------------------------------------------------


def test_a_real_region_ends_the_demo(demo, ada, settings):
    shop_floor = demo_person("composer")
    assert shop_floor.get("/s/demo/").status_code == 200
    _, theirs = api_keys.make(
        demo, by=Actor.person(User.objects.get(email="admin@demo.test")), name="try", scopes=["send", "read"]
    )
    send = a_send(demo, 2)
    demo.link_domains.update(state=DomainState.HEALTHY, worked=True)
    Service.objects.update(check_verdict="works", checked_at=timezone.now(), receipt_asked_at=timezone.now())
    page = text_of(ada.post(PAGE, connection(), follow=True))
    assert "The demo has ended" in page and "1 send that was made for the connection before is paused" in page
    found = Service.objects.get()
    assert (found.is_sandbox, found.live_since is not None) == (False, True)
    assert (found.check_verdict, found.receipt_asked_at) == ("", None), (
        "what the sandbox answered proves nothing"
    )
    assert found.link_domains.get().state == DomainState.UNCHECKED
    assert shop_floor.get("/s/demo/").status_code == 302, "signed out at once"
    assert demo_person("admin").get("/s/demo/").status_code == 302, "the printed password opens nothing"
    assert set(Membership.objects.values_list("user__email", flat=True)) == {"ada@example.test"}
    assert not User.objects.filter(email__in=ADDRESSES, is_staff=True).exists()
    answer = Client().get("/api/v1/sends", headers={"key": theirs})
    assert answer.status_code == 401, "a key of the demo sends no real SMS"
    assert (
        not found.senders.filter(active=True).exists()
        and not found.policy_groups.filter(active=True).exists()
    )
    assert Hold.objects.active().get().send == send
    provider = Provider()
    provider.dispatch()
    assert provider.bodies == []
    acts = list(AuditEvent.objects.values_list("act", flat=True))
    assert acts.count("user.demo_ended") == len(ADDRESSES) and "sender.archived" in acts


def test_no_address_of_the_sandbox_and_no_invitation_of_the_demo_remains(demo, ada):
    admin = User.objects.get(email="admin@demo.test")
    stranger = people.invite(demo, "stranger@example.test", ["admin"], by=Actor.person(admin))
    bob = people.invite(
        demo, "bob@example.test", ["admin"], by=Actor.person(User.objects.get(email="ada@example.test"))
    )
    PolicyConnection.objects.create(service=demo, base_url=SANDBOX, profile_key="p")
    ada.post(PAGE, connection())
    assert Client().get(f"/invitations/{people.token_of(stranger)}/").status_code == 410
    assert Client().get(f"/invitations/{people.token_of(bob)}/").status_code == 200
    policy = PolicyConnection.objects.get()
    assert (policy.url, policy.profile_key) == ("https://contactpolicy.uk.webexconnect.io", "")


def test_the_spend_cap_of_one_number_is_the_usual_one_once_it_is_live(demo, ada):
    assert demo.cap_number == 1_000
    ada.post(PAGE, connection(), follow=True)
    demo.refresh_from_db()
    assert demo.cap_number == DEFAULTS["cap_number"]


def test_what_a_team_added_itself_stays(demo, ada):
    Sender.objects.create(service=demo, address="PARCELS", kind="alphanumeric")
    _, ours = api_keys.make(demo, by=BY, name="shop", scopes=["read"])
    ada.post(PAGE, connection())
    assert [one.address for one in demo.senders.filter(active=True)] == ["PARCELS"]
    assert Client().get("/api/v1/sends", headers={"key": ours}).status_code == 200


def test_a_demo_person_connects_nothing_real(demo):
    page = demo_person("admin").post(PAGE, connection())
    assert page.status_code == 422 and "Invite your own address" in text_of(page)
    assert Service.objects.get().is_sandbox
    assert User.objects.filter(email__in=ADDRESSES, is_active=True).count() == len(ADDRESSES)


def test_another_service_that_is_live_ends_the_demo_too(demo):
    owner = Client()
    owner.force_login(User.objects.create_superuser("owner@example.test", "correct horse battery"))
    more = {"default_country": "GB", "time_zone": "UTC", "text_limit": "1024", "rate": "10"}
    assert owner.post("/services/new/", connection(name="Parcels") | more).status_code == 302
    assert not User.objects.filter(email__in=ADDRESSES, is_active=True).exists()
    assert Service.objects.get(slug="demo").is_sandbox, "it is still connected to the sandbox, and says so"


@pytest.mark.parametrize(
    "typed",
    [
        "https://api.uk.webexconnect.io/v2/messages",
        "https://api.uk.webexconnect.io/resources/v1/messaging/",
        "https://gateway.example",
    ],
)
def test_a_base_url_of_ones_own_is_live_as_well(demo, ada, typed):
    assert ada.post(PAGE, connection(base_url=typed)).status_code == 302
    assert not Service.objects.get().is_sandbox


def test_domains_of_a_service_that_went_live_are_checked(demo, ada):
    ada.post(PAGE, connection())
    domain = demo.link_domains.get()
    domain.host, domain.active = "go.shop.example", True
    domain.save()
    page = text_of(ada.get(f"/s/demo/domains/{domain.pk}/"))
    assert "Check now" in page and "speaks to the sandbox" not in page


# --- the other way round ------------------------------------------------------------------------------------------------


def test_a_live_service_that_has_sent_never_returns_to_a_sandbox(demo, ada, settings):
    settings.CALLBACKS = settings.CALLBACKS | {"loopback": True}
    ada.post(PAGE, connection())
    a_send(
        Service.objects.get(),
        1,
        sender=Sender.objects.create(service=demo, address="P1", kind="alphanumeric"),
    )
    page = ada.post(PAGE, connection(base_url=SANDBOX))
    assert page.status_code == 422 and "has sent through Webex Connect" in text_of(page)
    assert not Service.objects.get().is_sandbox


def test_a_live_service_takes_no_address_of_this_machine(demo, ada):
    ada.post(PAGE, connection())
    assert "base_url" in ada.post(PAGE, connection(base_url=SANDBOX)).context["form"].errors


def test_a_slip_can_be_taken_back_while_nothing_was_sent(demo, ada, settings):
    settings.CALLBACKS = settings.CALLBACKS | {"loopback": True}
    ada.post(PAGE, connection())
    assert ada.post(PAGE, connection(base_url=SANDBOX)).status_code == 302
    found = Service.objects.get()
    assert (found.is_sandbox, found.live_since) == (True, None)


# --- the starts ---------------------------------------------------------------------------------------------------------


def test_a_later_demo_start_leaves_a_live_connection_alone(demo, ada, monkeypatch):
    ada.post(PAGE, connection())
    before = Service.objects.values().get()
    said, started = start(monkeypatch, "--demo")
    assert Service.objects.values().get() == before
    assert "Demo is connected to Webex Connect, so nothing of the demo was loaded" in said
    assert "Sign in as" not in said and "sandbox" not in started["children"]
    assert "CALLBACKS_TO_LOOPBACK" not in started["environment"], "a live desk calls nothing on this machine"
    assert not User.objects.filter(email__in=ADDRESSES, is_active=True).exists()


def test_a_demo_start_makes_no_demo_people_beside_another_live_service(monkeypatch):
    a_service()
    said, _ = start(monkeypatch, "--demo")
    assert "Shop is connected to Webex Connect" in said
    assert Service.objects.count() == 1 and not User.objects.exists()


def test_a_start_with_another_address_refuses_to_replace_a_live_connection(demo, ada, monkeypatch):
    ada.post(PAGE, connection())
    with pytest.raises(CommandError, match="Demo is live"):
        start(monkeypatch, "--demo", "--webex", "https://elsewhere.example", "--webex-key", "k")
    assert Service.objects.get().api_key == "live-key"


def test_a_start_that_connects_a_real_address_has_no_demo_people(demo, monkeypatch):
    said, _ = start(monkeypatch, "--demo", "--webex", LIVE, "--webex-key", "real-key")
    found = Service.objects.get()
    assert (found.is_sandbox, found.provider_url, found.api_key) == (False, LIVE, "real-key")
    assert not User.objects.filter(email__in=ADDRESSES, is_active=True).exists()
    assert "Make the first admin there, with the code" in said
    again, _ = start(monkeypatch, "--demo", "--webex", LIVE, "--webex-key", "real-key")
    assert "nothing of the demo was loaded" in again


def test_the_key_of_a_start_is_read_from_a_file_or_a_variable_and_typed_with_a_warning(
    demo, monkeypatch, tmp_path, capsys
):
    (key := tmp_path / "key").write_text("real-key\n")
    at = ("--demo", "--webex", LIVE)
    start(monkeypatch, *at, "--webex-key-file", str(key))
    assert Service.objects.get().api_key == "real-key"
    assert "list of processes" not in capsys.readouterr().err
    with pytest.raises(CommandError, match=r"--webex-key-file .* cannot be read: No such file"):
        start(monkeypatch, *at, "--webex-key-file", str(tmp_path / "missing"))
    with pytest.raises(CommandError, match="Keep the file"):
        start(monkeypatch, *at, "--webex-key-file", str(key), "--webex-key", "k")
    with pytest.raises(CommandError, match="belong together"):
        start(monkeypatch, *at)


def test_a_key_from_the_environment_is_enough_and_a_typed_one_is_warned_about(
    demo, monkeypatch, tmp_path, capsys
):
    (key := tmp_path / "key").write_text("other-key\n")
    monkeypatch.setenv("WEBEX_KEY_FILE", str(key))
    start(monkeypatch, "--demo", "--webex", LIVE)
    assert Service.objects.get().api_key == "other-key"
    monkeypatch.delenv("WEBEX_KEY_FILE")
    start(monkeypatch, "--demo", "--webex", LIVE, "--webex-key", "k")
    assert "list of processes" in capsys.readouterr().err


def test_a_start_with_a_sandbox_elsewhere_keeps_the_demo(demo, monkeypatch):
    said, _ = start(monkeypatch, "--demo", "--webex", "http://127.0.0.1:9911", "--webex-key", "k")
    assert "Sign in as composer@demo.test" in said and Service.objects.get().is_sandbox


@pytest.mark.usefixtures("ids_stay_low")
def test_a_later_demo_start_resumes_nothing(demo, monkeypatch):
    """Neither what a person paused nor a restored copy, of which nobody knows yet what it had sent."""
    epochs.declare("It was restored.")
    because = Service.objects.get().paused_because
    start(monkeypatch, "--demo")
    assert because and Service.objects.get().paused_because == because


@pytest.mark.parametrize("command", ["up", "prepare"])
def test_without_demo_its_people_are_out_and_the_first_admin_is_asked_for(demo, monkeypatch, command):
    said = io.StringIO()
    if command == "up":
        text, _ = start(monkeypatch)
    else:
        call_command("prepare", stdout=said)
        text = said.getvalue()
    assert demo_person("admin").get("/s/demo/").status_code == 302
    (code,) = re.findall(r"with the code (\S+)", text)
    assert Client().get("/").url == "/setup/"
    typed = {
        "email": "own@example.test",
        "password": "correct horse battery",
        "again": "correct horse battery",
    }
    assert Client().post("/setup/", typed | {"code": code}).url == "/services/new/"
    said, _ = start(monkeypatch, "--demo")
    (password,) = re.findall(r"with the password (\S+)", said)
    assert demo_person("admin", password).get("/s/demo/").status_code == 200, "back until a service is live"


# --- the right region ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("region", "base_url", "says"),
    [
        ("eu", "https://api.imiconnect.eu", "api.imiconnect.eu is in AWS London. Choose AWS London"),
        ("uk", "https://api.eu.webexconnect.io", "is in AWS Ireland"),
        ("uk", "https://api.imiconnect.eu", ""),
        ("eu", "https://api.imiconnect.io", ""),
    ],
)
def test_a_base_url_of_another_region_is_refused(demo, ada, region, base_url, says):
    page = ada.post(PAGE, connection(region=Region.objects.get(key=region).pk, base_url=base_url))
    assert page.status_code == (422 if says else 302)
    assert not says or says in str(page.context["form"].errors["region"])


def test_what_the_tenant_probe_found_in_the_sandbox_is_not_done_at_a_real_tenant(demo, ada):
    Service.objects.update(text_limit=4000, length_unit="characters", validity_kept=True, link_fields="given")
    demo.refresh_from_db()
    probe = TenantProbe.objects.create(
        service=demo, origin=demo.secrets_origin, by="ada", started_at=timezone.now()
    )
    step = ProbeStep.objects.create(probe=probe, question="length")
    for doubt, value in (("text_limit", "4000"), ("length_unit", "characters"), ("validity_kept", "yes")):
        found = {"service": demo, "step": step, "doubt": doubt, "value": value, "by": "ada"}
        ProbeFinding.objects.create(**found, origin=demo.secrets_origin, at=timezone.now())
    page = text_of(ada.post(PAGE, connection(), follow=True))
    assert "3 settings are at the default again" in page
    live = Service.objects.get()
    assert (live.text_limit, live.length_unit, live.validity_kept) == (1024, "utf16", False)
    assert live.link_fields == "given", "set by hand, not by the probe"
    changed = [one.details["after"] for one in AuditEvent.objects.filter(act="service.changed")]
    assert {"text_limit": 1024, "length_unit": "utf16", "validity_kept": False} in changed


def test_the_address_where_people_sign_in_is_no_base_url(demo, ada):
    typed = {"region": Region.objects.get(key="eu").pk, "base_url": "https://acme.imiconnect.eu/"}
    page = ada.post(PAGE, connection(**typed))
    assert page.status_code == 422
    says = "acme.imiconnect.eu is where people sign in. Type the address of its API instead: https://api.imiconnect.eu."
    assert page.context["form"].errors["base_url"] == [says]


def test_a_guessed_region_is_offered_as_a_guess(demo, ada):
    shown = text_of(ada.get(PAGE))
    assert (
        "AWS Singapore (sg.webexconnect.io, a guess)" in shown and "AWS London (uk.webexconnect.io)" in shown
    )


def test_reports_say_which_figures_are_of_the_sandbox(demo, ada):
    a_send(demo, 1)
    report = "/s/demo/reports/"
    assert "these messages reached no phone" in text_of(ada.get(report))
    ada.post(PAGE, connection())
    assert "Messages of before reached no phone" in text_of(ada.get(report))
    Service.objects.update(live_since=timezone.now() - timedelta(days=400))
    assert "reached no phone" not in text_of(ada.get(report))
