"""The tenant probe in a browser, with the sandbox as the tenant; each of its states is accessible and does not scroll sideways."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from sms.models import ProbeReceipt, Service, ShortLinkDomain, Smartlink
from tests.browser.accessibility import problems
from tests.browser.signed_in import sign_in
from tests.sandbox.running import sandbox

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.sqlite,  # what a page looks like does not depend on the database
]


def test_a_tenant_probe_from_its_beginning_to_its_first_proof(page, live_server, shop, settings):
    settings.PUBLIC_URL = live_server.url
    found = []
    with sandbox() as tenant:
        Service.objects.filter(pk=shop.pk).update(base_url=tenant.url, secrets_origin=tenant.url)
        ShortLinkDomain.objects.create(service=shop, region=shop.region, host="uk.wbxc.io")
        Smartlink.objects.create(service=shop, name="App", smartlink_id=4371)
        sign_in(page, live_server)
        page.goto(f"{live_server.url}/s/shop/settings/tenant/")
        found += problems(page, "tenant probe, nothing known")
        page.get_by_label("Your phone’s number").fill("07946 000123")
        page.get_by_label("Short-link domain").select_option("uk.wbxc.io")
        page.get_by_label("Smartlink", exact=True).select_option("App")
        page.get_by_role("button", name="Begin").click()
        expect(page.get_by_text("0 of 12")).to_be_visible()
        page.get_by_role("button", name=re.compile("Send.*Does a message arrive")).click()
        expect(page.get_by_text("2 receipts so far")).to_be_visible()
        found += problems(page, "tenant probe, a question waits")
        page.get_by_label("Yes, it has arrived").check()
        page.get_by_role("button", name="That is what I see").click()
        expect(page.get_by_text("The message arrived, and its receipts were read.").first).to_be_visible()
        with page.expect_navigation():
            page.get_by_role("button", name=re.compile("Leave it out.*Which link options")).click()
        page.locator("main details").first.locator("summary").click()
        Service.objects.filter(pk=shop.pk).update(answers_since=None)
        found += problems(page, "tenant probe, something proved")
        Service.objects.filter(pk=shop.pk).update(answers_since=timezone.now())
        page.reload()
        found += problems(page, "tenant probe, other credentials")
        page.get_by_role("link", name="End this tenant probe").click()
        page.get_by_role("button", name="End it").click()
        expect(page.get_by_role("heading", name="Begin")).to_be_visible()
    assert ProbeReceipt.objects.count() == 2
    assert not found, "\n".join(found)
