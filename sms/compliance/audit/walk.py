"""Walking along a chain: each seal is read with its row, and must follow from the seal before and fit what the row says now."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from django.db import Error
from django.utils.translation import gettext_noop

from sms.compliance.audit.retire import retired_until
from sms.compliance.audit.seal import head_of
from sms.compliance.audit.verdict import Broken, ChainVerdict
from sms.models import AuditEvent, AuditSeal, audit_proof
from sms.models.audit_proof import START
from sms.models.sql.audit_rows import SealedRow, read_ahead
from sms.models.sql.trouble import may_work_again
from sms.words import KeptSentence

PAGE = 20_000


class ChainBroken(Exception):
    """Ends a walk at the first row that does not hold."""

    def __init__(self, number: int, event_id: int | None, why: str) -> None:
        super().__init__(why)
        self.broken = Broken(number, event_id, why)


def walked(
    service_slug: str,
    *,
    after: tuple[int, str] = (0, START),
    until: int | None = None,
    seconds: float | None = None,
) -> ChainVerdict:
    """The seals after one of them, each with its row, in order; up to number `until`, or to the last."""
    started = time.monotonic()
    verdict = ChainVerdict(service_slug, number=after[0], hash=after[1])
    walk = _Walk(verdict)
    try:
        for page in _pages(service_slug, after[0], until=until):
            walk.check(page)
            if seconds is not None and time.monotonic() - started > seconds:
                verdict.complete = verdict.number >= head_of(service_slug).number
                break
    except ChainBroken as problem:
        verdict.broken = problem.broken
    if until is not None and verdict.number < until and not verdict.broken and verdict.complete:
        verdict.broken = Broken(verdict.number + 1, None, gettext_noop("Its seal is missing."))
    return verdict


def wrong_with(event_id: int) -> str:
    """Why one sealed row does not hold by itself and after the seal before it, as a sentence; empty where it does."""
    place = AuditSeal.objects.get(pk=event_id)
    before = AuditSeal.objects.filter(service_slug=place.service_slug, number=place.number - 1).first()
    if before is None and place.number > 1:
        return gettext_noop("The seal before its own is missing.")
    verdict = ChainVerdict(place.service_slug, number=place.number - 1, hash=before.hash if before else START)
    walk, pages = _Walk(verdict), _pages(place.service_slug, place.number - 1, size=1)
    try:
        walk.check(next(pages))
    except ChainBroken as problem:
        return problem.broken.why
    return ""


def _pages(
    service_slug: str, after: int, size: int | None = None, *, until: int | None = None
) -> Iterator[Sequence[SealedRow]]:
    last, size = head_of(service_slug).number if until is None else until, size or PAGE
    with ThreadPoolExecutor(1) as pool:
        size = min(size, last - after) or size
        page_of = read_ahead(pool, service_slug, after=after, until=after + size)
        while after < last:
            try:
                page = page_of()
            except (Error, UnicodeDecodeError) as problem:
                if may_work_again(problem):
                    raise
                if size == 1:
                    raise ChainBroken(
                        after + 1, None, gettext_noop("It cannot be read: it is damaged, or no text.")
                    ) from None
                size = 1  # one of these cannot even be read: go up to it row by row
                page_of = read_ahead(pool, service_slug, after=after, until=after + size)
                continue
            if not page:
                raise ChainBroken(after + 1, None, gettext_noop("Its seal is missing, and many after it."))
            after += size
            size = min(size, last - after) or size
            page_of = read_ahead(pool, service_slug, after=after, until=after + size)
            yield page


class _Walk:
    def __init__(self, verdict: ChainVerdict) -> None:
        self._verdict = verdict
        self._slug = verdict.service_slug
        self._keys = audit_proof.audit_keys.of(self._slug)
        self._row_key = self._seal_key = self._keys[0]
        self._retired: int | None = None

    def check(self, page: Sequence[SealedRow]) -> None:
        verdict, slug = self._verdict, self._slug
        number, before = verdict.number, verdict.hash
        link, digest_of, seal_of = audit_proof.link, audit_proof.digest, audit_proof.seal_mac
        row_key, seal_key = self._row_key, self._seal_key
        rows = 0
        for got, event_id, digest, hash_, seal_mac, row_id, body, mac in page:
            number += 1
            if got != number:
                raise ChainBroken(number, None, NEXT_SEAL(number=got))
            if row_id is None or body is None:
                self._left(number, event_id)
            else:
                said = body.encode() if isinstance(body, str) else body
                if row_key.mac(said) != mac:
                    other = next((key for key in self._keys if key.mac(said) == mac), None)
                    if other is None:
                        raise _changed(number, event_id, _FIELDS)
                    row_key = other
                if digest_of(said) != digest:
                    raise _changed(number, event_id, _ANOTHER_ROW)
                rows += 1
            if link(before, slug, number, event_id, digest) != hash_:
                raise ChainBroken(
                    number, event_id, gettext_noop("Its seal does not follow from the one before.")
                )
            if seal_of(seal_key, hash_) != seal_mac:
                fits = next((key for key in self._keys if seal_of(key, hash_) == seal_mac), None)
                if fits is None:
                    why = gettext_noop("Its seal was not made with any of today's AUDIT_KEYS.")
                    raise ChainBroken(number, event_id, why)
                seal_key = fits
            before = hash_
            verdict.number, verdict.hash = number, before
        verdict.rows += rows
        self._row_key, self._seal_key = row_key, seal_key

    def _left(self, number: int, event_id: int) -> None:
        if self._retired is None or number > self._retired:
            self._retired = retired_until(self._slug)  # read again: retention may be running
        if number > self._retired:
            why = ROW_GONE(id=event_id)
            raise ChainBroken(number, event_id, why)
        self._verdict.left += 1


# what is wrong with a row, as checks keep it
NEXT_SEAL = KeptSentence(gettext_noop("Its seal is missing; the next one is number %(number)s."))
ROW_GONE = KeptSentence(gettext_noop("The row is gone (it had id %(id)s), and retention did not take it."))


@dataclass(frozen=True, slots=True)
class _Wrong:
    known: KeptSentence  # where the row can be read
    unknown: KeptSentence


_FIELDS = _Wrong(
    KeptSentence(
        gettext_noop(
            "Row id %(id)s (%(time)s UTC, %(act)s, %(person)s) was changed: its fields do not fit its MAC."
        )
    ),
    KeptSentence(gettext_noop("Row id %(id)s was changed: its fields do not fit its MAC.")),
)
_ANOTHER_ROW = _Wrong(
    KeptSentence(
        gettext_noop(
            "Row id %(id)s (%(time)s UTC, %(act)s, %(person)s) was changed: it is not the row that was sealed."
        )
    ),
    KeptSentence(gettext_noop("Row id %(id)s was changed: it is not the row that was sealed.")),
)


def _changed(number: int, event_id: int, wrong: _Wrong) -> ChainBroken:
    try:
        row = AuditEvent.objects.get(pk=event_id)
        about = {"time": f"{row.at:%Y-%m-%d %H:%M:%S}", "act": row.act[:40], "person": row.actor_label[:80]}
        says = wrong.known(id=event_id, **about)
    except Exception:  # whatever was written into it: that it is broken is known by now
        says = wrong.unknown(id=event_id)
    return ChainBroken(number, event_id, says)
