"""Chromium for the tests in this folder: `page` is a fresh private window, and a console error or a CSP violation fails the test.

The browser is the system's own (CHROMIUM=/path overrides), because Playwright's download needs the network. Without one these tests
say so and skip, which `.ci/run` turns into failures.
"""

from collections.abc import Iterator

import pytest
from django.db import OperationalError, connection
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from portal.models import Membership, User
from tests.browser.signed_in import PASSWORD
from tests.support.chromium import ARGUMENTS, chromium
from tests.support.sends import a_service

PATIENCE = 60_000  # milliseconds for what happens at once where the machine has nothing else to do
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="package", autouse=True)
def emptied_beside_requests() -> Iterator[None]:
    """A request of a page that was closed may still be answered while the database is emptied: on PostgreSQL the two can wait for each
    other, one is told so, and has to begin anew."""
    operations = type(connection.ops)
    empty = operations.execute_sql_flush

    def patiently(self: object, statements: object) -> None:
        for tries_left in reversed(range(20)):
            try:
                empty(self, statements)
            except OperationalError:
                if not tries_left:
                    raise
                connection.close()
            else:
                return

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(operations, "execute_sql_flush", patiently)
        yield


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One Chromium for this folder."""
    path = chromium()
    if path is None:
        pytest.skip(
            "Chromium is not installed (apt-get install chromium), so the pages were not tested in a browser"
        )
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright's sync interface keeps an event loop in this thread, which Django's ORM would refuse to work beside.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        launched = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A private window: no cookies from the test before."""
    window = browser.new_context(
        viewport={"width": 1280, "height": 900},
        locale="en-GB",
        timezone_id="Europe/London",
        reduced_motion="reduce",  # a colour on its way from light to dark is neither
    )
    window.set_default_timeout(PATIENCE)
    yield window
    window.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complained about; a test that provokes an error clears it."""
    return []


@pytest.fixture
def page(context: BrowserContext, complaints: list[str]) -> Iterator[Page]:
    """A page on which any console error (CSP violations are such) or uncaught exception fails the test."""
    opened = context.new_page()
    opened.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    assert complaints == [], "the browser complained"


@pytest.fixture
def shop(live_server):
    service = a_service()
    user = User.objects.create_user("ada@example.test", PASSWORD, is_staff=True)
    for role in ("admin", "composer", "approver"):
        Membership.objects.create(user=user, service=service, role=role)
    return service
