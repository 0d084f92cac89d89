"""Compose: from what a person or a program asks for to a committed send. The one door; there is no other.

Called by the compose page, the admin's form and `manage.py send`. `check` says what would happen, `create` makes it happen in one
transaction: send, messages with their slices, rejects, counters and the audit row. Nothing here talks to the provider.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from sms import content, labels, slicing, templates, text, wake, wishes, zones
from sms.audience import Audience, Recipient
from sms.audience import Reject as RejectedRow
from sms.models import (
    Actor,
    AudienceVersion,
    AuditEvent,
    ContactPolicyGroup,
    Lane,
    MessageState,
    MessageTemplate,
    OptOut,
    Reject,
    Resend,
    Send,
    Sender,
    SendState,
    Service,
    ShortLinkDomain,
    Slice,
    TemplateVersion,
    ledger,
)
from sms.models.insert import Later, insert
from sms.models.ledger import News, Tally
from sms.refusal import FAULTS, ComposeError, Partner, Problem, RepeatedReference, RowsRefused, nobody_left
from sms.wishes import USUAL_WISHES, Wishes

__all__ = ["ComposeError", "Order", "Partner", "Problem", "RepeatedReference", "RowsRefused"]

RAMP_FROM = 100  # messages: of fewer, one percent says nothing
REJECT = ("send_id", "row", "value", "code", "reason")
ZONE_HEADINGS = ("timezone", "time zone", "zone", "tz")
# a time this long ago was meant as "now" by somebody who took a moment to press the button
PAST = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for. Either `content` or `template`; `due_at` None means now."""

    service: Service
    audience: Audience
    sender: Sender | None = None
    content: str = ""
    template: MessageTemplate | None = None
    language: str = ""  # of the template; empty for its wording without one
    version: TemplateVersion | None = None  # found by `check` where it is not given
    name: str = ""
    due_at: datetime | None = None
    expires_at: datetime | None = None
    policy_group: ContactPolicyGroup | None = None
    link_domain: ShortLinkDomain | None = None
    labels: Sequence[str] = ()  # as they were written
    callback_data: str = ""
    source: str = ""
    saved: AudienceVersion | None = None  # where `audience` was read from, if it was saved
    lane: Lane = Lane.NORMAL
    resend: Resend = Resend.NEVER
    ramp: bool = False
    respect_quiet_hours: bool = True
    client_reference: str = ""
    partner: Partner | None = None
    zone: str = ""  # in which `due_at` was meant, for whoever reads it later
    wishes: Wishes = USUAL_WISHES


@dataclass(frozen=True, slots=True)
class Line:
    """One message to be: the text after substitution (empty where a provider template makes it) and its segments."""

    row: int
    msisdn: str
    text: str
    substitutions: dict[str, str]
    segments: int
    warning: str
    zone: str = ""
    fault: str = ""  # the provider's code for why it fails at once


@dataclass(frozen=True, slots=True)
class Checked:
    """What would happen: the messages, the rejects, and the figures of both."""

    lines: Sequence[Line]
    rejects: Sequence[RejectedRow]
    encoding: str
    segments_total: int
    segments_worst: int
    cautions: tuple[str, ...] = ()  # what the destinations may make of the sender

    @property
    def warnings(self) -> int:
        """Recipients kept with a doubt."""
        return sum(1 for line in self.lines if line.warning)

    @property
    def opted_out(self) -> int:
        """Rows left out because their person refused."""
        return sum(1 for reject in self.rejects if reject.code == "opted_out")

    @property
    def longest(self) -> Line:
        """The line that costs most, for a preview."""
        return max(self.lines, key=lambda line: (line.segments, len(line.text)))


def check(order: Order, *, now: datetime | None = None) -> Checked:
    """What `create` would do with this order; raises ComposeError naming every field that needs a hand."""
    now = now or timezone.now()
    if (earlier := _earlier(order)) is not None:
        raise RepeatedReference(earlier)
    order = settled(order)
    problems = [
        *_catalogue_problems(order),
        *_content_problems(order),
        *wishes.problems(
            order.wishes,
            group=order.policy_group,
            expires=order.expires_at is not None,
            resend=order.resend,
            ramp=order.ramp,
        ),
        *labels.problems(order.service, order.labels),
    ]
    if problem := time_problem(order.due_at, order.expires_at, now=now):
        problems.append(problem)
    if problems:
        raise ComposeError(problems)
    names = _placeholders(order)
    columns, missing = content.columns(names, order.audience)
    holes = _holes(order)
    columns |= {name: "" for name in missing if name in holes and holes[name].fallback}
    missing = [name for name in missing if name not in columns]
    if missing:
        raise ComposeError([Problem("text", content.missing_sentence(missing, order.audience))])
    lines, rejects = _without_opt_outs(order.service, *_lines(order, columns))
    if order.partner is None:
        lines, unreached, cautions = content.reachable(order.sender, lines)
        rejects = [*rejects, *unreached]
        if not lines and unreached and len(unreached) == len(rejects):
            raise ComposeError([Problem("sender", unreached[0].reason)])
    else:  # the provider's codes answer for what the sender cannot reach
        cautions = ()
        lines, rejects = _all_as_lines(lines, rejects)
    if not lines:
        raise ComposeError([Problem("audience", nobody_left(rejects))])
    return Checked(
        lines=lines,
        rejects=sorted(rejects, key=lambda reject: reject.row),
        encoding="ucs2" if any(text.segments(line.text).encoding == "ucs2" for line in lines[:1]) else "gsm7",
        segments_total=sum(line.segments for line in lines),
        segments_worst=max(line.segments for line in lines),
        cautions=(*content.doubts(order.link_domain), *cautions),
    )


def create(order: Order, *, by: Actor, user: Any = None, now: datetime | None = None) -> Send:
    """Commit the send and have it dispatched when due; raises ComposeError and stores nothing where it cannot be."""
    now, order = now or timezone.now(), settled(order)
    checked = check(order, now=now)
    if order.sender is None:  # `check` has refused it; said again for whoever reads types
        raise ComposeError([Problem("sender", "Choose the sender that the messages come from.")])
    try:
        return _create(order, order.sender, checked, by=by, user=user, now=now)
    except IntegrityError:
        earlier = _earlier(order)
        if earlier is None:
            raise
        raise RepeatedReference(earlier) from None


def _earlier(order: Order) -> Send | None:
    """The send that has this client reference already."""
    if not order.client_reference:
        return None
    return Send.objects.filter(service=order.service, client_reference=order.client_reference).first()


def _create(order: Order, sender: Sender, checked: Checked, *, by: Actor, user: Any, now: datetime) -> Send:
    due_at, partner = max(order.due_at or now, now), order.partner
    with transaction.atomic(savepoint=bool(order.client_reference)):  # the database may refuse only that
        send = slicing.begin(
            **substance(order, sender),
            name=order.name or _default_name(order, due_at),
            state=SendState.SCHEDULED if due_at > now else SendState.SENDING,
            due_at=due_at,
            recipients=len(checked.lines),
            rejected=len(checked.rejects),
            source=order.source[-200:],
            audience=order.saved,
            lane=order.lane,
            resend=order.resend,
            ramp=order.ramp and len(checked.lines) >= RAMP_FROM,
            time_zone=order.zone,
            quiet_hours=order.service.quiet_hours if order.respect_quiet_hours else "",
            created_by=user,
            partner=by.label[:100] if by.kind == "key" else "",
            client_reference=order.client_reference,
            reference=partner.reference if partner else None,
        )
        labels.give(send, order.labels)
        later, tally = Later(), Tally.new()
        stored = slicing.store(send, checked.lines, tally=tally, later=later)
        rejected = [
            (send.pk, bad.row, bad.value[:200], bad.code, bad.reason[:300]) for bad in checked.rejects
        ]
        insert(Reject, REJECT, rejected)
        if partner is not None:
            if partner.on_stored is not None:
                partner.on_stored(send, stored, later)
            told = [
                News(pk, MessageState.FAILED, now, code=line.fault, detail=line.warning)
                for pk, line in zip(stored, checked.lines, strict=True)
                if line.fault
            ]
            if told:
                later.run()  # what is told may name what is stored by then
                ledger.apply(told, tally=tally)
        tally.write(later=later)
        AuditEvent.record_later(
            later,
            "send.created",
            by=by,
            service_slug=order.service.slug,
            noun="send",
            noun_key=send.pk,
            recipients=send.recipients,
            rejected=send.rejected,
            sender=str(order.sender),
            template=str(order.template or ""),
            due_at=due_at.isoformat(),
        )
        later.run()
        wake.dispatch()
    return send


def substance(order: Order, sender: Sender | None) -> dict[str, Any]:
    """The fields of a send that make its requests; the order is `settled`. What a plan shows is made of the same."""
    return {
        "service": order.service,
        "sender": sender,
        "text": written_of(order),
        "template": order.template,
        "template_version": order.version,
        "smartlinks": _smartlinks(order),
        "policy_group": order.policy_group,
        "link_domain": order.link_domain,
        "expires_at": order.expires_at,
        "callback_data": order.callback_data,
        "wishes": wishes.on_wire(order.wishes, order.partner, order.policy_group, order.link_domain),
    }


# --- problems -----------------------------------------------------------------------------------------------------------


def _catalogue_problems(order: Order) -> Iterator[Problem]:
    service = order.service
    if not service.connected:
        yield Problem(
            "service",
            f"{service.name} is not connected to Webex Connect yet. An admin does that under Settings.",
        )
    if order.sender is None:
        yield Problem("sender", "Choose the sender that the messages come from.")
    elif order.sender.service_id != service.pk or not order.sender.active:
        yield Problem(
            "sender",
            f"{order.sender} is not a sender of {service.name} that can be used. Choose another one.",
        )
    chosen: tuple[tuple[str, Any, str], ...] = (
        ("template", order.template, "template"),
        ("policy_group", order.policy_group, "policy group"),
        ("link_domain", order.link_domain, "short-link domain"),
    )
    for name, thing, noun in chosen:
        if thing is not None and (thing.service_id != service.pk or not thing.active):
            yield Problem(
                name, f"{thing} is not a {noun} of {service.name} that can be used. Choose another one."
            )


def _content_problems(order: Order) -> Iterator[Problem]:
    if order.link_domain is not None and (broken := content.leads_nowhere(order.link_domain)):
        yield Problem("link_domain", broken)
    if order.content and order.template:
        yield Problem("text", "Write a text or choose a template, not both.")
    elif not order.content.strip() and order.template is None:
        yield Problem("text", "Write the text of the message, or choose a template.")
    if order.language and order.template is not None and order.version is None:
        yield Problem(
            "language",
            f"{order.template} has nothing published in “{order.language}”. Choose another language, or none.",
        )
    written = written_of(order)
    if order.partner is None:
        for sentence in content.smartlinks(order.service, written)[1]:
            yield Problem("text", sentence)
    limit = order.service.text_limit
    if written and not text.placeholders(written) and len(written) > limit:
        yield Problem("text", f"The text has {len(written):,} characters; this service allows {limit:,}.")
    if len(order.callback_data) > 1500:
        yield Problem(
            "callback_data", f"Callback data has {len(order.callback_data):,} characters; 1,500 are allowed."
        )


def time_problem(due_at: datetime | None, expires_at: datetime | None, *, now: datetime) -> Problem | None:
    """What is wrong with the times of a send, if anything is."""
    if due_at is not None and due_at < now - PAST:
        return Problem("send_at", "That time has passed. Choose a later one, or send now.")
    if expires_at is not None and expires_at <= max(due_at or now, now):
        return Problem("expires_at", "It would expire before it is sent. Choose a later expiry.")
    return None


def written_of(order: Order) -> str:
    """Our own text with its placeholders; empty where the provider's template makes it."""
    if order.version is not None:
        return order.version.text
    return order.template.text if order.template is not None else order.content


def _smartlinks(order: Order) -> list[list[int]]:
    """[id, minutes]: a partner says them, everybody else's are those of the catalogue that the text names."""
    if order.partner is not None:
        return [list(pair) for pair in order.partner.wishes.get("smartlinks", ())]
    return content.smartlinks(order.service, written_of(order))[0]


def settled(order: Order) -> Order:
    """With the version that its template has published now."""
    if order.template is None or order.version is not None:
        return order
    return replace(order, version=templates.published(order.template, order.language))


def _holes(order: Order) -> dict[str, templates.Hole]:
    return {one.name: one for one in templates.holes_of(order.version)} if order.version else {}


def _placeholders(order: Order) -> list[str]:
    if order.version is not None:
        return [one.name for one in templates.holes_of(order.version)]
    if order.template is not None and not order.template.text:
        return [name.strip() for name in order.template.provider_placeholders.split(",") if name.strip()]
    return text.placeholders(written_of(order))


# --- messages -----------------------------------------------------------------------------------------------------------


def _lines(order: Order, columns: Mapping[str, str]) -> tuple[list[Line], list[RejectedRow]]:
    """Every recipient as a line or a reject; together with the audience's own rejects nothing is missing."""
    written, limit, audience = written_of(order), order.service.text_limit, order.audience
    lines: list[Line] = []
    rejects: list[RejectedRow] = list(audience.rejects)
    headings = {text.match_key(heading): heading for heading in audience.headings}
    # only where it decides something: a column called "zone" may be about anything else
    wanted = order.service.quiet_hours and order.respect_quiet_hours and order.partner is None
    zone_heading = next(
        (headings[key] for name in ZONE_HEADINGS if (key := text.match_key(name)) in headings), ""
    )
    zone_heading = zone_heading if wanted else ""
    fixed = text.segments(written).count if written and not columns else 0
    # a batch has one text, so its provider substitutes; for single messages we do
    keep_values = not written or order.service.batch_size > 1
    holes = _holes(order)
    for recipient in audience.recipients:
        values = _values(recipient, columns, audience)
        if holes:
            values, misfit = templates.fitted(values, holes)
            if misfit:
                rejects.append(_reject(recipient, "value_does_not_fit", misfit))
                continue
        # a partner's value may be empty; only one that was not given is missing
        given = recipient.substitutions if order.partner else ()
        empty = [name for name, value in values.items() if not value and columns[name] not in given]
        if empty:
            rejects.append(_reject(recipient, "missing_value", f"This row has nothing for $({empty[0]})."))
            continue
        rendered = text.render(written, substitutions=values) if columns and written else written
        if columns and text.placeholders(rendered):
            rejects.append(_reject(recipient, "placeholder_in_value", _left_over(rendered)))
            continue
        if len(rendered) > limit:
            rejects.append(
                _reject(
                    recipient,
                    "text_too_long",
                    f"The text would have {len(rendered):,} characters; {limit:,} are allowed.",
                )
            )
            continue
        count = fixed or (text.segments(rendered).count if rendered else 0)
        kept = values if values and keep_values else {}
        zone = recipient.substitutions.get(zone_heading, "") if zone_heading else ""
        try:
            zone = zones.read(zone)
        except zones.BadZone as problem:
            rejects.append(_reject(recipient, "bad_time_zone", str(problem)))
            continue
        lines.append(Line(recipient.row, recipient.msisdn, rendered, kept, count, recipient.warning, zone))
    return lines, rejects


def _without_opt_outs(
    service: Service, lines: Sequence[Line], rejects: Sequence[RejectedRow]
) -> tuple[list[Line], list[RejectedRow]]:
    """Whoever refused is a reject now. Dispatch looks again, for those who refuse later."""
    refused = OptOut.in_force(service.pk, [line.msisdn for line in lines])
    if not refused:
        return list(lines), list(rejects)
    out = [
        RejectedRow(
            row=line.row, value=line.msisdn, code="opted_out", reason="This person opted out of messages."
        )
        for line in lines
        if line.msisdn in refused
    ]
    return [line for line in lines if line.msisdn not in refused], [*rejects, *out]


def _all_as_lines(
    lines: Sequence[Line], rejects: Sequence[RejectedRow]
) -> tuple[list[Line], list[RejectedRow]]:
    """For partners: what the provider would report is a message that fails at once, anything else refuses the request."""
    if refused := [bad for bad in rejects if bad.code not in FAULTS]:
        raise RowsRefused(refused)
    failed = [Line(bad.row, bad.value[:16], "", {}, 0, bad.reason, fault=FAULTS[bad.code]) for bad in rejects]
    return sorted([*lines, *failed], key=lambda line: line.row), []


def _values(recipient: Recipient, columns: Mapping[str, str], audience: Audience) -> dict[str, str]:
    return {
        name: recipient.msisdn if heading == audience.column else recipient.substitutions.get(heading, "")
        for name, heading in columns.items()
    }


def _left_over(rendered: str) -> str:
    """What the provider makes of a placeholder without a value is not documented, so none ever leaves."""
    return f"A value of this row reads like a placeholder: $({text.placeholders(rendered)[0]}). Write it another way."


def _reject(recipient: Recipient, code: str, reason: str) -> RejectedRow:
    return RejectedRow(row=recipient.row, value=recipient.msisdn, code=code, reason=reason)


def _default_name(order: Order, due_at: datetime) -> str:
    what = str(order.template) if order.template else " ".join(order.content.split()[:6])
    return f"{what[:70]} · {timezone.localtime(due_at):%d %b %H:%M}"


def cancel(send: Send, *, by: Actor, now: datetime | None = None) -> int:
    """Cancel what was not posted yet; returns how many messages that stopped.

    Locking the slices comes first: it waits for whoever is arming one right now, and whoever arms later reads the new state. Slices
    that are leased stay open, so that what they have in flight is still recorded or swept.
    """
    now = now or timezone.now()
    with transaction.atomic():
        # NO KEY: counters point to the send, and whoever writes one while we wait for their messages must not wait for us
        locked = Send.objects.select_for_update(no_key=True).get(pk=send.pk)
        if locked.state in (SendState.FINISHED, SendState.CANCELLED):
            return 0
        slices = list(Slice.objects.select_for_update().filter(send=locked, done=False).order_by("pk"))
        Slice.objects.filter(pk__in=[item.pk for item in slices if not item.owner]).update(done=True)
        tally = Tally.new()
        stopped = ledger.cancel(locked.pk, at=now, tally=tally)
        tally.write()
        locked.state, locked.cancelled_at, locked.cancelled_by = SendState.CANCELLED, now, by.label
        locked.save(update_fields=["state", "cancelled_at", "cancelled_by"])
        AuditEvent.record(
            "send.cancelled",
            by=by,
            service_slug=locked.service.slug,
            noun="send",
            noun_key=locked.pk,
            stopped=stopped,
        )
    send.refresh_from_db()
    return stopped
