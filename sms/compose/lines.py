"""Rows into messages to be: values filled in, rules of the row applied, opted-out and unreachable recipients left out.

Works on a block of recipients at a time, so that a million rows need no more memory than a thousand. Preview, check, plan and the
writing of messages all use this.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime

from django.utils.translation import gettext_noop, override
from msgspec.structs import replace

from sms.audiences.files import Recipient, RejectedRow
from sms.audiences.files.rows import repeats
from sms.catalogue.caps.counting import KnownCounts, known, number_sentence
from sms.catalogue.caps.rules import CapRules
from sms.compose.errors import FAILURE_CODES, RowsRefused
from sms.compose.order import ComposedMessage
from sms.compose.placeholders import REFERENCE_KEYS, left_over
from sms.compose.reach import SenderReach
from sms.compose.resolved_order import ResolvedOrder
from sms.models import OptOut
from sms.models.callback import LONGEST_CORRELATION_ID, LONGEST_REFERENCE
from sms.models.sql.clock import corrected_now
from sms.values import text, time_zones
from sms.values.msisdn import country_of
from sms.values.problems import ProblemCode
from sms.values.text import match_key
from sms.words import KeptSentence

NOTHING_FOR = KeptSentence(gettext_noop("This row has nothing for $(%(placeholder)s)."))
LIKE_A_PLACEHOLDER = KeptSentence(
    gettext_noop("A value of this row reads like a placeholder: %(value)s. Write it another way.")
)
TEXT_TOO_LONG = KeptSentence(
    gettext_noop("The text would have %(characters)s characters; %(most)s are allowed.")
)
CORRELATION_ID_TOO_LONG = KeptSentence(
    gettext_noop("The correlation id has %(characters)s characters; %(most)s are allowed.")
)
REFERENCE_TOO_LONG = KeptSentence(
    gettext_noop("The reference has %(characters)s characters; %(most)s are allowed.")
)
OPTED_OUT = gettext_noop("This person opted out of messages.")
LEFT_OUT = KeptSentence(gettext_noop("%(warning)s This send leaves such numbers out."))


class Composer:
    """Makes messages of an order's recipients. What is the same for all rows is worked out once."""

    def __init__(self, order: ResolvedOrder, *, now: datetime | None = None, day: date | None = None) -> None:
        """`day` is the one whose spend caps count; of an order that is not made yet, it follows from its time or `now`."""
        self._order, self._placeholders = order, order.placeholders
        self._service, self._text, self._limit = order.service, order.text, order.service.text_limit
        # where the provider fills in a batch it needs the values; otherwise the text is all that is posted
        self._keep_values = not self._text or (
            order.service.batch_size > 1
            and order.service.fills_inline is not None
            and not text.fills_links(self._text)
        )
        self._left_out = tuple(order.options.leave_out)
        self._reach = SenderReach(order.sender if order.partner is None else None)
        self._caps = CapRules.of(order.service, order.key)
        now = now or corrected_now()
        self.counts = KnownCounts()  # of the spend caps, as they were with the latest block
        self._day = day or self._caps.day_of(max(order.due_at or now, now))

    def lines(self, recipients: Sequence[Recipient]) -> tuple[list[ComposedMessage], list[RejectedRow]]:
        """Each of them as a message or a reject, in their order; nothing is dropped. Reasons are kept, so they are English."""
        with override("en"):
            return self._lines(recipients)

    def _lines(self, recipients: Sequence[Recipient]) -> tuple[list[ComposedMessage], list[RejectedRow]]:
        lines: list[ComposedMessage] = []
        rejects: list[RejectedRow] = []
        for recipient in recipients:
            made = self._line(recipient)
            if isinstance(made, ComposedMessage):
                lines.append(made)
            else:
                rejects.append(made)
        lines = self._without_opted_out(lines, rejects)
        if self._order.partner is None:
            lines = self._without_unreachable(lines, rejects)
        return self._without_capped(lines, rejects), self._with_names(recipients, rejects)

    def _with_names(self, recipients: Sequence[Recipient], rejects: list[RejectedRow]) -> list[RejectedRow]:
        headings = self._order.reference_heading, self._order.correlation_heading
        if not any(headings) or not rejects:
            return rejects
        called = {one.row: [one.substitutions.get(name, "") for name in headings] for one in recipients}
        return [
            replace(bad, reference=reference, correlation_id=correlation_id)
            for bad in rejects
            for reference, correlation_id in [called[bad.row]]
        ]

    def values(self, recipient: Recipient) -> dict[str, str]:
        """By placeholder; empty where nothing fills it."""
        return {one.name: one.value(recipient) for one in self._placeholders}

    def _line(self, recipient: Recipient) -> ComposedMessage | RejectedRow:
        if recipient.kind in self._left_out:
            return left_out(recipient)
        if (doubted := recipient.doubted) and doubted.kind not in self._left_out:
            return _reject(recipient, ProblemCode.DUPLICATE, repeats(doubted.row))
        values = self.values(recipient)
        for one in self._placeholders:
            value = values[one.name]
            if value and (misfit := one.rule.problem(value)):
                return _reject(recipient, ProblemCode.VALUE_DOES_NOT_FIT, misfit, one.name)
            # a partner's value may be empty; only one that was not given is missing
            if not value and not (self._order.partner and one.heading in recipient.substitutions):
                says = NOTHING_FOR(placeholder=one.name)
                return _reject(recipient, ProblemCode.MISSING_VALUE, says, one.name)
        rendered = self._text
        if values and rendered:
            rendered = text.render(rendered, substitutions=values)
            if found := left_over(rendered, self._text):
                says = LIKE_A_PLACEHOLDER(value=found)
                return _reject(recipient, ProblemCode.PLACEHOLDER_IN_VALUE, says)
        if (length := self._service.length_of(rendered)) > self._limit:
            says = TEXT_TOO_LONG(characters=f"{length:,}", most=f"{self._limit:,}")
            return _reject(recipient, ProblemCode.TEXT_TOO_LONG, says)
        count = self._order.segments or text.segments(rendered).count
        kept = values if values and self._keep_values else {}
        if self._order.values_as_given:
            kept = self._untaken(recipient) | kept
        zone = ""
        if self._order.zone_heading:
            try:
                zone = time_zones.read(recipient.substitutions.get(self._order.zone_heading, ""))
            except time_zones.BadZone as problem:
                return _reject(recipient, ProblemCode.BAD_TIME_ZONE, str(problem))
        name = recipient.substitutions.get(self._order.correlation_heading, "")
        reference = recipient.substitutions.get(self._order.reference_heading, "")
        for too_long, said, most in (
            (CORRELATION_ID_TOO_LONG, name, LONGEST_CORRELATION_ID),
            (REFERENCE_TOO_LONG, reference, LONGEST_REFERENCE),
        ):
            if len(said) > most:
                says = too_long(characters=f"{len(said):,}", most=most)
                return _reject(recipient, ProblemCode.VALUE_DOES_NOT_FIT, says)
        return ComposedMessage(
            recipient.row, recipient.msisdn, rendered, kept, count, zone, name, reference, recipient.kind
        )

    def _untaken(self, recipient: Recipient) -> dict[str, str]:
        """What the row was given that no placeholder of a text takes; all of it where the provider's template makes the text."""
        taken = {self._order.correlation_heading, self._order.zone_heading}
        if match_key(self._order.reference_heading) == REFERENCE_KEYS[0]:  # which is for nothing else
            taken.add(self._order.reference_heading)
        taken |= {one.heading for one in self._placeholders} if self._text else set()
        return {name: value for name, value in recipient.substitutions.items() if name not in taken}

    def text_for(self, row: int) -> str:
        """Of a row of a partner's request that is not sent to: what it would have got."""
        partner = self._order.partner
        if partner is None or partner.values_of is None or not self._text:
            return ""
        given = self.values(Recipient(row=row, msisdn="", substitutions=partner.values_of(row)))
        return "".join(piece.text for piece in text.filled(self._text, substitutions=given))

    def _without_opted_out(
        self, lines: list[ComposedMessage], rejects: list[RejectedRow]
    ) -> list[ComposedMessage]:
        """Opted-out recipients are rejects. Dispatch checks once more, for later opt-outs."""
        opted_out = OptOut.in_force(self._service.pk, [line.msisdn for line in lines])
        if not opted_out:
            return lines
        rejects += [
            _reject(line, ProblemCode.OPTED_OUT, OPTED_OUT) for line in lines if line.msisdn in opted_out
        ]
        return [line for line in lines if line.msisdn not in opted_out]

    def _without_unreachable(
        self, lines: list[ComposedMessage], rejects: list[RejectedRow]
    ) -> list[ComposedMessage]:
        """Without those whose country refuses the sender."""
        kept: list[ComposedMessage] = []
        for line in lines:
            if refusal := self._reach.refusal(line.msisdn):
                rejects.append(_reject(line, ProblemCode.SENDER_REFUSED, refusal))
            else:
                kept.append(line)
        return kept

    def _without_capped(
        self, lines: list[ComposedMessage], rejects: list[RejectedRow]
    ) -> list[ComposedMessage]:
        """Without those whose country is not allowed, and whose number has had enough for one day; one query for all of them."""
        countries = {line.msisdn: country_of(line.msisdn) for line in lines}
        refused = {country: self._caps.refusal(country) for country in set(countries.values())}
        if not self._order.simulated:  # which takes nothing of a cap
            self.counts = known(self._service, self._day, Counter(line.msisdn for line in lines))
        room = dict(self.counts.short)
        if not room and not any(refused.values()):
            return lines
        kept: list[ComposedMessage] = []
        for line in lines:
            country = countries[line.msisdn]
            if says := refused[country]:
                rejects.append(_reject(line, ProblemCode.COUNTRY_NOT_ALLOWED, says, country or "satellite"))
            elif not room.get(line.msisdn, 1):
                says = number_sentence(self._caps, self._day)
                rejects.append(_reject(line, ProblemCode.NUMBER_CAP, says))
            else:
                kept.append(line)
                if line.msisdn in room:
                    room[line.msisdn] -= 1
        return kept


def all_as_messages(
    lines: Sequence[ComposedMessage], rejects: Sequence[RejectedRow], composer: Composer
) -> list[ComposedMessage]:
    """For partners: what the provider would report is a message that fails at once; any other reject refuses the request."""
    if refused := [bad for bad in rejects if bad.code not in FAILURE_CODES]:
        raise RowsRefused(refused)
    failed = [
        ComposedMessage(
            bad.row,
            bad.value[:16],
            composer.text_for(bad.row),
            {},
            0,
            failure_code=FAILURE_CODES[bad.code],
            failure=bad.reason,
        )
        for bad in rejects
    ]
    return sorted([*lines, *failed], key=lambda line: line.row)


def left_out(recipient: Recipient) -> RejectedRow:
    """Of a kind that the send leaves out; `field` names it."""
    kind = recipient.kind
    return RejectedRow(
        row=recipient.row,
        value=recipient.written,
        code=ProblemCode.LEFT_OUT,
        reason=LEFT_OUT(warning=kind.warning),
        field=kind.names[0],
    )


def _reject(row: Recipient | ComposedMessage, code: ProblemCode, reason: str, field: str = "") -> RejectedRow:
    return RejectedRow(row=row.row, value=row.msisdn, code=code, reason=reason, field=field)
