"""A report that is read on a screen, narrowed by a press, printed, and looked at on a phone."""

import re

import pytest
from playwright.sync_api import Page, expect

from sms.models import Sender, SenderKind
from tests.browser.signed_in import sign_in
from tests.support.past_sends import a_past_send

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.sqlite,  # it is about pages in a browser; the figures are proved on both databases in tests/portal
]


@pytest.fixture
def reports(page: Page, live_server, shop) -> Page:
    """The report by sender of a service with two senders: NEWS sent twice as many as SHOP."""
    news = Sender.objects.create(service=shop, address="NEWS", kind=SenderKind.ALPHANUMERIC)
    a_past_send(shop, 4, days=1)
    a_past_send(shop, 8, days=1, sender=news)
    sign_in(page, live_server)
    page.goto(f"{live_server.url}/s/shop/reports/?by=sender")
    return page


def table(page: Page):
    return page.locator(".figures-table").first


def test_a_row_narrows_the_report_to_what_it_counts(reports):
    names = table(reports).locator("tbody th")
    expect(names).to_have_text([re.compile("NEWS"), re.compile("SHOP")])  # who sent most stands first
    with reports.expect_navigation():
        names.nth(1).get_by_role("link").click()
    expect(reports.locator(".page-head")).to_contain_text("SHOP")
    expect(reports.locator(".tiles .tile").first).to_contain_text(re.compile(r"\b4\b"))
    reports.go_back()
    expect(table(reports).locator("tbody tr")).to_have_count(2)


def test_on_paper_it_says_whose_it_is_and_of_when(reports):
    reports.emulate_media(media="print")
    expect(reports.get_by_role("heading", level=1)).to_have_text("Reports of Shop", use_inner_text=True)
    expect(reports.locator(".page-head p")).to_contain_text("days in")
    expect(table(reports)).to_be_visible()
    for other in ("nav", "form.report-form", ".actions"):
        for one in reports.locator(other).all():
            expect(one).to_be_hidden()


def test_on_a_phone_the_first_figure_stands_on_the_first_screen(reports):
    reports.set_viewport_size({"width": 360, "height": 740})
    box = reports.locator(".tiles dd").first.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 740
    assert reports.evaluate("document.documentElement.scrollWidth") == 360
