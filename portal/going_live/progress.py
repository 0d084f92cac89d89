"""How far a service is on its way: each step with what was found, when and by whom. Checks that passed are kept."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext

from portal.going_live.checks import CHECKS, Finding, Outcome
from portal.going_live.evidence import Evidence, evidence_of
from portal.going_live.steps import PARTS, STEPS, Part, Step
from sms.models import Actor, GoingLiveStep, Service
from sms.models.audit import audit
from sms.models.sql.clock import corrected_now

CHECKED = ""  # in `done_by`: no person


class CannotConfirm(ValueError):
    """The step has a check of its own, or its check says no; the text says which."""


@dataclass(frozen=True, slots=True)
class StepProgress:
    """A step as it stands. `at` is when it was done, `by` the person who confirmed it, empty where its check passed."""

    step: Step
    finding: Finding
    at: datetime | None = None
    by: str = ""
    says: str = ""

    @property
    def done(self) -> bool:
        return self.at is not None

    @property
    def needed(self) -> bool:
        return self.finding.outcome != Outcome.NOT_NEEDED

    @property
    def failed(self) -> bool:
        return self.finding.outcome == Outcome.FAILED

    @property
    def can_confirm(self) -> bool:
        return bool(self.step.confirm) and not self.done and self.finding.outcome == Outcome.ASK


@dataclass(frozen=True, slots=True)
class GoingLiveProgress:
    evidence: Evidence
    parts: tuple[tuple[Part, tuple[StepProgress, ...]], ...]

    @property
    def steps(self) -> tuple[StepProgress, ...]:
        return tuple(one for part, steps in self.parts for one in steps)

    @property
    def needed(self) -> int:
        return sum(one.needed for one in self.steps)

    @property
    def done(self) -> int:
        return sum(one.done for one in self.steps)

    @property
    def complete(self) -> bool:
        return self.done == self.needed

    @property
    def next(self) -> StepProgress | None:
        """What can be done first: what is wrong before what is open."""
        left = [one for one in self.steps if one.needed and not one.done]
        return next((one for one in left if one.failed), left[0] if left else None)


def progress_of(service: Service) -> GoingLiveProgress:
    """Nothing is written."""
    evidence = evidence_of(service)
    kept = {one.step: one for one in service.going_live_steps.all()}
    parts = tuple(
        (part, tuple(_stands(step, evidence, kept.get(step.key)) for step in part.steps)) for part in PARTS
    )
    return GoingLiveProgress(evidence, parts)


def _stands(step: Step, evidence: Evidence, kept: GoingLiveStep | None) -> StepProgress:
    finding = CHECKS[step.key](evidence)
    if finding.outcome == Outcome.PASSED:
        first = kept.done_at if kept and kept.holds_for == evidence.holds_for(step.holds) else None
        return StepProgress(step, finding, finding.at or first or corrected_now(), CHECKED, finding.says)
    unknown = finding.outcome in (Outcome.OPEN, Outcome.ASK) and finding.lasts
    if unknown and kept and kept.holds_for == evidence.holds_for(step.holds):
        return StepProgress(step, finding, kept.done_at, kept.done_by, kept.says)
    return StepProgress(step, finding)


def keep_passed(service: Service, progress: GoingLiveProgress) -> None:
    """Keep what passed, since receipts and messages are deleted in time. The first time stands."""
    kept = {(one.step, one.holds_for) for one in service.going_live_steps.all()}
    for one in progress.steps:
        holds_for = progress.evidence.holds_for(one.step.holds)
        if one.finding.outcome == Outcome.PASSED and (one.step.key, holds_for) not in kept:
            GoingLiveStep.objects.update_or_create(
                {"holds_for": holds_for, "done_at": one.at, "done_by": CHECKED, "says": one.says[:300]},
                service=service,
                step=one.step.key,
            )


@transaction.atomic
def confirm(service: Service, key: str, *, by: Actor, note: str = "") -> None:
    """A person states what Textdesk cannot see. Raises CannotConfirm, and KeyError for no step."""
    step = STEPS[key]
    stands = next(one for one in progress_of(service).steps if one.step == step)
    if stands.done:
        return
    if not stands.can_confirm:
        # Translators: says is a whole sentence.
        says = gettext("%(title)s: %(says)s It is done when its check passes.")
        raise CannotConfirm(says % {"title": step.title, "says": stands.finding.says})
    said = {"holds_for": evidence_of(service).holds_for(step.holds), "done_at": corrected_now()}
    said |= {"done_by": by.label, "says": note[:300]}
    GoingLiveStep.objects.update_or_create(said, service=service, step=key)
    audit("service.step_confirmed", service, by=by, step=key, note=note[:300])


@transaction.atomic
def take_back(service: Service, key: str, *, by: Actor) -> bool:
    """The person's word counts no more; False where there was none."""
    gone, _ = GoingLiveStep.objects.filter(service=service, step=key).exclude(done_by=CHECKED).delete()
    if gone:
        audit("service.step_taken_back", service, by=by, step=key)
    return bool(gone)
