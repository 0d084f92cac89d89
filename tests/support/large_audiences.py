"""Drafts and sends whose audience is read, checked and written in the background."""

import io
import itertools
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import OperationalError, connection

from sms.audiences import storage
from sms.audiences.files import Limits, read
from sms.compose import background, drafts
from sms.compose.order import Order
from sms.models import AudienceVersion, Draft, Preparation, Send, Upload
from tests.support.sends import an_order

LIMITS = Limits(bytes=50_000_000, rows=1_000_000)


def people(count: int, *, wide: int = 60) -> bytes:
    """A file that is large for its bytes: a bad number in every hundredth row, a number twice in every thousandth."""
    lines = ["Mobile number,Customer,Note"]
    for at in range(count):
        number = "12" if at % 100 == 99 else "07710000000" if at % 1000 == 500 else f"0771{at:07d}"
        lines.append(f"{number},Person {at},{'x' * wide}")
    return "\n".join(lines).encode()


def a_draft(service, content: bytes, **changes) -> Draft:
    upload = Upload.keep(content, service=service, name="people.csv", user=None)
    fields = {"sender": service.senders.first(), "text": "Hi $(Customer)", "upload": upload} | changes
    return Draft.objects.create(service=service, **fields)


def again(draft: Draft) -> Draft:
    return Draft.objects.select_related(*drafts.RELATED).get(pk=draft.pk)


def finished(draft: Draft) -> drafts.DraftTotals:
    """After the background has done its work."""
    for _ in range(3):
        try:
            looked = drafts.totals_of(again(draft), limits=LIMITS)
            if looked.figures is not None and not looked.stale:
                return looked
        except drafts.NotReady:
            pass
        background.run(stopped=lambda: False)
    raise AssertionError("it never comes to an end")


def killed(work: Preparation, *, after: int = 1) -> None:
    """A process that ends after some blocks, its lease over."""
    blocks = itertools.count(1)
    assert not background.work_on(work.pk, stopped=lambda: next(blocks) >= after)


def reading_of(draft: Draft) -> Preparation:
    with pytest.raises(drafts.NotReady) as caught:
        drafts.totals_of(again(draft), limits=LIMITS)
    return caught.value.preparation


def rows(count: int) -> bytes:
    """A file with a bad number in every hundredth row."""
    lines = [f"{'12' if at % 100 == 99 else f'0771{at:07d}'},Person {at}" for at in range(count)]
    return "\n".join(["number,name", *lines]).encode()


def stored(service, count: int) -> storage.StoredAudience:
    """A file's rows in the database, as a draft's large file is."""
    audience = read(io.BytesIO(rows(count)), name="a.csv", country="GB", limits=Limits())
    version = AudienceVersion.objects.create(
        service=service,
        number=1,
        source="a.csv",
        country="GB",
        headings=audience.headings,
        column=audience.column,
    )
    storage.store(audience, version)
    return storage.StoredAudience(version)


def large_order(service, count: int = 2_500, **changes) -> Order:
    audience = stored(service, count)
    return an_order(service, audience=audience, saved=audience.version, **{"content": "Hi $(name)"} | changes)


def one_block(send: Send) -> None:
    """As a process that is killed after its first block: its lease has run out since."""
    assert not background.work_on(send.preparation.pk, stopped=lambda: True)


@contextmanager
def refused(words: str, problem: Exception | None = None) -> Iterator[None]:
    """The database says no to whatever holds these words."""

    def look(execute, sql, params, many, context):
        if words in sql:
            raise problem or OperationalError("could not extend file: No space left on device")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(look):
        yield
