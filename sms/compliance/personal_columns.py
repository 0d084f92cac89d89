"""Which columns hold something about the people who are written to, and of what kind. A test sees that every column is listed.

Small numbers, dates, switches, words from a list and foreign keys tell nothing by themselves and need no line. Everything that can hold a
phone number does, in every application: a new column cannot be forgotten by retention, erasure or subject access, because
`tests/test_repository.py` fails until it stands here. This package's columns stand below; other applications `register` theirs when they
start (`portal.personal`), since nothing here may know them.
"""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any


class ColumnKind(Enum):
    """What a column can hold."""

    NUMBER = "a recipient's number, its digest or the mark of an erased one"
    SAYS = "text that somebody wrote and that may name a person: a number in it is taken out"
    RAW = "bytes as they came from outside: what holds the number is shortened or emptied"
    PACKED = "compressed: unpacked, changed and packed again by code of its own"
    OURS = "what the desk itself says, in templates and names of senders: looked through, and changed by people only"
    DESK = "the desk's own people, keys, secrets and settings: nobody who is written to"
    WORD = "a word of ours, an identifier, a digest or a figure: nobody's"


_N, _S, _R, _P, _D, _W = (
    ColumnKind.NUMBER,
    ColumnKind.SAYS,
    ColumnKind.RAW,
    ColumnKind.PACKED,
    ColumnKind.DESK,
    ColumnKind.WORD,
)
_O = ColumnKind.OURS
_FIGURES = dict.fromkeys(("messages", "amount", "amount_of", "billed", "billed_of"), _W)

COLUMNS: dict[str, dict[str, ColumnKind]] = {
    "sms.Message": {
        "msisdn": _N,
        "text": _S,
        "substitutions": _S,
        "detail": _S,
        **dict.fromkeys(("country", "zone", "state", "code", "provider_id", "carrier"), _W),
    },
    "sms.Echo": {"correlation_id": _S, "destination": _N},
    "sms.Receipt": {"raw": _R, "dedupe": _W},
    "sms.ReceiptInbox": {"why": _W, "reason": _S},
    "sms.Click": {
        "url": _S,
        "ip": _S,
        "user_agent": _S,
        **dict.fromkeys(("verdict", "reason"), _W),
    },
    "sms.ClickCount": {"verdict": _W},
    "sms.Send": {
        **dict.fromkeys(("name", "text", "callback_data", "source", "client_reference", "wishes"), _S),
        **dict.fromkeys(("state", "resend", "quiet_hours", "smartlinks", "reference", "time_zone"), _W),
        **dict.fromkeys(("file_sha256", "audience_digest"), _W),
        **dict.fromkeys(("partner", "cancelled_by"), _D),
    },
    "sms.SendKeeping": {"held_because": _S, "held_by": _D, "stage": _W},
    "sms.Slice": {"owner": _W, "approved": _W},
    "sms.StateCount": {"state": _W, "code": _W},
    "sms.Reject": {"value": _N, "code": _W, "reason": _S},
    "sms.Upload": {"name": _S, "sha256": _W, "content": _P},
    "sms.Draft": {
        **dict.fromkeys(("name", "text", "pasted", "column", "fillings", "labels", "tag1", "tag2"), _S),
        **dict.fromkeys(("language", "country", "resend", "time_zone", "receipts", "again", "begun"), _W),
        "callback_data": _S,
    },
    "sms.SavedAudience": {"name": _S, "note": _S},
    "sms.AudienceVersion": {
        "source": _S,
        "headings": _S,
        "column": _S,
        "asked_column": _S,
        "rejects": _P,
        "country": _W,
        "digest": _W,
    },
    "sms.AudienceChunk": {"numbers": _P, "rows": _P, "rejects": _P},
    "sms.Preparation": {
        "partial": _P,
        "result": _P,
        "cursor": _S,
        "movers": _W,
        "trouble": _S,
        **dict.fromkeys(("kind", "state", "owner", "digest", "result_digest", "trouble_field"), _W),
    },
    "sms.ColumnMemory": {"headings": _W, "column": _S, "country": _W, "fillings": _S},
    "sms.DraftPresence": {"field": _W},
    "sms.Label": {"word": _S},
    "sms.InboundMessage": {
        "msisdn": _N,
        "raw": _R,
        "text": _S,
        "reason": _S,
        **dict.fromkeys(("dedupe", "address", "meaning", "why"), _W),
    },
    "sms.OptOut": {
        "msisdn": _N,
        "evidence": _S,
        "lifted_because": _S,
        "source": _W,
        "country": _W,
        "by": _D,
        "lifted_by": _D,
    },
    "sms.Callback": {
        **dict.fromkeys(("body", "last_error", "log", "url"), _S),
        **dict.fromkeys(("event_id", "kind", "state"), _W),
    },
    "sms.CallbackEndpoint": {
        **dict.fromkeys(("name", "disabled_because"), _S),
        **dict.fromkeys(("url", "secret", "secret_before", "created_by"), _D),
        **dict.fromkeys(("kind", "events", "owner"), _W),
    },
    "sms.Notify": {"url": _S, "callback_data": _S, "receipts": _W, "reference": _W},
    "sms.IdempotentAnswer": {
        "key": _S,
        "body": _R,
        "headers": _S,
        "owner": _D,
        "fingerprint": _W,
    },
    "sms.Hold": {
        "because": _S,
        "placed_by": _D,
        "lifted_by": _D,
        "rule": _W,
        "facts": _W,
    },
    "sms.ApprovalRequest": {
        **dict.fromkeys(("rules", "parts", "snapshot", "changed", "audience_change", "mailed"), _S),
        "state": _W,
        "fingerprint": _W,
        "asked_label": _D,
        "ended_by": _D,
    },
    "sms.ApprovalDecision": {"label": _D, "comment": _S, "fingerprint": _W},
    "sms.Erasure": {
        "digest": _N,
        "number": _D,
        "reason": _S,
        "asked_by": _D,
        "waits_for": _W,
        **dict.fromkeys(("state", "certificate", "mac"), _W),
    },
    "sms.Archive": dict.fromkeys(("name", "spare", "key", "sha256"), _W),
    "sms.ArchiveBlock": dict.fromkeys(("sha256", "content"), _W),
    "sms.ArchiveIndex": {"entries": _W},
    "sms.RetentionRun": {"counts": _W},
    "sms.ReportFile": {"query": _S, "kind": _W, "failed": _W},
    "sms.ReportPart": {"content": _P},
    "sms.ReportSchedule": {
        **dict.fromkeys(("name", "query", "trouble"), _S),
        **dict.fromkeys(("recipients", "made_by"), _D),
        "every": _W,
    },
    "sms.ReportedSend": {"name": _S},
    "sms.AuditEvent": {
        **dict.fromkeys(("actor_label", "address", "actor_key"), _D),
        **dict.fromkeys(
            ("service_slug", "actor_kind", "door", "act", "noun", "noun_key", "details", "nonce", "mac"), _W
        ),
    },
    # --- the catalogue and the desk's own settings ---
    "sms.Service": {
        "paused_because": _S,
        "name": _O,
        **dict.fromkeys(
            ("slug", "base_url", "jwt_service_id", "quiet_hours", "time_zone", "check_verdict"), _D
        ),
        **dict.fromkeys(("api_key", "jwt_secret", "receipt_token", "receipt_token_before"), _D),
        **dict.fromkeys(("receipt_secret", "receipt_secret_before", "correlation_key"), _D),
    },
    "sms.Region": dict.fromkeys(("key", "name", "host", "cname", "a_record"), _D),
    "sms.Sender": {"address": _O, "note": _S, "countries": _W, "registration": _W},
    "sms.Smartlink": {"name": _O, "smartlink_id": _W},
    "sms.MessageTemplate": dict.fromkeys(
        ("name", "text", "provider_template_id", "provider_placeholders"), _O
    ),
    "sms.TemplateVersion": {
        **dict.fromkeys(("text", "placeholders", "provider_template_id"), _O),
        **dict.fromkeys(("language", "state"), _W),
        **dict.fromkeys(("made_by", "published_by"), _D),
    },
    "sms.ContactPolicyGroup": {"description": _S, "name": _O, "group_id": _W},
    "sms.PolicyConnection": dict.fromkeys(("base_url", "profile_key"), _D),
    "sms.ShortLinkDomain": dict.fromkeys(("host", "state", "says", "findings"), _D),
    "sms.DomainChange": dict.fromkeys(("old", "new", "says"), _D),
    "sms.Price": {"sender_kind": _W},
    "sms.ApprovalRules": {"hours": _D},
    "sms.ApiKey": {
        "name": _O,
        **dict.fromkeys(("prefix", "digest", "scopes", "networks", "revoked_by", "created_by"), _D),
    },
    # --- figures, leases and proofs ---
    "sms.FactProfile": {
        **dict.fromkeys(("sender", "template", "version", "domain", "policy_group", "partner"), _O),
        "person": _D,
        "labels": _W,  # a label that looks like a number is refused
        **dict.fromkeys(("service_id", "sender_id", "template_id", "version_id", "domain_id"), _W),
        **dict.fromkeys(("policy_group_id", "person_id"), _W),
    },
    **dict.fromkeys(
        ("sms.Fact", "sms.FactDelta", "sms.KeptFact"),
        _FIGURES | dict.fromkeys(("measure", "word", "code", "carrier"), _W),
    ),
    "sms.SendFact": _FIGURES | dict.fromkeys(("measure", "word", "code"), _W),
    "sms.Duty": dict.fromkeys(("name", "owner"), _W),
    "sms.Heartbeat": dict.fromkeys(("name", "host", "doing", "progress"), _D),
    "sms.AuditSeal": dict.fromkeys(("service_slug", "digest", "hash", "mac", "number"), _W),
    "sms.AuditLeave": dict.fromkeys(("service_slug", "until_id"), _W),
}

# What other applications keep packed: rows by label, and what one of them says. A row that says the number is deleted.
PACKED_ELSEWHERE: dict[str, Callable[[Any], str]] = {}


def register(
    columns: Mapping[str, dict[str, ColumnKind]], *, packed: Mapping[str, Callable[[Any], str]]
) -> None:
    """Columns of other applications, and how their packed rows are read. Called when they start; twice changes nothing."""
    COLUMNS.update(columns)
    PACKED_ELSEWHERE.update(packed)
