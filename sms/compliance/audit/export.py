"""Rows of the audit as they are chosen, and as a file, each with its proof.

`docs/operators/verify_audit_export.py` checks such a file without Textdesk.

Streams: a page of rows is in memory at a time, whatever the size.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from sms.compliance.audit.checkpoint import Checkpoint
from sms.compliance.audit.seal import head_of, seal
from sms.models import AuditEvent, AuditSeal, audit_proof
from sms.models.audit_acts import ACTS
from sms.models.paging import given, pages
from sms.values.csv import MARK, csv_line

PAGE = 2000
FORM = 2
COLUMNS = ("number", "id", *AuditEvent.PROVEN, "words", "digest", "previous", "hash", "mac", "seal")


@dataclass(frozen=True, slots=True)
class Selection:
    """Empty fields choose everything. `who` and `words` are searched for within texts, letters of either case."""

    who: str = ""
    act: str = ""
    noun: str = ""
    door: str = ""
    since: datetime | None = None
    until: datetime | None = None
    words: str = ""


def rows_of(service_slug: str, chosen: Selection) -> "QuerySet[AuditEvent]":
    asked = given(
        act=chosen.act,
        door=chosen.door,
        act__startswith=chosen.noun and f"{chosen.noun}.",
        actor_label__icontains=chosen.who,
        at__gte=chosen.since,
        at__lt=chosen.until,
    )
    rows = AuditEvent.objects.filter(asked, service_slug=service_slug).order_by("-pk")
    if chosen.words:
        rows = rows.annotate(text=Cast("details", TextField())).filter(
            Q(noun_key=chosen.words) | Q(text__icontains=chosen.words)
        )
    return rows


def json_lines_of(service_slug: str, chosen: Selection) -> Iterator[str]:
    """A line about the file, a line for each row, a line that ends it."""
    seal(thorough=True)
    head = head_of(service_slug)
    about = {
        "textdesk_audit_export": FORM,
        "service": service_slug,
        "made_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "selection": {name: str(value) for name, value in asdict(chosen).items() if value},
        "head": asdict(Checkpoint.of(head)) if head.number else None,
    }
    yield json.dumps(about, ensure_ascii=False) + "\n"
    count = 0
    for row in _rows(service_slug, chosen, upto=head.number):
        count += 1
        yield json.dumps(row, ensure_ascii=False) + "\n"
    yield json.dumps({"rows": count}) + "\n"


def csv_of(service_slug: str, chosen: Selection) -> Iterator[str]:
    """The same rows for a spreadsheet; an apostrophe disarms what one would run, and the verifier reads past it."""
    seal(thorough=True)
    yield MARK + csv_line(*COLUMNS)
    for row in _rows(service_slug, chosen, upto=head_of(service_slug).number):
        yield csv_line(*(str(row[name]) for name in COLUMNS))


def _rows(service_slug: str, chosen: Selection, *, upto: int) -> Iterator[dict[str, object]]:
    """Rows with their proof, by id; those sealed after the export began are left out."""
    names = ("pk", *AuditEvent.PROVEN[:-2], "text", "nonce", "mac")
    wanted = rows_of(service_slug, chosen).annotate(text=Cast("details", TextField()))
    for page in pages(wanted.values_list(*names), PAGE):
        seals = AuditSeal.objects.in_bulk([row[0] for row in page])
        links = AuditSeal.objects.filter(service_slug=service_slug).order_by().values_list("number", "hash")
        before = dict(links.filter(number__in=[one.number - 1 for one in seals.values()]))
        for pk, at, *rest, mac in page:
            place = seals.get(pk)
            if place is None or place.number > upto or place.service_slug != service_slug:
                continue
            row = dict(zip(AuditEvent.PROVEN, (audit_proof.written(at), *rest), strict=True))
            yield {
                "number": place.number,
                "id": pk,
                **row,
                "words": ACTS.get(row["act"], row["act"]),
                "digest": place.digest,
                "previous": before.get(place.number - 1, audit_proof.START),
                "hash": place.hash,
                "mac": mac,
                "seal": place.mac,
            }
