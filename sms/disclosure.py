"""Subject access: everything that is held about one number of a service, as JSON for programs and HTML for people, in a ZIP.

Only what is the person's: numbers of other people do not get in, neither as rows nor inside of texts. Called by the page *Personal data*
and `manage.py disclose_number`; each time is in the audit, with the reason.
"""

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import datetime
from html import escape
from typing import Any

from django.utils import timezone

from sms import archive, chunks
from sms.models import (
    Actor,
    AudienceChunk,
    AuditEvent,
    Callback,
    Draft,
    InboundMessage,
    Message,
    OptOut,
    Reject,
    Service,
)
from sms.msisdn import BadNumber, parse
from sms.msisdn.hidden import hidden
from sms.msisdn.mention import Mention
from sms.webex import codes

MOST = 100_000  # rejected rows that are read, the newest first


def disclose(service: Service, e164: str, *, reason: str, by: Actor) -> bytes:
    """The ZIP. Raises ArchiveError where an archive cannot be read: half an answer is none."""
    held = held_about(service, e164)
    AuditEvent.record(
        "number.disclosed",
        by=by,
        service_slug=service.slug,
        noun="service",
        noun_key=service.pk,
        reason=Mention(e164).without(reason),
        messages=len(held["messages"]),
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("data.json", json.dumps(held, indent=2, ensure_ascii=False, default=str))
        book.writestr("data.html", _page(held))
    return out.getvalue()


def held_about(service: Service, e164: str) -> dict[str, Any]:
    """Everything, by kind. Times are ISO 8601 in UTC."""
    forms = (e164, hidden(e164, key=service.number_key))
    return {
        "number": e164,
        "held_by": service.name,
        "as_of": _time(timezone.now()),
        "messages": list(_messages(service, e164, forms)),
        "answers": list(_answers(service, forms)),
        "opt_outs": list(_opt_outs(service, forms)),
        "audiences": list(_audiences(service, e164)),
        "rejected_rows": list(_rejects(service, e164)),
        "drafts": list(_drafts(service, e164)),
        "callbacks": list(_callbacks(service, e164)),
    }


def _messages(service: Service, e164: str, forms: tuple[str, str]) -> Iterator[dict[str, Any]]:
    here = Message.objects.filter(send__service=service, msisdn__in=forms).order_by("pk")
    ids = list(here.values_list("pk", flat=True))
    rows = [row for start in range(0, len(ids), 500) for row in archive.read_ledger(ids[start : start + 500])]
    old = archive.to_number(service, e164) if archive.has(service) else []
    for one in archive.told(service, sorted([*rows, *old], key=lambda row: row.id)):
        message, send = one.message, one.message.send
        yield {
            "sent_as_part_of": Mention(e164).without(send.name, put="[your number]"),
            "from": str(send.sender),
            "text": message.text,
            "values": message.substitutions,
            "state": message.state,
            "meaning_of_code": codes.lookup(message.code).meaning if message.code else "",
            "country": message.country,
            "carrier": message.carrier,
            "composed": _time(send.created_at),
            "posted": _time(message.posted_at),
            "with_operator": _time(message.submitted_at),
            "ended": _time(message.final_at),
            "provider_id": message.provider_id,
            "called_by_partner": one.echo.correlation_id if one.echo else "",
            "receipts": [
                {
                    "received": _time(told.received_at),
                    "as_it_came": bytes(told.raw).decode("utf-8", "replace"),
                }
                for told in one.receipts
            ],
            "clicks": [
                {
                    "at": _time(click.at),
                    "url": click.url,
                    "address": click.ip,
                    "browser": click.user_agent,
                    "judged": click.verdict,
                }
                for click in one.clicks.values()
            ],
        }


def _answers(service: Service, forms: tuple[str, str]) -> Iterator[dict[str, Any]]:
    for sms in InboundMessage.objects.filter(service=service, msisdn__in=forms).order_by("pk"):
        yield {
            "received": _time(sms.received_at),
            "to": sms.address,
            "text": sms.text,
            "read_as": sms.meaning,
        }


def _opt_outs(service: Service, forms: tuple[str, str]) -> Iterator[dict[str, Any]]:
    for one in OptOut.objects.filter(service=service, msisdn__in=forms).order_by("pk"):
        yield {
            "since": _time(one.at),
            "how": one.source,
            "evidence": one.evidence,
            "lifted": _time(one.lifted_at),
            "lifted_because": one.lifted_because,
        }


def _audiences(service: Service, e164: str) -> Iterator[dict[str, Any]]:
    found = AudienceChunk.objects.filter(version__service=service).select_related("version__audience")
    for chunk in found.order_by("version", "place").iterator(chunk_size=20):
        for one in chunks.recipients_of(chunk) if _packed(e164) in bytes(chunk.numbers) else ():
            if one.msisdn == e164:
                version = chunk.version
                yield {
                    "audience": str(version.audience or version.source),
                    "version": version.number,
                    "uploaded": _time(version.made_at),
                    "row": one.row,
                    "cells": _own(one.substitutions, e164, service),
                }


def _packed(e164: str) -> bytes:
    return int(e164[1:]).to_bytes(8, "little")


def _rejects(service: Service, e164: str) -> Iterator[dict[str, Any]]:
    mention = Mention(e164)
    rows = (
        Reject.objects.filter(send__service=service).exclude(value="").select_related("send").order_by("-pk")
    )
    for one in rows[:MOST].iterator(chunk_size=2000):
        if mention.found(one.value):
            yield {"send": one.send.name, "row": one.row, "as_written": one.value, "reason": one.reason}


def _drafts(service: Service, e164: str) -> Iterator[dict[str, Any]]:
    mention = Mention(e164)
    for one in Draft.objects.filter(service=service).exclude(pasted="").order_by("pk"):
        lines = [line for line in one.pasted.splitlines() if mention.found(line)]
        if lines:
            yield {
                "draft": str(one),
                "changed": _time(one.changed_at),
                "pasted": _alone(lines, e164, service),
            }


def _callbacks(service: Service, e164: str) -> Iterator[dict[str, Any]]:
    rows = Callback.objects.filter(endpoint__service=service, body__contains=e164[1:]).select_related(
        "endpoint"
    )
    for one in rows.order_by("pk"):
        yield {"told_to": one.endpoint.name, "what": one.kind, "at": _time(one.created_at), "body": one.body}


def _own(cells: dict[str, str], e164: str, service: Service) -> dict[str, str]:
    """The person's own row. A cell that is somebody else's number is not the person's to be told."""
    return {
        name: value if _is_none_or_own(value, e164, service) else "[another number]"
        for name, value in cells.items()
    }


def _is_none_or_own(value: str, e164: str, service: Service) -> bool:
    if sum(char.isdigit() for char in value) < 7 or Mention(e164).found(value):
        return True
    try:
        parse(value, country=service.default_country)
    except BadNumber:
        return True
    return False


def _alone(lines: list[str], e164: str, service: Service) -> list[str]:
    """Pasted lines can hold several numbers: of each only the person's own part."""
    parts = [part.strip() for line in lines for part in line.replace(";", ",").split(",")]
    return [part for part in parts if part and _is_none_or_own(part, e164, service)]


def _time(at: datetime | None) -> str:
    return at.isoformat(timespec="seconds") if at else ""


HEAD = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>What is held about {number}</title>'
    "<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}}"
    "dt{{font-weight:600}}dd{{margin:0 0 .5rem;overflow-wrap:anywhere;white-space:pre-wrap}}"
    "section{{border-top:1px solid #999;padding:1rem 0}}</style>"
    "<h1>What {held_by} holds about {number}</h1><p>As of {as_of}. Times are UTC. The same data for programs is in data.json.</p>"
)
TITLES = {
    "messages": "Messages sent to you",
    "answers": "Messages from you",
    "opt_outs": "Your refusals",
    "audiences": "Lists of recipients that name you",
    "rejected_rows": "Rows of lists that were left out",
    "drafts": "Drafts that name you",
    "callbacks": "What other systems were told about messages to you",
}


def _page(held: dict[str, Any]) -> str:
    parts = [HEAD.format(**{name: escape(str(held[name])) for name in ("number", "held_by", "as_of")})]
    for name, title in TITLES.items():
        parts.append(f"<h2>{escape(title)} ({len(held[name])})</h2>")
        if not held[name]:
            parts.append("<p>Nothing is held.</p>")
        for entry in held[name]:
            rows = "".join(
                f"<dt>{escape(key.replace('_', ' '))}</dt><dd>{escape(_written(value))}</dd>"
                for key, value in entry.items()
                if value not in ("", [], {}, None)
            )
            parts.append(f"<section><dl>{rows}</dl></section>")
    return "".join(parts)


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False, default=str)
