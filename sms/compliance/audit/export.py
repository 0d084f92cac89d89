"""The audit as a file, each row with its proof. `docs/operators/verify_audit_export.py` checks such a file without Textdesk.

Streams: a page of rows is in memory at a time, whatever the size.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime

from django.db.models import TextField
from django.db.models.functions import Cast

from sms.compliance.audit.checkpoint import Checkpoint
from sms.compliance.audit.queries import Selection, rows_of
from sms.compliance.audit.seal import head_of, seal
from sms.models import AuditEvent, AuditSeal, audit_proof
from sms.models.audit_acts import words_of
from sms.values.csv import MARK, csv_line

PAGE = 2000
FORM = 1
COLUMNS = ("number", "id", *AuditEvent.PROVEN, "words", "digest", "previous", "hash", "mac", "seal")


def json_lines_of(service_slug: str, chosen: Selection) -> Iterator[str]:
    """A line about the file, a line for each row, a line that ends it."""
    seal(thorough=True)
    head = head_of(service_slug)
    about = {
        "textdesk_audit_export": FORM,
        "service": service_slug,
        "made_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "selection": {name: str(value) for name, value in asdict(chosen).items() if value},
        "head": asdict(Checkpoint.of(head)) if head else None,
    }
    yield json.dumps(about, ensure_ascii=False) + "\n"
    count = 0
    for row in _rows(service_slug, chosen, upto=head.number if head else 0):
        count += 1
        yield json.dumps(row, ensure_ascii=False) + "\n"
    yield json.dumps({"rows": count}) + "\n"


def csv_of(service_slug: str, chosen: Selection) -> Iterator[str]:
    """The same rows for a spreadsheet; an apostrophe disarms what one would run, and the verifier reads past it."""
    seal(thorough=True)
    head = head_of(service_slug)
    yield MARK + csv_line(*COLUMNS)
    for row in _rows(service_slug, chosen, upto=head.number if head else 0):
        yield csv_line(*(str(row[name]) for name in COLUMNS))


def _rows(service_slug: str, chosen: Selection, *, upto: int) -> Iterator[dict[str, object]]:
    """Rows with their proof, by id; those sealed after the export began are left out."""
    names = ("pk", *AuditEvent.PROVEN[:-2], "text", "nonce", "mac")
    wanted = rows_of(service_slug, chosen).annotate(text=Cast("details", TextField())).order_by("pk")
    last = 0
    while True:
        page = list(wanted.filter(pk__gt=last).values_list(*names)[:PAGE])
        if not page:
            return
        last = page[-1][0]
        seals = AuditSeal.objects.in_bulk([row[0] for row in page])
        before = _hashes(service_slug, [one.number - 1 for one in seals.values()])
        for pk, at, *rest, mac in page:
            place = seals.get(pk)
            if place is None or place.number > upto or place.service_slug != service_slug:
                continue
            row = dict(zip(AuditEvent.PROVEN, (audit_proof.written(at), *rest), strict=True))
            yield (
                {"number": place.number, "id": pk}
                | row
                | {
                    "words": words_of(row["act"]),
                    "digest": place.digest,
                    "previous": before.get(place.number - 1, audit_proof.START),
                    "hash": place.hash,
                    "mac": mac,
                    "seal": place.mac,
                }
            )


def _hashes(service_slug: str, numbers: list[int]) -> dict[int, str]:
    found = AuditSeal.objects.filter(service_slug=service_slug, number__in=numbers).order_by()
    return dict(found.values_list("number", "hash"))
