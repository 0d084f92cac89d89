"""Parts that ask for themselves: not while nobody looks at the tab, never twice at a time, and again once somebody looks."""

import pytest
from playwright.sync_api import Page, Route

from tests.browser.large_drafts import a_large_draft, until
from tests.browser.signed_in import a_request_with_changes, sign_in
from tests.support.every_page import a_conversation, a_report_file
from tests.support.sends import a_send

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.sqlite,  # it is about pages in a browser; what the parts hold is proved on both databases in tests/portal
]
LOOKED_AT = (
    "hidden => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true }); "
    + ("document.dispatchEvent(new Event('visibilitychange')); }")
)


@pytest.fixture
def addresses(shop) -> dict[str, str]:
    """Pages with a part that asks for itself, and what it asks for."""
    send = a_send(shop, 3)
    talk = a_conversation(shop)
    a_request_with_changes(shop)
    draft = a_large_draft(shop, "Being read")
    a_report_file(shop)
    return {
        "": "/live/",
        "sends/": "/sends/list/",
        f"sends/{send.pk}/": "/progress/",
        "approvals/?show=open": "/approvals/list/",
        "replies/": "/replies/list/",
        f"replies/{talk.pk}/": "/thread/",
        "report-files/": "/report-files/list/",
        f"drafts/{draft.pk}/": "/work/",
        f"drafts/{draft.pk}/review/": "/progress/",
    }


def test_every_part_rests_in_a_tab_that_is_hidden_and_asks_once_at_a_time(
    page: Page, live_server, addresses, complaints
):
    asked: list[Route] = []  # and never answered

    def hold(route: Route) -> None:
        asked.append(route)

    sign_in(page, live_server)
    page.clock.install()
    found = {}
    for address, part in addresses.items():
        page.goto(f"{live_server.url}/s/shop/{address}")
        page.evaluate(LOOKED_AT, True)
        page.wait_for_load_state("networkidle")
        asked.clear()
        page.route(f"**{part}**", hold)
        page.clock.run_for(60_000)
        page.evaluate(LOOKED_AT, False)
        while_hidden = len(asked)
        page.clock.run_for(9_000)  # a request is given up after ten seconds
        until(page, lambda: asked, what="the part asks again")
        page.evaluate("document.readyState")
        found[address] = (while_hidden, len(asked))
        page.unroute(f"**{part}**")
    assert found == dict.fromkeys(addresses, (0, 1))
    complaints.clear()  # of the answers that did not come
