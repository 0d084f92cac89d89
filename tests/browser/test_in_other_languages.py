"""Pages in French, Spanish and Arabic: accessible, and no sideways scroll where words are longer or run from the right."""

from datetime import timedelta

import pytest
from django.utils import timezone

from portal.models import User
from sms.models import Draft
from tests.browser.accessibility import problems
from tests.browser.signed_in import sign_in
from tests.support.every_page import SERVICE_PAGES, address
from tests.support.sends import a_send

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.sqlite,  # what a page looks like does not depend on the database
]
# each look takes a second, so one page of each kind: lists, things, forms, questions, figures
PAGES = {
    *("home", "compose", "draft", "sends", "send", "calendar", "approval", "message", "reply"),
    *("reports", "audit_list", "people", "sender_new", "settings_limits", "going_live"),
}
OTHERS = ("/accounts/details/", "/status", "/admin/")


@pytest.mark.parametrize("language", ["fr", "es", "ar"])
def test_pages_are_accessible_in(language, page, live_server, shop):
    User.objects.update(is_superuser=True)
    send = a_send(shop, 3, due_at=timezone.now() + timedelta(days=1))
    draft = Draft.objects.create(service=shop, text="Hello $(name)")
    known = {name: path for path, name, _ in SERVICE_PAGES}
    addresses = [address(known[name], shop, send, draft, furnished=True) for name in sorted(PAGES)]
    sign_in(page, live_server)
    User.objects.update(language=language)
    found = []
    for at in (*addresses, *OTHERS):
        page.goto(f"{live_server.url}{at}")
        assert page.evaluate("document.documentElement.lang") == language, at
        found += problems(page, f"{at} {language}")
    assert found == []
