"""An order with everything that follows from it looked up once; preview, figures, plan, approval, `create` and the posted body read it."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from sms.catalogue import content_gate, templates
from sms.catalogue.content_gate.finding import CERTAIN, ContentFinding
from sms.compose import links
from sms.compose.naming import in_one_line
from sms.compose.order import Order
from sms.compose.placeholders import ResolvedPlaceholder, used_columns
from sms.models import MessageTemplate, TemplateVersion
from sms.values import text
from sms.values.problems import Problem, ProblemCode
from sms.webex.limits import SMARTLINK


@dataclass(frozen=True, slots=True)
class ResolvedOrder(Order):
    """`text` is our own with its placeholders, empty where the provider's template makes it."""

    text: str = ""
    placeholders: tuple[ResolvedPlaceholder, ...] = ()
    segments: int = 0  # of a text that is the same for all rows
    smartlinks: Sequence[list[int]] = ()  # [id, validity as the provider wants it]
    text_problems: Sequence[Problem] = ()  # unknown smartlinks, and what the content gate is certain of
    cautions: Sequence[ContentFinding] = ()  # what else the content gate finds
    quiet_hours: str = ""  # as they are respected
    zone_heading: str = ""  # of the column with each recipient's time zone, where that matters
    correlation_heading: str = ""  # of the column with the sender's own name of each message
    reference_heading: str = ""  # and of each recipient

    @property
    def link_host(self) -> str:
        """On which links are shortened; empty where they stay as they are."""
        return self.options.link_host

    @property
    def unfilled(self) -> list[str]:
        """Placeholders that nothing fills."""
        return [one.name for one in self.placeholders if not one.is_filled]


def resolve(order: Order) -> ResolvedOrder:
    """Made once, where an order comes in; one that is resolved stays as it is."""
    if isinstance(order, ResolvedOrder):
        return order
    given = {one.name: getattr(order, one.name) for one in fields(Order)}
    template, partner = order.template, order.partner
    if template is not None and order.version is None:
        given["version"] = templates.published(template, order.options.language)
    source: TemplateVersion | MessageTemplate | None = given["version"] or template
    given["name"] = in_one_line(order.name)
    given["content"] = text.line_breaks(order.content)
    written = text.line_breaks(source.text) if source is not None else given["content"]
    respected = order.options.respect_quiet_hours and not order.simulated  # which disturbs nobody
    quiet_hours = order.service.quiet_hours if respected else ""
    linked, unknown = links.smartlinks(order.service, written)
    listed = {
        link: order.service.smartlink_time(order.options.smartlink_validity or minutes)
        for link, minutes in linked
    }
    if partner is not None:  # which says how long each is valid, and needs no catalogue
        tokens = {int(link) for link in SMARTLINK.findall(written)}
        named = partner.smartlinks.items()
        listed |= {link: given_time for link, given_time in named if not written or link in tokens}
        unknown = unknown if tokens - listed.keys() else []
    problems = [Problem(ProblemCode.NOT_USABLE, "text", says) for says in unknown]
    columns = used_columns(source, written, order.audience, order.placeholder_sources)
    # what else a partner gave is the provider's to fill in; of others only where its template makes the text
    given["values_as_given"] = order.values_as_given and (partner is not None or not written)
    beside = columns.placeholders or (given["values_as_given"] and len(order.audience.headings) > 1)
    found = content_gate.findings(
        written,
        sender=order.sender,
        names=[*order.audience.headings, *order.placeholder_sources],
        gives_values=bool(beside),
        passed_on=partner is not None,
    )
    where = "template" if template is not None else "text"
    problems += [
        Problem(ProblemCode.FOREIGN_PLACEHOLDER, where, says) for says in content_gate.refusals(found)
    ]
    return ResolvedOrder(
        **given,
        text=written,
        placeholders=columns.placeholders,
        segments=0 if columns.placeholders else text.segments(written).count,
        smartlinks=[list(pair) for pair in listed.items()],
        text_problems=problems,
        cautions=[one for one in found if one.level != CERTAIN],
        quiet_hours=quiet_hours,
        # only where it matters: a column called "zone" may be about anything else
        zone_heading=columns.zone_heading if quiet_hours and partner is None else "",
        # a partner's are beside its numbers, and its values may be called anything
        correlation_heading=columns.correlation_heading if partner is None else "",
        reference_heading=columns.reference_heading if partner is None else "",
    )


def request_fields(order: ResolvedOrder) -> dict[str, Any]:
    """The fields of a send that its requests to the provider are made of, for `create` and for a plan."""
    return order.options.options() | {
        "service": order.service,
        "sender": order.sender,
        "text": order.text,
        "template": order.template,
        "template_version": order.version,
        "smartlinks": order.smartlinks,
    }
