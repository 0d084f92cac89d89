"""What a partner asks for, once its body is read. Made by `body`, turned into an order by `order`."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class DropInDestination:
    """One number, as it was written."""

    number: str
    values: dict[str, str]
    correlation_id: str


@dataclass(frozen=True, slots=True)
class LinkOptions:
    """The options about links; `domain` as it was written."""

    domain: str
    shorten: bool
    track: bool
    fallback: bool
    tag1: str
    tag2: str


@dataclass(frozen=True, slots=True)
class PolicyOptions:
    """The contact policy that was asked for: at least one of the two checks."""

    group: str
    consent: bool
    cap: bool


@dataclass(frozen=True, slots=True)
class DropInRequest:
    """A whole request. Either `text` with its `kind`, or `template`."""

    sender: str
    destinations: list[DropInDestination]
    kind: str
    text: str
    template: str
    send_at: datetime | None
    expire_at: datetime | None
    receipts: list[str]
    callback_data: str
    notify_url: str
    links: LinkOptions | None
    policy: PolicyOptions | None
    smartlinks: dict[int, int]  # minutes by id
    client_reference: str
