"""Chromium for the tests in this folder: `page` is a fresh private window, and a console error or a CSP violation fails the test.

The browser is the system's own (CHROMIUM=/path overrides), because Playwright's download needs the network. Without one these tests
say so and skip, which `.ci/run` turns into failures.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ARGUMENTS = [
    "--no-sandbox",  # build machines run as root, where the sandbox refuses to start; only our own pages are opened
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
]

AXE = Axe().axe_script
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LOOKS = (("light", 1280), ("dark", 360))
SHOTS = os.environ.get("SCREENSHOTS", "")  # a folder for a picture of each state that is looked at


def chromium() -> str | None:
    """Path of the installed browser."""
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if name and (path := shutil.which(name))), None)


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
    window.set_default_timeout(10_000)
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


def accessibility_problems(page: Page) -> list[str]:
    """Axe's findings on the page as it stands, one line each: rule, and the first element it is about."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    return page.evaluate(
        "options => axe.run(options).then(found => found.violations.map(rule => `${rule.id}: ${rule.nodes[0].html}`))",
        {"runOnly": RULES, "resultTypes": ["violations"]},
    )


def problems(page: Page, state: str) -> list[str]:
    """Axe's findings and sideways scroll in both looks, with the state's name; colours and widths do not meet."""
    found = []
    for scheme, width in LOOKS:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        found += [f"{state}, {scheme}: {one}" for one in accessibility_problems(page)]
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        found += [f"{state}, {width} px: scrolls sideways by {wide} px"] if wide > 0 else []
        if SHOTS:
            page.wait_for_timeout(300)  # colours fade
            name = f"{state}-{scheme}-{width}.png".replace(", ", "-").replace(" ", "-")
            page.screenshot(path=Path(SHOTS) / name, full_page=True)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 900})
    return found
