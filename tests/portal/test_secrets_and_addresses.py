"""A stored secret goes to the address that it was typed for and to no other, however the address is changed."""

import pytest
from django.core.management import load_command_class

from portal.models import User
from sms.catalogue import policy_groups, provider_address
from sms.catalogue.connection import ConnectionVerdict, check_connection
from sms.catalogue.credentials import connection_of
from sms.models import PolicyConnection, Region, Service
from sms.webex.auth import ServiceKey
from sms.webex.client import Client, exchange
from sms.webex.origin import SecretElsewhere, origin_of
from tests.support.dispatching import states
from tests.support.people import signed_in
from tests.support.provider import Provider
from tests.support.sends import BY, a_send, a_service

pytestmark = pytest.mark.django_db
ELSEWHERE = "https://elsewhere.example"
SECRET = "c2VjcmV0"


@pytest.fixture
def service():
    return a_service()


@pytest.fixture
def admin(service):
    return signed_in("admin@example.test", service, "admin")


def save(admin, **changes):
    typed = {
        "name": "Shop",
        "region": Region.objects.get(key="uk").pk,
        "base_url": "",
        "auth_kind": "key",
        "receipt_algorithm": "sha256",
    }
    return admin.post("/s/shop/settings/", typed | changes)


def test_a_detour_over_the_other_way_of_signing_in_takes_no_key_along(service, admin):
    detour = {"auth_kind": "jwt", "jwt_service_id": "made-up", "jwt_secret": SECRET}
    assert save(admin, base_url=ELSEWHERE, **detour).status_code == 302
    service.refresh_from_db()
    assert (service.api_key, service.secrets_origin) == ("", ELSEWHERE)
    assert "api_key" in save(admin, base_url=ELSEWHERE).context["form"].errors
    assert "api_key" in save(admin).context["form"].errors, "nor does it come back with the address"


def test_a_regions_host_is_vetted_like_a_base_url(service, client):
    client.force_login(User.objects.create_superuser("boss@example.test", "x"))
    region = service.region
    fields = {field.name: getattr(region, field.name) for field in Region._meta.fields if field.editable}
    fields = {name: "on" if value is True else value for name, value in fields.items() if value}
    for host in (
        "169.254.169.254",
        "10.0.0.5",
        "2130706433",
        "0x7f.1",
        "localhost",
        "[::ffff:127.0.0.1]",
        "x.example/a?b=",
    ):
        page = client.post(f"/admin/sms/region/{region.pk}/change/", fields | {"host": host})
        assert page.status_code == 200, host
        assert "host" in page.context["adminform"].form.errors
    page = client.post(f"/admin/sms/region/{region.pk}/change/", fields)
    assert page.status_code == 302, page.context["adminform"].form.errors
    assert Region.objects.get(pk=region.pk).host == region.host


def test_another_region_drops_what_was_typed_for_the_one_before(service, admin):
    Service.objects.filter(pk=service.pk).update(jwt_service_id="mine")
    PolicyConnection.objects.create(service=service, profile_key="profile")
    us = Region.objects.exclude(key="uk").first()
    assert "api_key" in save(admin, region=us.pk).context["form"].errors
    assert save(admin, region=us.pk, api_key="new-key").status_code == 302
    service.refresh_from_db()
    assert (service.api_key, service.jwt_secret) == ("new-key", "")
    assert service.secrets_origin == f"https://{us.host}"
    assert PolicyConnection.objects.get().profile_key == ""


def test_the_same_address_written_otherwise_keeps_the_key(service, admin):
    same = f"https://{service.region.host}/v2/messages/"
    assert save(admin, base_url=same).status_code == 302
    service.refresh_from_db()
    assert (service.base_url, service.api_key) == (f"https://{service.region.host}", "a-key")


@pytest.mark.parametrize(
    "ending", ["/", "/v2", "/v2/", "/v2/messages", "/v2/messages/ ", "/V2/Messages", "//"]
)
def test_what_is_pasted_behind_a_base_url_is_trimmed_wherever_one_is_typed(service, admin, ending):
    typed = f" https://{service.region.host}{ending}"
    assert save(admin, base_url=typed).status_code == 302
    assert Service.objects.get().base_url == f"https://{service.region.host}"
    page = "/s/shop/policy-groups/connection/"
    assert admin.post(page, {"base_url": f"{ELSEWHERE}{ending}", "profile_key": "profile"}).status_code == 302
    assert PolicyConnection.objects.get().base_url == ELSEWHERE
    parser = load_command_class("portal", "up").create_parser("manage.py", "up")
    assert parser.parse_args(["--demo", "--webex", typed]).webex == f"https://{service.region.host}"


def test_a_region_whose_host_is_edited_gets_no_secret(service, admin):
    PolicyConnection.objects.create(service=service, profile_key="profile")
    send = a_send(service)
    Region.objects.filter(key="uk").update(host="api.attacker.example")
    service = Service.objects.get()
    verdict, words = check_connection(service, by=BY)
    assert verdict == ConnectionVerdict.UNUSABLE
    assert "Type it again" in words
    with pytest.raises(policy_groups.PolicyError, match="Type it again"):
        policy_groups.groups(policy_groups.policy_of(service))
    provider = Provider()
    provider.dispatch()
    service.refresh_from_db()
    assert "api.attacker.example" in service.paused_because
    assert provider.bodies == []
    assert states(send) == {"pending": 1}
    assert "api_key" in save(admin).context["form"].errors


def test_the_client_refuses_a_secret_of_another_origin(service):
    with pytest.raises(SecretElsewhere):
        Client(ELSEWHERE, ServiceKey("a-key", "https://api.example"))
    with pytest.raises(SecretElsewhere):
        exchange(ELSEWHERE, "profile", "GET", "/v1/groups", b"", kept_for="https://api.example")
    Service.objects.update(base_url=ELSEWHERE)
    with pytest.raises(SecretElsewhere):
        connection_of(Service.objects.get())


def test_the_profile_key_is_typed_again_for_another_address(service, admin):
    page = "/s/shop/policy-groups/connection/"
    assert admin.post(page, {"base_url": "", "profile_key": "profile"}).status_code == 302
    assert admin.post(page, {"base_url": "", "profile_key": ""}).status_code == 302
    moved = admin.post(page, {"base_url": ELSEWHERE, "profile_key": ""})
    assert "profile_key" in moved.context["form"].errors
    assert admin.post(page, {"base_url": ELSEWHERE, "profile_key": "another"}).status_code == 302
    stored = PolicyConnection.objects.get()
    assert (stored.profile_key, stored.key_origin) == ("another", ELSEWHERE)


@pytest.mark.parametrize(
    "address",
    [
        "https://169.254.169.254",
        "https://10.0.0.5:8443",
        "https://2130706433",
        "https://[fd00::1]",
        "http://127.0.0.1:8001",
        "https://localhost",
        "https://db.internal",
        "https://api.example/any/path",
        "https://api.example?x=",
        "https://api.example:22",
        "https://user:word@api.example",
        "http://api.example",
        "https://desk.example",
        "https://desk.example:8443",
    ],
)
def test_addresses_that_lead_inside_are_refused_on_both_pages(service, admin, settings, address):
    settings.PUBLIC_URL, settings.PUBLIC_HOST = "https://desk.example", "desk.example"
    assert "base_url" in save(admin, base_url=address, api_key="typed").context["form"].errors
    policy = admin.post("/s/shop/policy-groups/connection/", {"base_url": address, "profile_key": "typed"})
    assert "base_url" in policy.context["form"].errors


@pytest.mark.parametrize("host", ["10.0.0.5", "desk.example", "localhost", "api.example/path"])
def test_a_region_whose_host_leads_inside_cannot_be_chosen(service, admin, settings, host):
    settings.PUBLIC_URL, settings.PUBLIC_HOST = "https://desk.example", "desk.example"
    Region.objects.filter(key="uk").update(host=host)
    assert "region" in save(admin, api_key="typed").context["form"].errors


def test_a_sandbox_stands_on_this_machine_and_is_not_textdesk(service, admin, settings):
    Service.objects.update(base_url="http://127.0.0.1:8001")
    settings.PUBLIC_URL, settings.PUBLIC_HOST = "http://127.0.0.1:8000", "127.0.0.1"
    assert "base_url" in save(admin, base_url="http://localhost:8000", api_key="typed").context["form"].errors
    assert save(admin, base_url="http://127.0.0.1:8001", api_key="typed").status_code == 302


@pytest.mark.parametrize("leads_to", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "fd00::1"])
def test_a_public_name_that_leads_inside_is_not_connected_to(leads_to):
    dial = provider_address.dial_for(
        "https://api.example", resolve=lambda host, port: ["93.184.215.14", leads_to]
    )
    with pytest.raises(OSError, match="not a public address"):
        dial("api.example", 443, 1.0)
    assert provider_address.dial_for("http://127.0.0.1:8001") is None


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://API.example:443/v2/", "https://api.example"),
        ("http://[::1]:8001", "http://[::1]:8001"),
        ("https://a:b", ""),
        ("ftp://api.example", ""),
    ],
)
def test_an_origin_is_scheme_host_and_port(url, origin):
    assert origin_of(url) == origin
