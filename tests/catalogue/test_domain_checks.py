"""Checks over real sockets: a name server and a web server with certificates of its own. What changed is kept, told, and respected."""

import asyncio
import datetime as dt

import pytest
from django.core import mail
from django.utils import timezone

from sms.catalogue.domains import NotCheckable, check, check_due
from sms.catalogue.domains.check import NetworkAccess
from sms.catalogue.domains.site import visit
from sms.catalogue.domains.trace import NoAnswer, asking
from sms.compose import checks
from sms.compose.errors import ComposeError
from sms.models import AuditEvent, DomainState, Notice, Region, ShortLinkDomain
from sms.sends import plan
from tests.support.internet import NOW, Authority, listening, name_server, opener
from tests.support.jobs import run_job
from tests.support.people import signed_in
from tests.support.sends import BY, a_service, an_order

HOST = "go.shop.example"
OK = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
MOVED = b"HTTP/1.1 301 Moved\r\nLocation: https://go.shop.example/\r\n\r\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


def a_domain(service, host=HOST, **changes) -> ShortLinkDomain:
    return ShortLinkDomain.objects.create(service=service, region=service.region, host=host, **changes)


def network(records, **changes) -> NetworkAccess:
    """Names are looked up in a dict; nobody answers."""

    async def ask(name: str, kind: str) -> list[str]:
        found = records.get((name, kind), [])
        if isinstance(found, NoAnswer):
            raise found
        return found

    async def nobody(*_):
        raise ConnectionRefusedError

    return NetworkAccess(**({"ask": ask, "opened": nobody, "loopback": True} | changes))


GONE = {(HOST, "CNAME"): NoAnswer("no_name")}


@pytest.mark.django_db
def test_from_nothing_to_healthy_to_broken(authority):
    """The whole life of a domain, over a real name server and real TLS."""
    service = a_service()
    signed_in("admin@example.test", service, "admin")
    domain, star = a_domain(service), service.region.cname
    records: dict = {(service.region.host, "A"): ["127.0.0.1"], (star, "A"): ["127.0.0.1"]}
    with (
        name_server(records) as resolver,
        listening(OK, authority.server("*.provider.example")) as theirs,
        listening(OK, authority.server(HOST)) as ours,
        listening(MOVED) as http,
    ):

        def look(https: int, at: int) -> ShortLinkDomain:
            seen = NetworkAccess(asking(resolver), opener(https, http), authority.trust, loopback=True)
            check(domain, by=BY, network=seen, now=NOW + dt.timedelta(minutes=at))
            return domain

        assert look(theirs, 1).state == DomainState.NOT_SET_UP
        assert f"CNAME record {HOST} → {star}" in domain.says
        records[(HOST, "CNAME")] = [f"{star}."]
        assert look(theirs, 2).state == DomainState.PENDING
        assert "*.provider.example" in domain.says
        assert not Notice.objects.exists(), "what was never right alarms nobody"
        assert look(ours, 3).state == DomainState.HEALTHY
        assert [one["level"] for one in domain.findings] == ["good", "good", "good"]
        records[(HOST, "CNAME")] = "SERVFAIL"
        assert look(ours, 4).state == DomainState.BROKEN
        records[(service.region.host, "A")] = "SERVFAIL"
        assert look(ours, 5).state == DomainState.BROKEN, "our own trouble changes nothing"
    assert [str(one) for one in domain.changes.order_by("at")] == [
        "Not checked yet → Not set up",
        "Not set up → Pending",
        "Pending → Healthy",
        "Healthy → Broken",
    ]
    assert AuditEvent.objects.filter(act="domain.state_changed").count() == 4


@pytest.mark.django_db
def test_admins_hear_of_its_certificate_again_a_week_and_a_day_before_it_expires(authority):
    service = a_service()
    signed_in("admin@example.test", service, "admin")
    domain, star = a_domain(service), service.region.cname
    records = {
        (service.region.host, "A"): ["127.0.0.1"],
        (star, "A"): ["127.0.0.1"],
        (HOST, "CNAME"): [f"{star}."],
    }
    with (
        name_server(records) as resolver,
        listening(OK, authority.server(HOST, days=40)) as https,
        listening(MOVED) as http,
    ):
        seen = NetworkAccess(asking(resolver), opener(https, http), authority.trust, loopback=True)
        for day in (0, 30, 34, 34.1, 39.5, 39.6):
            check(domain, by=BY, network=seen, now=NOW + dt.timedelta(days=day))
    said = [one.says for one in Notice.objects.order_by("pk")]
    assert len(said) == 3, said
    assert said[0] == f"The short-link domain {HOST} is degraded."
    expires = f"The certificate of the short-link domain {HOST} expires on "
    assert [one.startswith(expires) for one in said[1:]] == [True, True]


@pytest.mark.parametrize(
    ("name", "days", "known", "fault"),
    [
        (HOST, 90, True, ""),
        ("other.example", 90, True, "other_name"),
        (HOST, -2, True, "expired"),
        (HOST, 90, False, "untrusted"),
    ],
)
def test_a_certificate_is_read_even_where_it_is_refused(authority, tmp_path, name, days, known, fault):
    trust = authority.trust if known else Authority(tmp_path).trust
    with listening(OK, authority.server(name, days=days)) as port:
        site = asyncio.run(visit(HOST, "127.0.0.1", opened=opener(port), trust=trust))
    assert site.certificate is not None
    assert (site.certificate.names, site.certificate.fault) == ((name,), fault)
    assert abs((site.certificate.expires_at - NOW).total_seconds() - days * 86400) < 2
    assert site.status == 404


def test_a_server_without_tls_and_one_that_says_nonsense(authority):
    with listening(OK) as plain:
        assert (
            asyncio.run(visit(HOST, "127.0.0.1", opened=opener(plain), trust=authority.trust)).trouble
            == "no_tls"
        )
    with listening(b"x" * 20_000, authority.server(HOST)) as odd:
        site = asyncio.run(visit(HOST, "127.0.0.1", opened=opener(odd), trust=authority.trust))
    assert site.certificate is not None and site.status is None


@pytest.mark.django_db
def test_a_private_address_is_never_visited():
    domain = a_domain(a_service())
    visited: list[str] = []

    async def opened(address, *_):
        visited.append(address)
        raise ConnectionRefusedError

    for address in ("10.0.0.1", "127.0.0.1", "169.254.169.254", "::1"):
        found = {(HOST, "CNAME"): [domain.region.cname], (domain.region.cname, "A"): [address]}
        check(domain, by=BY, network=network(found, opened=opened, loopback=False))
        assert domain.state == DomainState.BROKEN and "no phone can reach" in domain.says
    assert not visited


@pytest.mark.django_db
def test_the_worst_domain_is_boxed_and_holds_up_no_other():
    service = a_service()
    for number in range(30):
        a_domain(service, f"d{number}.shop.example")

    asked: set[str] = set()

    async def never(name: str, kind: str) -> list[str]:
        if name == service.region.host:
            return ["192.0.2.1"]
        asked.add(name)
        most.append(len(asked))
        try:
            await asyncio.sleep(60)
        finally:
            asked.discard(name)
        return []

    most: list[int] = []
    assert check_due(network=network({}, ask=never, patience=0.6)) == 30
    assert max(most) == 25, "they are looked at side by side"
    assert set(service.link_domains.values_list("state", flat=True)) == {DomainState.PENDING}
    assert check_due(network=network({}, ask=never)) == 0, "within the hour nobody looks again"


@pytest.mark.django_db
def test_only_what_is_used_and_real_is_due():
    sandbox = a_service(base_url="http://127.0.0.1:9")
    pretend = a_domain(sandbox)
    a_domain(a_service(slug="two", name="Two"), active=False)
    assert check_due(network=network(GONE)) == 0
    with pytest.raises(NotCheckable, match="sandbox"):
        check(pretend, by=BY, network=network(GONE))


@pytest.mark.django_db
def test_compose_refuses_what_leads_nowhere_and_warns_of_what_may():
    service = a_service()
    domain = a_domain(service, worked=True)
    text = "See https://shop.example/offer"
    check(domain, by=BY, network=network(GONE))
    with pytest.raises(ComposeError) as refused:
        checks.check(an_order(service, content=text, link_domain=domain))
    (problem,) = refused.value.problems
    assert problem.field == "link_domain"
    assert "is broken" in problem.text and "NXDOMAIN" in problem.text and "Check now" in problem.text
    found = {(HOST, "CNAME"): [domain.region.cname], (domain.region.cname, "A"): ["93.184.216.34"]}
    ShortLinkDomain.objects.update(worked=False)
    check(domain, by=BY, network=network(found))
    assert domain.state == DomainState.PENDING
    order = an_order(service, link_domain=domain)
    foreseen = plan.build_plan(order, now=timezone.now(), public_url="https://desk.example")
    assert any("is pending" in one.detail for one in foreseen.cautions)


@pytest.mark.django_db(transaction=True)
def test_admins_hear_of_trouble_and_of_its_end():
    service = a_service()
    signed_in("admin@example.test", service, "admin")
    signed_in("composer@example.test", service, "composer")
    domain = a_domain(service, worked=True, state=DomainState.HEALTHY)
    check(domain, by=BY, network=network(GONE))
    run_job("notice mails")
    (told,) = mail.outbox
    assert told.to == ["admin@example.test"]
    assert "is broken" in told.subject and "NXDOMAIN" in told.body
    check(domain, by=BY, network=network(GONE))
    one = Notice.objects.get()
    assert (one.page, one.page_id) == ("link_domain", domain.pk), "once"


@pytest.mark.django_db
def test_a_later_look_is_not_undone_by_an_earlier_one():
    domain = a_domain(a_service())
    check(domain, by=BY, network=network(GONE), now=NOW)
    check(domain, by=BY, network=network({}), now=NOW - dt.timedelta(minutes=1))
    assert domain.checked_at == NOW and domain.changes.count() == 1


# --- pages --------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_pages_guide_check_and_remember():
    service = a_service()
    admin = signed_in("admin@example.test", service, "admin")
    region = Region.objects.get(key="us1")
    page = admin.post("/s/shop/domains/new/", {"host": "https://Go.Shop.example/x", "region": region.pk})
    domain = ShortLinkDomain.objects.get()
    assert (domain.host, page.url) == ("go.shop.example", f"/s/shop/domains/{domain.pk}/")
    shown = admin.get(page.url).content.decode()
    assert "go.shop.example. 3600 IN A 52.138.107.55" in shown and "Not checked yet" in shown
    check(domain, by=BY, network=network(GONE))
    shown = admin.get(page.url).content.decode()
    assert "Not set up" in shown and "NXDOMAIN" in shown and "refuse sends" in shown
    assert "Not set up" in admin.get("/s/shop/domains/").content.decode()
    ShortLinkDomain.objects.update(state=DomainState.BROKEN)
    assert "go.shop.example is broken." in admin.get("/s/shop/").content.decode()
    admin.post(f"/s/shop/domains/{domain.pk}/edit/", {"host": "to.shop.example", "region": region.pk})
    domain.refresh_from_db()
    assert (domain.host, domain.state, domain.findings) == ("to.shop.example", DomainState.UNCHECKED, [])


@pytest.mark.django_db
@pytest.mark.parametrize("host", ["*.shop.example", "127.0.0.1", "bücher.example", "bit.ly"])
def test_a_name_that_cannot_be_is_refused_alike_on_page_and_in_the_admin(host):
    service = a_service()
    admin = signed_in("admin@example.test", service, "admin", is_staff=True)
    typed = {"host": host, "region": service.region_id, "service": service.pk, "active": "on"}
    page = admin.post("/s/shop/domains/new/", typed)
    inside = admin.post("/admin/sms/shortlinkdomain/add/", typed)
    assert page.status_code == 422
    assert page.context["form"].errors["host"] == inside.context["adminform"].form.errors["host"]
    assert not ShortLinkDomain.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("count", [1, 30, 3000])
def test_the_list_costs_the_same_for_many(count, django_assert_max_num_queries):
    service = a_service()
    admin = signed_in("admin@example.test", service, "admin")
    ShortLinkDomain.objects.bulk_create(
        ShortLinkDomain(service=service, region=service.region, host=f"d{n}.shop.example")
        for n in range(count)
    )
    with django_assert_max_num_queries(12):
        assert admin.get("/s/shop/domains/").status_code == 200
