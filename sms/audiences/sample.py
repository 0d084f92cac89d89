"""Samples of an audience for the compose page: real rows, the longest among them, and how many there are.

Reading a hundred thousand rows at every key would be too slow, so samples are kept in this process: a saved version never changes, and a
paste is known by its text. Decides nothing about who gets a message.
"""

import heapq
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Unpack

from django.utils.translation import gettext as _
from django.utils.translation import override

from sms.audiences import storage
from sms.audiences.files import (
    Audience,
    AudienceError,
    FileFindings,
    Recipient,
    RejectedGroup,
    RejectedRow,
    grouped,
    read,
    read_pasted,
)
from sms.audiences.files.findings import findings_of
from sms.audiences.files.rows import ReadOptions, RowBlock
from sms.models import AudienceVersion, Upload
from sms.values.msisdn import country_of
from sms.words import retold

WHOLE = 1_000  # rows: up to so many, all are sampled
SPREAD = 200  # of more, so many evenly spread ones
LONGEST = 20  # and of each column the rows with the longest values
FIRST = 8  # rejected rows that are shown
KEPT = 16  # samples of each kind in a process; a few hundred rows each
SMALL_FILE = 1_000_000  # bytes
LONGEST_PASTE = 400_000  # characters that are read while they are typed


@dataclass(frozen=True, slots=True)
class AudienceSample:
    """`rows` are all recipients where `whole`, otherwise the spread ones first (`spread` of them) and the longest behind them.

    `note` says why there are none, or what of them was not read. An audience for `sms.compose` like any other.
    """

    headings: list[str] = field(default_factory=list)
    column: str = ""
    rows: tuple[Recipient, ...] = ()
    spread: int = 0
    recipients: int = 0
    rejected: Sequence[RejectedGroup] = ()
    countries: Mapping[str, int] = field(default_factory=dict)
    bad: tuple[RejectedRow, ...] = ()
    note: str = ""
    findings: FileFindings | None = None

    @property
    def whole(self) -> bool:
        return len(self.rows) == self.recipients

    def blocks(self) -> Iterator[RowBlock]:
        yield RowBlock(self.rows, self.bad)


EMPTY = AudienceSample()


def of_pasted(written: str, **options: Unpack[ReadOptions]) -> AudienceSample:
    if not written.strip():
        return EMPTY
    if len(written) > LONGEST_PASTE:
        return AudienceSample(note=_("So many numbers are read on the next page."))
    return _told(_of_pasted(written, **options))


def _told(sample: AudienceSample) -> AudienceSample:
    """A sample is kept for everybody, in English."""
    return replace(sample, note=retold(sample.note)) if sample.note else sample


@lru_cache(maxsize=KEPT)
def _of_pasted(written: str, **options: Unpack[ReadOptions]) -> AudienceSample:
    try:
        with override("en"):
            return of_audience(read_pasted(written, **options))
    except AudienceError as problem:
        return AudienceSample(note=str(problem))


def of_upload(upload: Upload, **options: Unpack[ReadOptions]) -> AudienceSample:
    """Of a file that is small enough to be read while the text is written."""
    if upload.size > SMALL_FILE:
        return AudienceSample(note=_("The file is read on the next page."))
    # by its digest too: a key may be used again, a digest never
    return _told(_of_upload(upload.pk, upload.sha256, upload.name, **options))


@lru_cache(maxsize=KEPT)
def _of_upload(pk: int, _sha256: str, name: str, **options: Unpack[ReadOptions]) -> AudienceSample:
    file = io.BytesIO(bytes(Upload.objects.values_list("content", flat=True).get(pk=pk)))
    try:
        with override("en"):
            return of_audience(read(file, name=name, **options))
    except AudienceError as problem:
        return AudienceSample(note=str(problem), findings=problem.findings)


def of_version(version: AudienceVersion) -> AudienceSample:
    """Of a saved version, from one read of its chunks; it never changes, until it is erased."""
    if version.erased_at:
        return AudienceSample(note=_("The rows of this audience were erased. Choose another one."))
    return _of_version(version.pk, version.made_at)


@lru_cache(maxsize=KEPT)
def _of_version(pk: int, made_at: datetime) -> AudienceSample:
    # by its time too: a key may be used again
    version = AudienceVersion.objects.get(pk=pk, made_at=made_at)
    # of a saved one, the rows that were rejected when it was read are no rows of it any more
    rejected = [] if version.audience_id else grouped(storage.every_reject(version))
    return _drawn(storage.every_recipient(version), _begun(version, version.recipients, rejected))


def of_first(version: AudienceVersion, good: Sequence[Recipient]) -> AudienceSample:
    """Of a version that is still being read: its first rows. Not kept, since it grows."""
    found = _drawn(good, _begun(version, len(good), []))
    # one more than there are, so that no figure of them passes for one of all
    growing = max(version.recipients, len(good) + 1)
    return replace(
        found, recipients=growing, note=_("These are the first rows; the others are not read yet.")
    )


def of_audience(audience: Audience) -> AudienceSample:
    begun = _begun(audience, len(audience.recipients), grouped(audience.rejects))
    return _drawn(audience.recipients, replace(begun, bad=tuple(audience.rejects[:FIRST])))


def _begun(
    of: Audience | AudienceVersion, recipients: int, rejected: Sequence[RejectedGroup]
) -> AudienceSample:
    return AudienceSample(
        headings=list(of.headings),
        column=of.column,
        recipients=recipients,
        rejected=rejected,
        findings=of.findings if isinstance(of, Audience) else findings_of(of.findings),
    )


def _drawn(rows: Iterable[Recipient], begun: AudienceSample) -> AudienceSample:
    """With the rows that are shown of all these."""
    recipients = begun.recipients
    step = max(recipients // SPREAD, 1) if recipients > WHOLE else 1
    drawn: list[Recipient] = []
    countries: Counter[str] = Counter()
    longest: dict[str, list[tuple[int, int, Recipient]]] = {}
    for at, one in enumerate(rows):
        countries[country_of(one.msisdn)] += 1
        if at % step == 0:
            drawn.append(one)
        if step > 1:
            for heading, value in one.substitutions.items():
                _keep_longest(longest.setdefault(heading, []), (_weight(value), -at, one))
    spread = len(drawn)
    seen = {one.row for one in drawn}
    for heap in longest.values():
        for _weighs, _place, one in sorted(heap, reverse=True):
            if one.row not in seen:
                seen.add(one.row)
                drawn.append(one)
    return replace(begun, rows=tuple(drawn), spread=spread, countries=dict(countries))


def _weight(value: str) -> int:
    """Room that a value takes: one that needs Unicode costs more than twice as much."""
    return len(value) if value.isascii() else 3 * len(value)


def _keep_longest(heap: list[tuple[int, int, Recipient]], one: tuple[int, int, Recipient]) -> None:
    if len(heap) < LONGEST:
        heapq.heappush(heap, one)
    elif one[:2] > heap[0][:2]:
        heapq.heapreplace(heap, one)
