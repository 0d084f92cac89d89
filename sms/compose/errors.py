"""Why an order is refused, and what a partner's order has beyond others. Raised by `sms.compose` and its rules."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from sms.audiences.files import RejectedGroup, RejectedRow
from sms.audiences.files.rows import ROW, why_none
from sms.callbacks.bodies import PROVIDER_CODES
from sms.models import Send
from sms.models.sql.insert import StatementBatch
from sms.values.problems import Problem, ProblemCode
from sms.words import KeptSentence, number, retold

NOT_THE_ONLY = KeptSentence(gettext_noop("No valid recipient: the only row was rejected. %(why)s"))
NONE_OF_MANY = KeptSentence(gettext_noop("No valid recipient: all %(rows)s rows were rejected. %(why)s"))
NOT_ALL = KeptSentence(
    gettext_noop(
        "%(count)s of %(rows)s rows would be left out, and strict asks for all of them, so nothing was sent. Row %(row)s: %(reason)s"
    )
)


class ComposeError(ValueError):
    """The send cannot be made as asked; nothing was stored. A problem's field is that of the compose page where it is corrected."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(" ".join(problem.text for problem in problems))
        self.problems = tuple(problems)

    @property
    def code(self) -> ProblemCode:
        """Of the first problem."""
        return self.problems[0].code


class RowsRefused(ComposeError):
    """Rows of a partner's request cannot be used, so the whole request is refused: a partner corrects and repeats it."""

    def __init__(self, rejects: Sequence[RejectedRow]) -> None:
        super().__init__(
            [
                Problem(
                    bad.code,
                    "audience",
                    _(ROW.text) % {"row": bad.row, "reason": retold(bad.reason)},
                    bad.row,
                    bad.value,
                )
                for bad in rejects[:20]
            ]
        )
        self.rejects = tuple(rejects)


class RowsNotTaken(ComposeError):
    """No row is left, or the order is strict and not all are. `rejects` are the first of `count`."""

    def __init__(self, problem: Problem, rejects: Sequence[RejectedRow], count: int) -> None:
        super().__init__([problem])
        self.rejects, self.count = tuple(rejects), count


class RepeatedReference(ComposeError):
    """The client reference was used before, by `earlier`."""

    def __init__(self, earlier: Send) -> None:
        says = _("This client reference belongs to send %(send)s of %(at)s UTC already.") % {
            "send": earlier.pk,
            "at": f"{earlier.created_at:%Y-%m-%d %H:%M}",
        }
        super().__init__([Problem(ProblemCode.REFERENCE_USED, "client_reference", says)])
        self.earlier = earlier


@dataclass(frozen=True, slots=True)
class PartnerRequest:
    """What only a partner's request has: `reference` is the messageId of the answer, `smartlinks` their validity on the wire.

    Every destination becomes a message, also one that fails at once (`FAILURE_CODES`), so that each can be queried and reported.
    `values_of` a row are those that it was given, `content_type` is the partner's word for the text.
    `on_stored` is called with the message ids in the order of the rows and the batch of statements that run after, before any callback.
    `on_not_called` is told why its `notify_url` will not be called; without it such an address refuses the request.
    """

    reference: UUID
    smartlinks: dict[int, int] = field(default_factory=dict)
    content_type: str = ""
    values_of: Callable[[int], dict[str, str]] | None = None
    on_stored: Callable[[Sequence[int], StatementBatch], None] | None = None
    on_not_called: Callable[[str], None] | None = None


# the provider's, of rejects that it would report instead of refusing the request
FAILURE_CODES = PROVIDER_CODES | dict.fromkeys(
    (
        *(ProblemCode.NOT_A_NUMBER, ProblemCode.TOO_SHORT, ProblemCode.TOO_LONG),
        *(ProblemCode.IMPOSSIBLE, ProblemCode.NO_COUNTRY, ProblemCode.TWO_NUMBERS),
        *(ProblemCode.PREMIUM, ProblemCode.LEFT_OUT),
    ),
    "7102",
)
FAILURE_CODES |= {ProblemCode.COUNTRY_NOT_ALLOWED: "7282", ProblemCode.NUMBER_CAP: "9006"}


def no_recipients(groups: Sequence[RejectedGroup], first: Sequence[RejectedRow]) -> ComposeError:
    """The error where no recipient is left: all rejects by reason, and the first ones."""
    if not groups:
        says = _("There is no recipient. Paste numbers or choose a file.")
        return ComposeError([Problem(ProblemCode.NO_RECIPIENTS, "audience", says)])
    if all(one.code == ProblemCode.SENDER_REFUSED for one in groups):
        reasons = dict.fromkeys(bad.reason for bad in first)  # one for each country
        return ComposeError([Problem(ProblemCode.SENDER_REFUSED, "sender", " ".join(map(retold, reasons)))])
    count = sum(one.count for one in groups)
    said = NOT_THE_ONLY if count == 1 else NONE_OF_MANY
    says = _(said.text) % {"rows": number(count), "why": why_none(groups, first[0])}
    return RowsNotTaken(Problem(ProblemCode.NO_RECIPIENTS, "audience", says), first, count)


def not_all_taken(rejects: Sequence[RejectedRow], *, count: int, rows: int) -> RowsNotTaken:
    """The error of a strict order, of which a row would be left out."""
    first = rejects[0]
    says = _(NOT_ALL.text) % {
        "count": number(count),
        "rows": number(rows),
        "row": first.row,
        "reason": retold(first.reason),
    }
    return RowsNotTaken(Problem(first.code, "audience", says), rejects, count)
