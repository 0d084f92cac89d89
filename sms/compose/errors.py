"""Why an order is refused, and what a partner's order has beyond others. Raised by `sms.compose` and its rules."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from sms.audiences.files import RejectedRow
from sms.models import Send
from sms.models.sql.insert import StatementBatch


class ProblemCode(StrEnum):
    """What kind of problem it is, for programs; a partner's error code follows from it. Rejected rows use the same words."""

    INVALID = "invalid"
    MISSING_VALUE = "missing_value"  # nothing fills a placeholder
    TEXT_TOO_LONG = "text_too_long"
    REFERENCE_USED = "reference_used"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a send cannot be made, by the field of the compose page where it is corrected."""

    field: str
    text: str
    code: str = ProblemCode.INVALID


class ComposeError(ValueError):
    """The send cannot be made as asked; nothing was stored."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(" ".join(problem.text for problem in problems))
        self.problems = tuple(problems)


class RowsRefused(ComposeError):
    """Rows of a partner's request cannot be used, so the whole request is refused: a partner corrects and repeats it."""

    def __init__(self, rejects: Sequence[RejectedRow]) -> None:
        super().__init__(
            [Problem("audience", f"Row {bad.row}: {bad.reason}", bad.code) for bad in rejects[:20]]
        )
        self.rejects = tuple(rejects)


class RepeatedReference(ComposeError):
    """The client reference was used before, by `earlier`."""

    def __init__(self, earlier: Send) -> None:
        says = f"This client reference belongs to send {earlier.pk} of {earlier.created_at:%Y-%m-%d %H:%M} UTC already."
        super().__init__([Problem("client_reference", says, ProblemCode.REFERENCE_USED)])
        self.earlier = earlier


@dataclass(frozen=True, slots=True)
class PartnerRequest:
    """What only a partner's request has: `reference` is the messageId of the answer, `options` its send options in the words of the wire.

    Every destination becomes a message, also one that fails at once (`FAULTS`), so that each can be queried and reported. `on_stored` is
    called with the send, its message ids in the order of the rows and the batch of statements that run after, before any callback.
    """

    reference: UUID
    options: dict[str, Any] = field(default_factory=dict)
    on_stored: Callable[[Send, Sequence[int], StatementBatch], None] | None = None


FAULTS = {"opted_out": "9002", "bad_number": "7102"}  # rejects that the provider would report, not refuse


def no_recipients(rejects: Sequence[RejectedRow], *, count: int | None = None) -> ComposeError:
    """The error where no recipient is left. `count` is how many rejects there are, where `rejects` are only the first ones."""
    count = len(rejects) if count is None else count
    if not rejects:
        return ComposeError([Problem("audience", "There is no recipient. Paste numbers or choose a file.")])
    if all(bad.code == "sender_refused" for bad in rejects):
        return ComposeError([Problem("sender", rejects[0].reason)])
    first = rejects[0]
    says = f"No valid recipient: all {count:,} rows were rejected. Row {first.row}: {first.reason}"
    return ComposeError([Problem("audience", says)])
