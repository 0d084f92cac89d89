"""A run of the tenant probe: begun, asked question by question, answered, ended. Its state lives in the database, so that a closed
page or a killed process loses nothing. Called by the settings page and `manage.py probe`.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet, Sum
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from sms.catalogue.credentials import connection_of
from sms.catalogue.tenant_probe import posting
from sms.catalogue.tenant_probe.bodies import VARIANTS, body_of
from sms.catalogue.tenant_probe.doubts import columns_of
from sms.catalogue.tenant_probe.questions import QUESTIONS, Question
from sms.catalogue.tenant_probe.reading import read
from sms.models import (
    MOST_MESSAGES,
    Actor,
    OptOut,
    ProbeFinding,
    ProbePost,
    ProbeStep,
    Sender,
    Service,
    ShortLinkDomain,
    Smartlink,
    TenantProbe,
)
from sms.models.audit import audit
from sms.models.fields import UnreadableSecret
from sms.models.sql.clock import corrected_now
from sms.webex.origin import origin_of
from sms.webex.rules import WireError
from sms.words import KeptSentence, number

OPEN_FOR = timedelta(days=7)  # after that a run that nobody ended ends by itself, since it holds a number
ASKABLE = (ProbeStep.State.OPEN, ProbeStep.State.SKIPPED, ProbeStep.State.UNANSWERED)
NOT_SENT = KeptSentence(gettext_noop("It could not be sent. %(why)s"))


class ProbeError(ValueError):
    """Why something cannot be done now, as a sentence with the way out."""


def open_probe(service: Service) -> TenantProbe | None:
    related = ("service__region", "sender", "link_domain", "smartlink")
    return TenantProbe.objects.filter(service=service, ended_at=None).select_related(*related).first()


def start(
    service: Service,
    *,
    msisdn: str,
    sender: Sender,
    link_domain: ShortLinkDomain | None = None,
    smartlink: Smartlink | None = None,
    by: Actor,
) -> TenantProbe:
    """Begin a run; nothing is sent yet."""
    if not service.connected:
        raise ProbeError(_("This service has no credentials yet. Connect it under Set-up, then begin."))
    if OptOut.in_force(service.pk, [msisdn]):
        raise ProbeError(
            _("This number opted out of messages. Use another phone, or opt it in again under Opt-outs.")
        )
    try:
        with transaction.atomic():
            probe = TenantProbe.objects.create(
                service=service,
                msisdn=msisdn,
                sender=sender,
                link_domain=link_domain,
                smartlink=smartlink,
                origin=origin_of(service.provider_url),
                by=by.label,
                started_at=corrected_now(),
            )
            ProbeStep.objects.bulk_create(ProbeStep(probe=probe, question=key) for key in QUESTIONS)
            audit("tenant_probe.started", probe, by=by)
    except IntegrityError:
        raise ProbeError(_("A tenant probe of this service is under way. End it first.")) from None
    return probe


def spent(probe: TenantProbe) -> int:
    """Messages that were sent, or may have been."""
    posts = ProbePost.objects.filter(step__probe=probe)
    return int(posts.aggregate(spent=Sum("cost"))["spent"] or 0)


def why_not(step: ProbeStep, *, spent: int) -> str:
    """Why a question cannot be asked now; empty where it can."""
    probe, question = step.probe, QUESTIONS[step.question]
    if probe.ended_at is not None:
        return _("This tenant probe has ended. Begin another one.")
    if step.state not in ASKABLE:
        return _("It has been asked already.")
    service = probe.service
    if service.paused_at is not None:
        return _("The service is paused. Resume it, then send.")
    changed = service.answers_since is not None and service.answers_since > probe.started_at
    if changed or probe.origin != origin_of(service.provider_url):
        return _("The connection was changed since this tenant probe began. End it and begin another one.")
    if question.needs and getattr(probe, f"{question.needs}_id") is None:
        if question.needs == "smartlink":
            return _("No smartlink was chosen when this tenant probe began.")
        return _("No short-link domain was chosen when this tenant probe began.")
    if step.question == "emoji" and service.text_limit > 1024:
        return _(
            "It would cost 60 segments where the limit is above 1,024, so the safe way is kept: an emoji counts as two."
        )
    if spent + question.messages > MOST_MESSAGES:
        return _("It would be more than %(n)s messages. End this tenant probe and begin another one.") % {
            "n": number(MOST_MESSAGES)
        }
    return ""


def ask(
    step_id: int,
    *,
    by: Actor,
    public_url: str,
    client_for: posting.ClientFor = posting.direct,
) -> ProbeStep:
    """Post the request of a question, and of its further variants while they are refused. Takes seconds."""
    step, first = _reserve(step_id, by=by)
    probe = step.probe
    question = QUESTIONS[step.question]
    try:
        connection = connection_of(probe.service)
        variants = _variants(question)
        for variant in variants[variants.index(first.variant) :]:
            post = first if variant == first.variant else _next_post(step, question, variant)
            if step.question == "throttle":
                posting.too_fast(post, rate=probe.service.rate, connection=connection, client_for=client_for)
                break
            token = probe.service.receipt_token
            body = body_of(probe, step.question, post, notify_url=f"{public_url}/receipts/{token}/")
            post.body = posting.hidden(body, probe.msisdn).replace(token, "…")
            post.save()
            refused = posting.post(
                post, body, number=probe.msisdn, connection=connection, client_for=client_for
            )
            if refused is None:
                return step
            step.says = refused.says
            if refused.for_now:
                return _back(step)
            if not refused.for_a_field:
                break
    except (ValueError, WireError, UnreadableSecret) as problem:
        ProbePost.objects.filter(step=step, accepted=None, status=0, reply="", code="").update(
            accepted=False, cost=0
        )
        step.says = NOT_SENT(why=problem)[:300]
        return _back(step)
    return _conclude(step, by=by)


def _reserve(step_id: int, *, by: Actor) -> tuple[ProbeStep, ProbePost]:
    """Count the messages before the first byte leaves, so that no run sends more than its dozen."""
    with transaction.atomic():
        probe_id = ProbeStep.objects.values_list("probe", flat=True).get(pk=step_id)
        list(TenantProbe.objects.select_for_update(no_key=True).filter(pk=probe_id).values_list("pk"))
        step = _steps().get(pk=step_id)
        if why := why_not(step, spent=spent(step.probe)):
            raise ProbeError(why)
        question = QUESTIONS[step.question]
        step.state, step.choice, step.says = ProbeStep.State.POSTED, "", ""
        step.by, step.at = by.label, corrected_now()
        step.save()
        step.findings.all().delete()
        # the number is tried with + once it was not taken without
        again = question.key == "plain" and read(step).again
        post = _next_post(step, question, "plus" if again else _variants(question)[0])
        audit("tenant_probe.asked", step.probe, by=by, question=step.question, messages=question.messages)
    return step, post


def _next_post(step: ProbeStep, question: Question, variant: str) -> ProbePost:
    return ProbePost.objects.create(step=step, variant=variant, cost=question.messages, at=corrected_now())


def _variants(question: Question) -> tuple[str, ...]:
    return VARIANTS.get(question.key, (question.key,))


def _back(step: ProbeStep) -> ProbeStep:
    step.state = ProbeStep.State.OPEN
    step.save()
    return step


def answer(step: ProbeStep, choice: str, *, by: Actor) -> ProbeStep:
    """What the person saw. Findings are stored as the service's switches."""
    if step.state != ProbeStep.State.POSTED:
        raise ProbeError(_("This question is not waiting for an answer."))
    if choice not in {one.key for one in QUESTIONS[step.question].choices}:
        raise ProbeError(_("Choose what you see."))
    step.choice = choice
    return _conclude(step, by=by)


def skip(step: ProbeStep, *, by: Actor) -> ProbeStep:
    if step.probe.ended_at is not None or step.state not in (*ASKABLE, ProbeStep.State.POSTED):
        raise ProbeError(_("This question cannot be left out any more."))
    step.state, step.by, step.at = ProbeStep.State.SKIPPED, by.label, corrected_now()
    step.save()
    return step


def _conclude(step: ProbeStep, *, by: Actor) -> ProbeStep:
    with transaction.atomic():
        choice, step = step.choice, _steps().get(pk=step.pk)
        step.choice = choice
        reading = read(step)
        step.says, step.by, step.at = reading.says[:300], by.label, corrected_now()
        if reading.again:
            step.state, step.choice = ProbeStep.State.OPEN, ""
        else:
            step.state = ProbeStep.State.ANSWERED if reading.found else ProbeStep.State.UNANSWERED
        step.save()
        store(step, reading.found, by=by)
    return step


def _steps() -> "QuerySet[ProbeStep]":
    related = ("probe__service__region", "probe__sender", "probe__link_domain", "probe__smartlink")
    return ProbeStep.objects.select_related(*related).prefetch_related("posts__receipts")


def store(step: ProbeStep, found: dict[str, str], *, by: Actor) -> None:
    """Findings with their evidence, and the switches that follow from them."""
    if not found:
        return
    service, origin, now = step.probe.service, step.probe.origin, corrected_now()
    for doubt, value in found.items():
        ProbeFinding.objects.update_or_create(
            step=step,
            doubt=doubt,
            defaults={"service": service, "value": value, "origin": origin, "by": by.label, "at": now},
        )
    columns = columns_of(found, origin=origin)
    if columns and origin == origin_of(service.provider_url):
        Service.objects.filter(pk=service.pk).update(**columns)
    facts: dict[str, Any] = dict(found)
    audit("tenant_probe.answered", step.probe, by=by, question=step.question, **facts)


def end(probe: TenantProbe, *, by: Actor) -> None:
    """The phone's number is forgotten; what was found stays."""
    with transaction.atomic():
        for step in _steps().filter(probe=probe, state=ProbeStep.State.ANSWERED):
            late = read(step).found  # receipts that came after the answer
            if late != dict(step.findings.values_list("doubt", "value")):
                store(step, late, by=by)
        TenantProbe.objects.filter(pk=probe.pk, ended_at=None).update(ended_at=corrected_now(), msisdn="")
        audit("tenant_probe.ended", probe, by=by, messages=spent(probe))


def end_abandoned(*, now: datetime) -> int:
    """Ends runs that were left open; returns how many."""
    left = TenantProbe.objects.filter(ended_at=None, started_at__lt=now - OPEN_FOR).select_related("service")
    for probe in left:
        end(probe, by=Actor.system())
    return len(left)
