"""The shape of a plan in the API, made from the parts of the plan itself: what `sms.sends.plan.as_json` answers."""

from collections.abc import Callable
from dataclasses import is_dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

from rest_framework import serializers

from sms.api.v1.bodies import Moment
from sms.api.v1.problems import CodeField
from sms.api.v1.sparse import Answer
from sms.compose.approval.rules import ApprovalReason
from sms.sends.plan import Plan
from sms.sends.plan.shapes import PlanApproval, PlanDoubtful, PlanPolicy, PlanRejects, PlanSegments
from sms.values.msisdn.kinds import DOUBTFUL

Field = serializers.Field[Any, Any, Any, Any]

KINDS: dict[Any, Callable[..., Field]] = {
    bool: serializers.BooleanField,
    int: serializers.IntegerField,
    str: serializers.CharField,
    Decimal: serializers.CharField,
    datetime: Moment,
}
ENCODINGS = ["gsm7", "ucs2", "unknown"]
RULES = ["size", "new_sender", "new_domain", "new_country", "outside_hours"]
# fields that say more than their type does
OWN: dict[str, Callable[..., Field]] = {
    "RejectGroupShape.code": CodeField,
    "DoubtfulShape.kind": lambda: serializers.ChoiceField(choices=DOUBTFUL.names),
    "AskingShape.rule": lambda: serializers.ChoiceField(choices=RULES),
    "PlanShape.encoding": lambda: serializers.ChoiceField(choices=ENCODINGS),
    "PlanShape.request": serializers.DictField,
}
NAMES: dict[type, str] = {
    ApprovalReason: "AskingShape",
    PlanRejects: "RejectGroupShape",
    PlanDoubtful: "DoubtfulShape",
    PlanSegments: "SegmentsShape",
    PlanPolicy: "PolicyShape",
    PlanApproval: "PlannedApprovalShape",
}
HELP = {
    "RejectGroupShape.detail": "Said of all of them.",
    "DoubtfulShape.detail": "Said of all of them.",
    "DoubtfulShape.rows": "The first hundred.",
    "CountryShape.country": "ISO 3166; null for numbers of no country.",
    "CountryShape.price": "Of a segment, as a decimal.",
    "CostShape.entered": "Whether the service has any price.",
    "CostShape.unpriced": "Recipients in countries without a price.",
    "PlannedApprovalShape.approvers": "0: it goes without asking.",
    "PlannedApprovalShape.eligible": "People who could approve now.",
    "PlannedApprovalShape.detail": "What to do where they are too few; null otherwise.",
    "PlanShape.ahead": "Messages that wait already in the same or a more urgent lane.",
    "PlanShape.rate": "Messages a second, as contracted; null for no limit.",
    "PlanShape.finish_latest_at": "Later than `finish_at` only where a ramp may wait for receipts.",
    "PlanShape.too_late": "Messages that would expire before being sent.",
    "PlanShape.forecast_detail": "What the times rest on, or why there is none.",
    "PlanShape.row": "Whose `request` it is.",
    "PlanShape.request": "What the provider would get for `row`; the correlation id is made when it is sent.",
}


# texts that may be empty, so null in an answer
EMPTY = {
    "CountryShape.country",
    "CountryShape.currency",
    "PlannedApprovalShape.detail",
    "DeferredShape.quiet_hours",
}


@cache
def shape_of(part: type) -> type[serializers.Serializer[Any]]:
    """A serializer with a field for each of the part's, described by its docstring."""
    name = NAMES.get(part) or f"{part.__name__}Shape"
    fields = {one: _field(f"{name}.{one}", kind) for one, kind in get_type_hints(part).items()}
    return type(name, (Answer,), fields | {"__doc__": part.__doc__})


def _field(place: str, kind: Any) -> Field:
    options: dict[str, Any] = {"help_text": HELP[place]} if place in HELP else {}
    within = get_args(kind)
    if type(None) in within:
        kind, options["allow_null"] = within[0], True
    if place in EMPTY:
        options["allow_null"] = True
    if place in OWN:
        return OWN[place](**options)
    if is_dataclass(kind):
        return shape_of(kind)(**options)  # type: ignore[arg-type]
    if get_origin(kind) is not tuple:
        return KINDS[kind](**options)
    one = within[0]
    return serializers.ListField(child=KINDS[one]()) if one in KINDS else shape_of(one)(many=True)


PlanShape, AskingShape = shape_of(Plan), shape_of(ApprovalReason)
