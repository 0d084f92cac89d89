"""The Django admin in the frame of the pages: accessible and narrow enough, in light and dark, and with the portal's style alone."""

import pytest
from playwright.sync_api import expect

from portal.models import User
from sms.models import ApiKey, Message, ShortLinkDomain
from tests.browser.accessibility import problems
from tests.browser.signed_in import sign_in
from tests.support.partners import a_key
from tests.support.sends import a_send

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.sqlite,  # it is about pages in a browser; what they write is proved on both databases in tests/portal
]
# the one left out hides what another choice of the form makes needless
FOREIGN_STYLE = """
    [...document.styleSheets].map(one => one.href || "").filter(one => /admin[/]css[/]/.test(one) && !/unusable_password/.test(one))
"""


def test_every_kind_of_page_of_the_admin_is_one_of_ours(page, live_server, shop):
    User.objects.update(is_superuser=True)
    a_key(shop)
    send = a_send(shop, 3)
    message, *_ = send.messages.order_by("pk")
    Message.objects.filter(pk=message.pk).update(state="failed", code="7102", detail="x" * 120)
    ShortLinkDomain.objects.create(service=shop, host="go.example.test", region=shop.region)
    sender, key = shop.senders.get(), ApiKey.objects.get()
    sign_in(page, live_server)
    found = []
    for path in (
        *(
            "",
            "sms/",
            "sms/send/",
            "sms/message/?state__exact=failed",
            "sms/sender/",
            "sms/auditevent/",
            "portal/user/",
        ),
        *("sms/send/add/", "sms/sender/add/", "portal/user/add/", "sms/optout/add/"),
        *(
            f"sms/send/{send.pk}/change/",
            f"sms/message/{message.pk}/change/",
            f"sms/service/{shop.pk}/change/",
        ),
        *(
            f"sms/sender/{sender.pk}/change/",
            f"sms/apikey/{key.pk}/change/",
            f"sms/sender/{sender.pk}/history/",
        ),
        *(f"portal/user/{User.objects.get().pk}/change/", f"portal/user/{User.objects.get().pk}/password/"),
        *(f"sms/shortlinkdomain/{ShortLinkDomain.objects.get().pk}/delete/", "sms/messagetemplate/"),
    ):
        page.goto(f"{live_server.url}/admin/{path}")
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        expect(page.locator(".masthead .brand")).to_be_visible()
        assert page.evaluate(FOREIGN_STYLE) == [], path
        found += problems(page, f"admin {path.split('?')[0].replace('/', ' ').strip() or 'start'}")
    page.goto(f"{live_server.url}/admin/sms/sender/add/?_popup=1")
    found += problems(page, "admin small window")
    page.goto(f"{live_server.url}/admin/sms/sender/add/")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".errornote")).to_be_visible()
    found += problems(page, "admin form with errors")
    assert found == []
