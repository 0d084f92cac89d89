"""Drafts in the browser: saved, with a large file read in the background, or checked."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from sms.audiences.files import Limits
from sms.compose import background, drafts
from sms.models import Draft, Service, Upload


def stored(page: Page, text: str) -> None:
    """Wait until that text is saved: what the page says may still be of the save before."""
    until(page, Draft.objects.filter(text=text).exists, what=f"{text!r} is saved")


def until(page: Page, true: Callable[[], object], *, what: str) -> None:
    """Wait for something that the page does elsewhere."""
    for _ in range(1_200):
        if true():
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"a minute passed before {what}")


def a_file(folder: Path, name: str, *, first: int) -> Path:
    """Large for its bytes, one row of it without a number, and no column called `name`."""
    lines = [f"0771{first + at:07d},Person {at},{'x' * 140}" for at in range(1_100)]
    lines[7] = f"12,Person 7,{'x' * 140}"
    path = folder / name
    path.write_text("\n".join(["Mobile,Customer,Note", *lines]), encoding="utf-8")
    return path


def prepared(page: Page, shown: Locator) -> None:
    """Do what the background does until the page shows that: on a slow machine one preparation is followed by another."""

    def there() -> bool:
        background.run(stopped=lambda: False)
        return shown.is_visible() and shown.is_enabled()

    until(page, there, what=f"{shown} is shown")


def uploaded(page: Page, file: Path, *, text: str) -> None:
    page.get_by_label("Text", exact=True).fill(text)
    page.get_by_label("File", exact=True).set_input_files(file)
    expect(page.get_by_text(f"{file.name} is in use")).to_be_visible()
    prepared(page, page.get_by_text(f"{file.name} is read: 1,099 rows kept, 1 rejected"))


LIMITS = Limits()


def an_upload(service: Service, name: str, *, rows: int = 2_500) -> Upload:
    """Large for its bytes; every hundredth row has no number."""
    lines = [f"{'12' if at % 100 == 9 else f'0771{at:07d}'},Person {at},{'x' * 60}" for at in range(rows)]
    content = "\n".join(["Mobile number,Customer,Note", *lines]).encode()
    return Upload.keep(content, service=service, name=name, user=None)


def a_large_draft(service: Service, name: str, **changes) -> Draft:
    """Its reading has begun, and some rows are there."""
    fields = {"text": "Hi $(Customer), your order is on its way.", "name": name} | changes
    fields |= {"sender": service.senders.get(), "upload": an_upload(service, f"{name}.csv")}
    draft = Draft.objects.create(service=service, **fields)
    with pytest.raises(drafts.NotReady) as reading:
        drafts.totals_of(draft, limits=LIMITS)
    background.work_on(reading.value.preparation.pk, stopped=iter([False, True, True]).__next__)
    return draft


def checked(draft: Draft, *, wholly: bool) -> Draft:
    """Its rows are read and its check is asked for, or done."""
    background.work_on(draft.version.preparation.pk)
    found = Draft.objects.select_related(*drafts.RELATED).get(pk=draft.pk)
    check = drafts.totals_of(found, limits=LIMITS).preparation
    if wholly:
        background.work_on(check.pk)
    return found
