"""What is proved of a tenant and what is assumed: one line for each doubt."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from sms.catalogue.tenant_probe.doubts import DOUBTS, TenantDoubt, columns_of, in_use
from sms.catalogue.tenant_probe.questions import QUESTIONS
from sms.models import Actor, ProbeFinding, ProbeStep, Service
from sms.models.audit import audit
from sms.webex.origin import origin_of


@dataclass(frozen=True, slots=True)
class Standing:
    """`finding` is the proof, None where it is assumed. `differs`: a person has set the switch another way since."""

    doubt: TenantDoubt
    in_use: str
    finding: ProbeFinding | None
    differs: bool = False

    @property
    def found(self) -> str:
        return self.doubt.words(self.finding.value) if self.finding else ""


def standing(service: Service) -> list[Standing]:
    found = _newest(findings_of(service))
    values = {key: one.value for key, one in found.items()}
    return [
        Standing(one, in_use(one, service), found.get(one.key), _differs(one, service, values))
        for one in DOUBTS.values()
    ]


@dataclass(frozen=True, slots=True)
class ProbeEvidence:
    """One question as it was asked; `seen` is what the person saw."""

    step: ProbeStep
    title: str
    seen: str


def evidence(lines: Iterable[Standing]) -> list[ProbeEvidence]:
    """Of each question that proved something, once."""
    steps = {one.finding.step_id: one.finding.step for one in lines if one.finding}
    found = []
    for step in steps.values():
        question = QUESTIONS[step.question]
        seen = next((one.words for one in question.choices if one.key == step.choice), "")
        found.append(ProbeEvidence(step, str(question.title), str(seen)))
    return found


def _of_address(service: Service) -> "QuerySet[ProbeFinding]":
    """Of the address that is called now, oldest first."""
    return ProbeFinding.objects.filter(service=service, origin=origin_of(service.provider_url)).order_by("id")


def findings_of(service: Service) -> "QuerySet[ProbeFinding]":
    """Those that count: of today's address and credentials, oldest first. Of each doubt the newest is the proof."""
    since = {"at__gte": service.answers_since} if service.answers_since else {}
    return _of_address(service).filter(**since)


def _newest(rows: "QuerySet[ProbeFinding]") -> dict[str, ProbeFinding]:
    found = rows.select_related("step").prefetch_related("step__posts__receipts")
    return {one.doubt: one for one in found}


def _differs(doubt: TenantDoubt, service: Service, found: Mapping[str, str]) -> bool:
    if not doubt.column or doubt.key not in found:
        return False
    wanted = columns_of(found, origin=service.inline_values_origin).get(doubt.column)
    return wanted is not None and wanted != getattr(service, doubt.column)


def set_aside(service: Service) -> int:
    """Findings of the same address that count no more because the credentials were changed."""
    if service.answers_since is None:
        return 0
    old = _of_address(service).filter(at__lt=service.answers_since)
    return len(set(old.values_list("doubt", flat=True)))


def leave(before: Service, after: Service, *, by: Actor) -> int:
    """Another address is called now: switches that still stand as they were proved at the one before return to what does no harm."""
    left = origin_of(before.provider_url)
    if left == origin_of(after.provider_url):
        return 0
    found = dict(findings_of(before).values_list("doubt", "value"))
    proved = columns_of(found, origin=left)
    defaults = Service()
    columns: dict[str, Any] = {
        name: getattr(defaults, name)
        for name, value in proved.items()
        if getattr(before, name) == getattr(after, name) == value != getattr(defaults, name)
    }
    if columns:
        Service.objects.filter(pk=after.pk).update(**columns)
        was = {name: proved[name] for name in columns}
        audit("service.changed", after, by=by, fields=list(columns), before=was, after=columns)
    return len(columns)


def keep(service: Service, *, by: Actor) -> int:
    """The new credentials are of the same tenant: what was found before counts again, and sets its switches."""
    with transaction.atomic():
        found = dict(_of_address(service).values_list("doubt", "value"))
        columns = columns_of(found, origin=origin_of(service.provider_url))
        Service.objects.filter(pk=service.pk).update(answers_since=None, **columns)
        audit("tenant_probe.kept", service, by=by, findings=len(found))
    return len(found)
