"""What is held about a number by the places that are made for people: messages, answers, refusals, lists, drafts, callbacks."""

import math
from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from sms.audiences import storage
from sms.compliance import archive
from sms.compliance.disclosure import other_rows
from sms.compliance.disclosure.other_rows import time_of
from sms.compliance.disclosure.own import own_cells, own_parts, own_text
from sms.compliance.erasure.waiting_files import bring_in
from sms.models import (
    AudienceChunk,
    Callback,
    Conversation,
    Draft,
    InboundMessage,
    Message,
    OptOut,
    Reject,
    Service,
)
from sms.models.sql.clock import corrected_now
from sms.values.msisdn.hidden import hidden
from sms.values.msisdn.mention import Mention
from sms.webex import codes

MOST = 100_000  # rejected rows that are read, the newest first


def held_about(service: Service, e164: str, *, seconds: float = math.inf) -> dict[str, Any]:
    """Everything, by kind, looked for in long tables for `seconds` at most. Times are ISO 8601 in UTC."""
    bring_in()  # what waits on this host's disk is held too
    forms = (e164, hidden(e164, key=service.number_key))
    return {
        "number": e164,
        "held_by": service.name,
        "as_of": time_of(corrected_now()),
        "messages": list(_messages(service, e164, forms)),
        "answers": list(_answers(service, forms)),
        "conversations": list(_conversations(service, forms)),
        "opt_outs": list(_opt_outs(service, forms)),
        "audiences": list(_audiences(service, e164)),
        "rejected_rows": list(_rejects(service, e164)),
        "drafts": list(_drafts(service, e164)),
        "callbacks": list(_callbacks(service, e164)),
        **other_rows.held(service, e164, seconds=seconds),
    }


def _messages(service: Service, e164: str, forms: tuple[str, str]) -> Iterator[dict[str, Any]]:
    here = Message.objects.filter(send__service=service, msisdn__in=forms).order_by("pk")
    ids = list(here.values_list("pk", flat=True))
    rows = [row for start in range(0, len(ids), 500) for row in archive.read_ledger(ids[start : start + 500])]
    old = archive.to_number(service, e164) if archive.has(service) else []
    for one in archive.histories_of(service, sorted([*rows, *old], key=lambda row: row.id)):
        message, send = one.message, one.message.send
        yield {
            "sent_as_part_of": Mention(e164).without(send.name, put=_("[your number]")),
            "from": str(send.sender),
            **({"test_mode": _("made with a test key, and sent to no phone")} if send.simulated else {}),
            "text": message.text,
            "values": message.substitutions,
            "state": message.state,
            "meaning_of_code": codes.lookup(message.code).meaning if message.code else "",
            "country": message.country,
            "carrier": message.carrier,
            "composed": time_of(send.created_at),
            "posted": time_of(message.posted_at),
            "with_operator": time_of(message.submitted_at),
            "ended": time_of(message.final_at),
            "provider_id": message.provider_id,
            "called_by_partner": one.echo.correlation_id if one.echo else "",
            "reference_of_partner": one.echo.reference if one.echo else "",
            "receipts": [
                {
                    "received": time_of(receipt.received_at),
                    "as_it_came": bytes(receipt.raw).decode("utf-8", "replace"),
                }
                for receipt in one.receipts
            ],
            "clicks": [
                {
                    "at": time_of(click.at),
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
            "received": time_of(sms.received_at),
            "to": sms.address,
            "text": sms.text,
            "read_as": sms.meaning,
            "keyword": sms.matched,
        }


def _conversations(service: Service, forms: tuple[str, str]) -> Iterator[dict[str, Any]]:
    """What was written in them is among the messages and the answers."""
    rows = Conversation.objects.filter(service=service, msisdn__in=forms).prefetch_related("labels")
    for one in rows.order_by("pk"):
        yield {
            "with": one.address,
            "last_written": time_of(one.last_at),
            "state": one.state,
            "labels": [label.word for label in one.labels.all()],
            "answers_of_ours": one.answered,
            "waiting_since": time_of(one.waiting_since),
            "done": time_of(one.done_at),
        }


def _opt_outs(service: Service, forms: tuple[str, str]) -> Iterator[dict[str, Any]]:
    for one in OptOut.objects.filter(service=service, msisdn__in=forms).order_by("pk"):
        yield {
            "since": time_of(one.at),
            "how": one.source,
            "evidence": one.evidence,
            "lifted": time_of(one.lifted_at),
            "lifted_because": one.lifted_because,
        }


def _audiences(service: Service, e164: str) -> Iterator[dict[str, Any]]:
    found = AudienceChunk.objects.filter(version__service=service).select_related("version__audience")
    for chunk in found.order_by("version", "place").iterator(chunk_size=20):
        for one in storage.recipients_of(chunk) if int(e164[1:]) in storage.numbers_of(chunk) else ():
            if one.msisdn == e164:
                version = chunk.version
                yield {
                    "audience": str(version.audience or version.source),
                    "version": version.number,
                    "uploaded": time_of(version.made_at),
                    "row": one.row,
                    "cells": own_cells(one.substitutions, Mention(e164), service.default_country),
                }


def _rejects(service: Service, e164: str) -> Iterator[dict[str, Any]]:
    mention = Mention(e164)
    rows = Reject.objects.filter(send__service=service).exclude(value="").select_related("send")
    for one in rows.order_by("-pk")[:MOST].iterator(chunk_size=2000):
        if mention.found(one.value):
            yield {"send": one.send.name, "row": one.row, "as_written": one.value, "reason": one.reason}


def _drafts(service: Service, e164: str) -> Iterator[dict[str, Any]]:
    mention = Mention(e164)
    for one in Draft.objects.filter(service=service).exclude(pasted="").order_by("pk"):
        lines = [line for line in one.pasted.splitlines() if mention.found(line)]
        if lines:
            yield {
                "draft": str(one),
                "changed": time_of(one.changed_at),
                "pasted": own_parts(lines, mention, service.default_country),
            }


def _callbacks(service: Service, e164: str) -> Iterator[dict[str, Any]]:
    mention = Mention(e164)
    rows = Callback.objects.filter(endpoint__service=service, body__contains=mention.national)
    for one in rows.select_related("endpoint").order_by("pk"):
        yield {
            "endpoint": one.endpoint.name,
            "what": one.kind,
            "at": time_of(one.created_at),
            "body": own_text(one.body, mention),  # one about another recipient may name the person
        }
