"""What is asked for, and one message of it. What follows from it is in `resolved_order`."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sms.audiences.files import Audience
from sms.audiences.files.rows import Rows
from sms.compose import options
from sms.compose.errors import PartnerRequest
from sms.compose.placeholders import Sources
from sms.compose.test_sends.rules import TestSend
from sms.ledger.slices import MessageContent
from sms.models import (
    ApiKey,
    AudienceVersion,
    Draft,
    MessageTemplate,
    Sender,
    SendOptions,
    Service,
    TemplateVersion,
)
from sms.values.msisdn.kinds import NumberKind

LARGE = 5_000  # rows: above, an order is checked as a stream, and its messages are written in the background


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for. Either `content` or `template`; `due_at` None means now."""

    service: Service
    audience: Rows
    sender: Sender | None = None
    content: str = ""
    template: MessageTemplate | None = None
    version: TemplateVersion | None = None  # set by `resolve` where it is not given
    name: str = ""
    due_at: datetime | None = None
    options: SendOptions = field(default_factory=options.asking_for)  # a draft, often unsaved
    labels: Sequence[str] = ()  # as they were written
    source: str = ""
    saved: AudienceVersion | None = None  # where `audience` was read from, if it is in the database
    file_sha256: str = ""  # of the file that it was read from, if it was one
    placeholder_sources: Sources = field(default_factory=dict)
    client_reference: str = ""
    values_as_given: bool = (
        False  # written for this send alone: the provider gets also those that no placeholder takes
    )
    partner: PartnerRequest | None = None
    strict: bool = False  # a row that would be left out refuses all of it
    transactional: bool = False  # by the API key that asks for it (`sms.catalogue.key_policies`)
    key: ApiKey | None = None  # that asks for it, and has a spend cap of its own
    draft: Draft | None = None  # that it was made from; its writers do not approve it
    writers: frozenset[int] = (
        frozenset()
    )  # keys of people who wrote what it says, beside the draft's and who asks
    zone: str = ""  # in which `due_at` was meant
    test_send: TestSend | None = None  # `sms.compose.test_sends.rules` says who may get one
    simulated: bool = False  # of a test key, always: nothing of it reaches a phone (`sms.simulator`)

    def __post_init__(self) -> None:
        if self.key is not None and self.key.is_test:
            object.__setattr__(self, "simulated", True)

    @property
    def owner(self) -> UUID | None:
        """Whose send it becomes: the API key's; None for people."""
        return self.key.identity if self.key else None


@dataclass(frozen=True, slots=True)
class ComposedMessage(MessageContent):
    """One message to be, with what is said of it beside."""

    kind: NumberKind = NumberKind.MOBILE
    failure_code: str = ""  # the provider's code for why it fails at once
    failure: str = ""  # the same in a sentence


def is_large(order: Order) -> bool:
    """Whether its rows are too many for one transaction. A partner's request never has so many."""
    audience = order.audience
    return not isinstance(audience, Audience) or (len(audience.recipients) > LARGE and order.partner is None)
