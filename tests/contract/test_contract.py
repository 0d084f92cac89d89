"""Every row of `docs/webex-connect.md` is executed, and the page is what the rows say."""

import pytest
from django.db import transaction

from sms.dispatch import epochs
from sms.inbound.receipts import receipt_addresses
from tests.contract.document import PAGE, PARTS, page
from tests.contract.rows import Example, Part
from tests.contract.world import World, world

pytestmark = [pytest.mark.django_db, pytest.mark.once]  # what is written and read, not how it is kept


def test_the_page_is_what_the_rows_say():
    assert PAGE.read_text("utf-8") == page(), "write it with python -m tests.contract"


@pytest.fixture(scope="module")
def here():
    with world() as made:
        yield made


def run(example: Example, here: World) -> str:
    """What is wrong with it; empty where all is well. What it leaves behind goes."""
    receipt_addresses.forget()  # what it remembers goes with the example
    epochs.folders = ()  # a file outside the database would tell that it went back
    try:
        with transaction.atomic():
            example.run(here)
            transaction.set_rollback(True)
    except AssertionError as problem:
        return f"{example.shown()}\n      {str(problem).splitlines()[0]}"
    return ""


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.title)
def test_every_row_is_executed(part: Part, here, capsys):
    executed, wrong, start = 0, [], here.browser.count
    for row in part.rows:
        before = here.browser.count
        wrong += [f"{row.name}: {problem}" for one in row.examples if (problem := run(one, here))]
        executed += here.browser.count - before >= len(row.examples) > 0  # each example asks us at least once
    count, percent = sum(len(row.examples) for row in part.rows), executed * 100 / len(part.rows)
    requests = here.browser.count - start
    with capsys.disabled():
        print(
            f"\n{part.title}: {executed} of {len(part.rows)} rows executed over HTTP ({percent:g} %), "
            f"{count} examples, {requests} requests to our own server"
        )
    assert not wrong, "\n" + "\n".join(wrong)
    assert executed == len(part.rows)
