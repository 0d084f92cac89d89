"""Axe and the width of a page, in light and dark, wide and narrow."""

import os
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

AXE = Axe().axe_script


RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


LOOKS = (("light", 1280), ("dark", 360))


SHOTS = os.environ.get("SCREENSHOTS", "")  # a folder for a picture of each state that is looked at


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
