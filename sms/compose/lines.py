"""Rows into messages to be: values filled in, rules of the row applied, opted-out and unreachable recipients left out.

Works on a block of recipients at a time, so that a million rows need no more memory than a thousand. The check of an order and the writing
of its messages use the same.
"""

from collections.abc import Sequence

from sms.audiences.files import Recipient, RejectedRow
from sms.audiences.files.rows import Rows
from sms.catalogue import placeholder_rules
from sms.compose import placeholders
from sms.compose.errors import FAULTS, ComposeError, Problem, ProblemCode, RowsRefused
from sms.compose.order import ComposedMessage, Order, placeholder_names, rules_by_name, text_of
from sms.compose.reach import SenderReach
from sms.models import OptOut
from sms.values import text, time_zones

ZONE_HEADINGS = ("timezone", "time zone", "zone", "tz")


class Composer:
    """Makes messages of an order's recipients. What is the same for all rows is worked out once. The order is `resolved`.

    Raises ComposeError where nothing fills a placeholder.
    """

    def __init__(self, order: Order) -> None:
        self._order = order
        self._service, self._audience = order.service, order.audience
        self._text, self._limit = text_of(order), order.service.text_limit
        self._rules = rules_by_name(order)
        self._fallbacks = placeholders.fallbacks(order.placeholder_sources)
        self._columns = _columns(order, self._rules)
        self._zone_heading = _zone_heading(order)
        self._fixed = text.segments(self._text).count if self._text and not self._columns else 0
        # a batch has one text, so its provider substitutes; for single messages we do
        self._keep_values = not self._text or order.service.batch_size > 1
        self._reach = SenderReach(order.sender if order.partner is None else None)

    def lines(self, recipients: Sequence[Recipient]) -> tuple[list[ComposedMessage], list[RejectedRow]]:
        """Each of them as a message or a reject, in their order; nothing is dropped."""
        lines: list[ComposedMessage] = []
        rejects: list[RejectedRow] = []
        for recipient in recipients:
            made = self._line(recipient)
            if isinstance(made, ComposedMessage):
                lines.append(made)
            else:
                rejects.append(made)
        lines = self._without_opted_out(lines, rejects)
        return (
            lines if self._order.partner is not None else self._without_unreachable(lines, rejects)
        ), rejects

    def _line(self, recipient: Recipient) -> ComposedMessage | RejectedRow:
        values = self._values(recipient)
        if self._rules:
            values, misfit = placeholder_rules.filled(values, self._rules)
            if misfit:
                return _reject(recipient, "value_does_not_fit", misfit)
        if values and not all(values.values()):
            # a partner's value may be empty; only one that was not given is missing
            given = recipient.substitutions if self._order.partner else ()
            empty = [name for name, value in values.items() if not value and self._columns[name] not in given]
            if empty:
                return _reject(recipient, "missing_value", f"This row has nothing for $({empty[0]}).")
        rendered = self._text
        if self._columns and rendered:
            rendered = text.render(rendered, substitutions=values)
            if "$(" in rendered and text.placeholders(rendered):
                return _reject(recipient, "placeholder_in_value", _left_over(rendered))
        if len(rendered) > self._limit:
            says = f"The text would have {len(rendered):,} characters; {self._limit:,} are allowed."
            return _reject(recipient, "text_too_long", says)
        count = self._fixed or (text.segments(rendered).count if rendered else 0)
        kept = values if values and self._keep_values else {}
        zone = ""
        if self._zone_heading:
            try:
                zone = time_zones.read(recipient.substitutions.get(self._zone_heading, ""))
            except time_zones.BadZone as problem:
                return _reject(recipient, "bad_time_zone", str(problem))
        return ComposedMessage(
            recipient.row, recipient.msisdn, rendered, kept, count, recipient.warning, zone
        )

    def _values(self, recipient: Recipient) -> dict[str, str]:
        column, cells = self._audience.column, recipient.substitutions
        values = {
            name: recipient.msisdn if heading and heading == column else cells.get(heading, "")
            for name, heading in self._columns.items()
        }
        for name, fallback in self._fallbacks.items():
            if name in values and not values[name]:
                values[name] = fallback
        return values

    def _without_opted_out(
        self, lines: list[ComposedMessage], rejects: list[RejectedRow]
    ) -> list[ComposedMessage]:
        """Opted-out recipients are rejects. Dispatch checks once more, for later opt-outs."""
        opted_out = OptOut.in_force(self._service.pk, [line.msisdn for line in lines])
        if not opted_out:
            return lines
        rejects += [
            RejectedRow(
                row=line.row, value=line.msisdn, code="opted_out", reason="This person opted out of messages."
            )
            for line in lines
            if line.msisdn in opted_out
        ]
        return [line for line in lines if line.msisdn not in opted_out]

    def _without_unreachable(
        self, lines: list[ComposedMessage], rejects: list[RejectedRow]
    ) -> list[ComposedMessage]:
        """Without those whose country refuses the sender."""
        kept: list[ComposedMessage] = []
        for line in lines:
            if refusal := self._reach.refusal(line.msisdn):
                rejects.append(
                    RejectedRow(row=line.row, value=line.msisdn, code="sender_refused", reason=refusal)
                )
            else:
                kept.append(line)
        return kept


def all_as_messages(
    lines: Sequence[ComposedMessage], rejects: Sequence[RejectedRow]
) -> list[ComposedMessage]:
    """For partners: what the provider would report is a message that fails at once; any other reject refuses the request."""
    if refused := [bad for bad in rejects if bad.code not in FAULTS]:
        raise RowsRefused(refused)
    failed = [
        ComposedMessage(bad.row, bad.value[:16], "", {}, 0, bad.reason, fault=FAULTS[bad.code])
        for bad in rejects
    ]
    return sorted([*lines, *failed], key=lambda line: line.row)


def _columns(order: Order, rules: dict[str, placeholder_rules.Placeholder]) -> dict[str, str]:
    """Placeholder → heading; raises ComposeError where nothing fills one."""
    names = placeholder_names(order)
    columns, missing = placeholders.columns(names, order.audience, order.placeholder_sources)
    with_fallback = {name for name in missing if name in rules and rules[name].fallback}
    with_fallback |= placeholders.fallbacks(order.placeholder_sources).keys() & set(missing)
    columns |= dict.fromkeys((name for name in missing if name in with_fallback), "")
    if missing := [name for name in missing if name not in columns]:
        says = placeholders.missing_sentence(missing, order.audience)
        raise ComposeError([Problem("text", says, ProblemCode.MISSING_VALUE)])
    return columns


def _zone_heading(order: Order) -> str:
    """Only where it matters: a column called "zone" may be about anything else."""
    if not (order.service.quiet_hours and order.respect_quiet_hours and order.partner is None):
        return ""
    return zone_heading(order.audience)


def zone_heading(audience: Rows) -> str:
    """The column with time zones, empty where there is none."""
    headings = {text.match_key(heading): heading for heading in audience.headings}
    return next((headings[key] for name in ZONE_HEADINGS if (key := text.match_key(name)) in headings), "")


def _left_over(rendered: str) -> str:
    """The provider documents nothing for a placeholder without a value, so every posted one has a value."""
    return f"A value of this row reads like a placeholder: $({text.placeholders(rendered)[0]}). Write it another way."


def _reject(recipient: Recipient, code: str, reason: str) -> RejectedRow:
    return RejectedRow(row=recipient.row, value=recipient.msisdn, code=code, reason=reason)
