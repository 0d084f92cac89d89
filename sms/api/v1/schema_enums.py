"""The choices of `/api/v1` by name, so that a generated client has one type for each, and the same one everywhere."""

from collections.abc import Iterable
from typing import Any

from sms.api.v1.messages import EVENTS
from sms.api.v1.option_fields import LANES, NO_KIND
from sms.api.v1.plan_shape import ENCODINGS, RULES
from sms.api.v1.send_report import KINDS as REPORT_KINDS
from sms.audiences.files.choices import HIDDEN
from sms.callbacks.endpoints import KINDS as EVENT_TYPES
from sms.models import (
    ALL_RECEIPTS,
    ApprovalState,
    Callback,
    CallbackEndpoint,
    Click,
    DomainState,
    InboundMessage,
    MessageState,
    OptOut,
    Purpose,
    Resend,
    SenderKind,
    ShownState,
)
from sms.models.api_key import SCOPES
from sms.sends.waits import WaitCode
from sms.values.msisdn.kinds import DOUBTFUL
from sms.values.problems import ProblemCode

NAMED: dict[str, Iterable[str]] = {
    "ApprovalRule": RULES,
    "ApprovalState": ApprovalState.values,
    "CallbackState": Callback.State.values,
    "ClickVerdict": Click.Verdict.values,
    "DomainState": DomainState.values,
    "Encoding": ENCODINGS,
    "EndpointKind": CallbackEndpoint.Kind.values,
    "EventType": sorted(EVENT_TYPES),
    "HiddenChoice": HIDDEN,
    "Lane": LANES,
    "MessageState": MessageState.values,
    "DoubtfulKind": DOUBTFUL.names,
    "KeyPurpose": Purpose.values,
    "KeyScope": [name for name, _ in SCOPES],
    "Keyword": InboundMessage.Meaning.values,
    "LeftOutKind": [*DOUBTFUL.names, NO_KIND],
    "OptOutSource": OptOut.Source.values,
    "ProblemCode": ProblemCode,
    "ReceiptName": ALL_RECEIPTS.names,
    "ReportKind": REPORT_KINDS,
    "Resend": Resend.values,
    "SendState": ShownState.values,
    "SenderKind": SenderKind.values,
    "TimelineEvent": EVENTS,
    "WaitCode": [one.value for one in WaitCode],
}
_NAMES = {frozenset(map(str, values)): name for name, values in NAMED.items()}


def with_names(made: dict[str, Any]) -> None:
    """Put a reference to its component where a schema lists the values of one. A test finds choices without a name."""
    used: set[str] = set()
    made["paths"] = _named(made["paths"], used)
    schemas = made["components"]["schemas"]
    for name in schemas:
        if name not in NAMED:
            schemas[name] = _named(schemas[name], used)
    for name in sorted(used - schemas.keys()):
        schemas[name] = {"type": "string", "enum": [str(value) for value in NAMED[name]]}


def _named(part: Any, used: set[str]) -> Any:
    if isinstance(part, list):
        return [_named(one, used) for one in part]
    if not isinstance(part, dict):
        return part
    values: Any = part.get("enum")
    name = _NAMES.get(frozenset(one for one in values if one)) if isinstance(values, list) else None
    if name is None:
        return {key: one if key == "example" else _named(one, used) for key, one in part.items()}
    used.add(name)
    rest = {key: one for key, one in part.items() if key not in ("enum", "type")}
    choice: dict[str, Any] = {"$ref": f"#/components/schemas/{name}"}
    if "null" in part.get("type", ()) or None in (values or ()):
        return rest | {"oneOf": [choice, {"type": "null"}]}
    return rest | {"allOf": [choice]} if rest else choice
