"""From a keystroke to the preview that shows it, in Chromium, with a large audience attached.

`python -m tests.bench.compose_preview [--only sqlite|postgresql] [--keys 220] [--rows 100000] [--pause 120]` prints one JSON line. The bare
limit of the same run is a request to the server that does nothing, from the same page, behind the same pause for debouncing.
"""

import argparse
import io
import json
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests import postgres
from tests.bench.receipts import ROOT, server
from tests.support.processes import environment

PASSWORD = "correct horse battery"
WATCH = """() => {
  const text = document.querySelector("[name=text]"), part = document.querySelector("[data-part=preview]");
  const pending = [], took = [];
  const from = text.value.length;
  let pressed = 0;
  window.measured = took;
  text.addEventListener("keydown", () => { pressed = performance.now(); }, true);
  text.addEventListener("input", () => pending.push({ at: pressed, tail: text.value.slice(from).slice(-24) }), true);
  new MutationObserver(() => {
    const bubble = part.querySelector(".bubble").cloneNode(true);
    for (const seam of bubble.querySelectorAll(".seam")) seam.remove();
    const shown = bubble.textContent;
    let newest = pending.length - 1;
    while (newest >= 0 && !shown.endsWith(pending[newest].tail)) newest -= 1;
    const done = pending.splice(0, newest + 1);
    requestAnimationFrame(() => { for (const one of done) took.push(performance.now() - one.at); });
  }).observe(part, { childList: true, subtree: true });
}"""
BARE = """async () => {
  const took = [];
  for (let n = 0; n < 40; n += 1) { const from = performance.now(); await fetch("/healthz"); took.push(performance.now() - from); }
  return took;
}"""


def main() -> None:
    """One process for the database, since Django knows one."""
    line = argparse.ArgumentParser()
    line.add_argument("--only", choices=("sqlite", "postgresql"), default="sqlite")
    line.add_argument("--keys", type=int, default=220)
    line.add_argument("--rows", type=int, default=100_000)
    line.add_argument("--pause", type=int, default=120, help="milliseconds between two keys")
    line.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = line.parse_args()
    if options.one:
        print(json.dumps(measure(options)), flush=True)
        return
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = f"sqlite:///{folder / 'bench.sqlite3'}"
        if options.only == "postgresql":
            url = stack.enter_context(postgres.fresh_database(stack.enter_context(postgres.server())))
        env = environment(folder, url) | {
            "PUBLIC_URL": "http://127.0.0.1:8000",
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "DJANGO_ALLOW_ASYNC_UNSAFE": "true",
            "ALLOWED_HOSTS": "127.0.0.1",
        }
        command = [sys.executable, "-m", "tests.bench.compose_preview", "--one", *sys.argv[1:]]
        subprocess.run(command, cwd=ROOT, env=env, check=True)


def measure(options: argparse.Namespace) -> dict[str, object]:
    """On the database of the environment."""
    import django
    from django.core.management import call_command

    django.setup()
    for command in (["migrate"], ["createcachetable"], ["collectstatic", "--no-input"]):
        call_command(*command, verbosity=0)
    draft = a_draft(options.rows)
    with server() as port:
        took, bare = typed(f"http://127.0.0.1:{port}", draft, options)
    return {
        "bench": "compose_preview",
        "database": options.only,
        "rows": options.rows,
        "keys": len(took),
        "p50_ms": round(statistics.median(took)),
        "p95_ms": round(statistics.quantiles(took, n=20)[18]),
        "longest_ms": round(max(took)),
        "goal_p95_ms": 150,
        "bare_request_p95_ms": round(statistics.quantiles(bare, n=20)[18]),
        "debounce_ms": 40,
    }


def a_draft(rows: int) -> int:
    """A draft whose saved audience has so many rows, each with a name of its own length."""
    from portal.models import Membership, User
    from sms.audiences import packing, saved
    from sms.audiences.files import Limits
    from sms.models import Draft
    from tests.support.sends import BY, a_service

    service = a_service()
    user = User.objects.create_user("ada@example.test", PASSWORD)
    Membership.objects.create(user=user, service=service, role="composer")
    lines = "".join(f"+44771{at:07d},{'Anna Maria'[: at % 10 + 1]},{at:06d}\n" for at in range(rows))
    file = io.BytesIO(f"Mobile,Name,Code\n{lines}".encode())
    limits = Limits(bytes=100_000_000, rows=max(rows, 1))
    packed = packing.pack_file(file, name="people.csv", country="GB", column=None, limits=limits)
    audience = saved.create(service, packed, name="Everybody", by=BY)
    return Draft.objects.create(service=service, sender=service.senders.get(), audience=audience).pk


def typed(base: str, draft: int, options: argparse.Namespace) -> tuple[list[float], list[float]]:
    """Milliseconds of each key, and of a bare request."""
    from playwright.sync_api import sync_playwright

    from tests.support.chromium import ARGUMENTS, chromium

    words = "Hi $(name), your code is $(code). "
    # without spaces: a text is previewed as the draft keeps it, so one at its end changes nothing
    rest = ("the-quick-brown-fox-jumps-over-the-lazy-dog-0123456789-" * 10)[: options.keys]
    with sync_playwright() as playwright:
        browser: Any = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        page = browser.new_page()
        page.goto(f"{base}/accounts/login/")
        page.get_by_label("E-mail address").fill("ada@example.test")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.goto(f"{base}/s/shop/drafts/{draft}/")
        text = page.get_by_label("Text", exact=True)
        text.fill(words)
        page.locator("mark.value").first.wait_for()
        page.wait_for_timeout(5_000)  # every row is counted once
        bare = page.evaluate(BARE)
        page.evaluate(WATCH)
        text.press("End")
        for char in rest:
            page.keyboard.press(char)
            page.wait_for_timeout(options.pause)
        page.wait_for_timeout(2_000)
        took = page.evaluate("window.measured")
        assert page.locator("[data-state]").inner_text().startswith("Saved"), "and it was saved meanwhile"
        browser.close()
    assert len(took) == options.keys, f"{len(took)} of {options.keys} keys were shown"
    return took, bare


if __name__ == "__main__":
    main()
