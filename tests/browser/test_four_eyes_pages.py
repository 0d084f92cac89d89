"""The pages of what guards approval: what waits, confirming and declining, a seed list to confirm, and the code for one's own number."""

from datetime import timedelta

import pytest
from django.utils import timezone

from portal.models import NumberCode, User
from sms.audiences import packing, saved
from sms.audiences.files import Limits
from sms.catalogue import api_keys
from sms.guard import hold_back
from sms.models import ApprovalRules, ChangeState, WaitingChange
from tests.browser.accessibility import problems
from tests.browser.signed_in import sign_in
from tests.support.approvals import a_person, acting
from tests.support.sends import BY

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sqlite]


def test_they_are_accessible_fit_and_lead_to_each_other(page, live_server, shop):
    other = acting(a_person("grace", shop, "admin"))
    rules = ApprovalRules.objects.create(service=shop, size=100, size_approvers=1, new_sender=1)
    packed = packing.pack_pasted("07700 900001", country="GB", limits=Limits())
    seeds = saved.create(shop, packed, name="Seeds", by=BY)
    saved.mark(seeds, seed_list=True, by=other)
    api_keys.make(shop, name="Order system", scopes=["send", "read"], by=other)
    WaitingChange.objects.update(
        state=ChangeState.DECLINED, ended_at=timezone.now(), ended_by="x@example.test", because="Not needed"
    )
    rules.size_approvers = rules.new_sender = 0
    change = hold_back(rules, by=other)
    assert change is not None
    sign_in(page, live_server)
    user = User.objects.get(email="ada@example.test")
    NumberCode.objects.create(
        user=user, number="+447700900111", digest="x", sent_at=timezone.now() - timedelta(minutes=1)
    )
    page.goto(f"{live_server.url}/accounts/details/code/")
    found = problems(page, "number code")
    for path in (
        "",
        "settings/waiting-changes/",
        f"settings/waiting-changes/{change.pk}/confirm/",
        f"settings/waiting-changes/{change.pk}/decline/",
        f"audiences/{seeds.pk}/",
        "api-keys/",
    ):
        page.goto(f"{live_server.url}/s/shop/{path}")
        found += problems(page, path)
    assert found == []
    page.goto(f"{live_server.url}/s/shop/")
    page.get_by_role("link", name="Confirm or decline").click()
    page.get_by_role("link", name="Confirm").first.click()
    page.get_by_role("button", name="Confirm").click()
    page.get_by_text("Confirmed. It counts from now on.").wait_for()
    rules.refresh_from_db()
    assert rules.most == 0
