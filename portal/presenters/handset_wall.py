"""The wall of pretend phones: what each person sees, newest phones first.

What a phone shows is what the sandbox says that it got. The sandbox forgets when it ends, so of older messages the wall shows our own
record, and says so.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import QuerySet
from django.http import Http404

from portal.sandbox_phones import GotMessage, SandboxAway, got
from sms.catalogue import link_lengths
from sms.models import Click, InboundMessage, Message, OptOut, SenderKind, Service
from sms.sends.own_numbers import without_recipients
from sms.sends.person.identity import key_of, person_of
from sms.values import text
from sms.values.msisdn.mention import starred

PHONES = 12  # on the wall
NEWEST = 300  # messages in which the newest phones are looked for
SHOWN = 4  # texts on a phone
PER_PHONE = 20  # messages read for each, of which the newest are shown
_SHORT = re.compile(r"https?://([^\s/]+)(/(?:m/)?[A-Za-z0-9]{6})(?![A-Za-z0-9/])")


@dataclass(frozen=True, slots=True)
class TextPart:
    """A piece of a text: kind is text, link (`shown` is the short link, `number` counts those of the text from 1) or seam."""

    kind: str
    shown: str
    number: int = 0


@dataclass(frozen=True, slots=True)
class PhoneText:
    """One bubble. `message` where we wrote; `on_phone` where the sandbox has it."""

    at: datetime
    parts: Sequence[TextPart]
    message: Message | None = None
    segments: int = 0
    on_phone: bool = False
    clicks: int = 0


@dataclass(frozen=True, slots=True)
class Handset:
    """`key` stands for the number in addresses; `answers` is our number that a text goes to, empty where we have none."""

    msisdn: str
    key: str
    opted_out: bool
    answers: str
    texts: list[PhoneText] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class HandsetWall:
    """`away`: why the sandbox could not be asked."""

    handsets: list[Handset]
    numbers: list[str]
    away: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose phones: of a send, of a message, of one person, or the newest. `query` is the same as an address has it."""

    send: int = 0
    message: int = 0
    person: str = ""

    @property
    def query(self) -> dict[str, str]:
        given = {"send": self.send, "message": self.message, "person": self.person}
        return {name: str(value) for name, value in given.items() if value}


def wall_of(service: Service, asked: Asked) -> HandsetWall:
    numbers = _numbers(service, asked)
    try:
        known, away = got(service, numbers), ""
    except SandboxAway as problem:
        known, away = {}, str(problem)
    ours = numbers_of(service)
    sent = _sent(service, numbers)
    clicks = Counter(
        Click.objects.filter(message__in=[one.pk for some in sent.values() for one in some]).values_list(
            "message", flat=True
        )
    )
    came = _came(service, numbers)
    refused = OptOut.in_force(service.pk, numbers)
    handsets = []
    for number in numbers:
        senders = [one.send.sender.address for one in sent[number]]
        answers = next((one for one in senders if one in ours), ours[0] if ours else "")
        texts = [*came[number], *(_text(one, known.get(one.pk), clicks[one.pk]) for one in sent[number])]
        texts.sort(key=lambda one: one.at)
        handsets.append(Handset(number, key_of(service, number), number in refused, answers, texts[-SHOWN:]))
    return HandsetWall(handsets, ours, away)


def numbers_of(service: Service) -> list[str]:
    """Our numbers that a phone can text to."""
    senders = service.senders.filter(active=True).exclude(kind=SenderKind.ALPHANUMERIC).order_by("pk")
    return list(senders.values_list("address", flat=True))


def short_link(service: Service, message: Message, number: int) -> str:
    """The path of the link of that number in the text that the phone has; empty where there is none. Raises SandboxAway."""
    known = got(service, [message.msisdn]).get(message.pk)
    links = [] if known is None else [match[2] for match in _links(known.text, message)]
    return links[number - 1] if 0 < number <= len(links) else ""


def messages_of(service: Service) -> "QuerySet[Message]":
    """Messages that went to phones; those with a test key did not."""
    rows = Message.objects.filter(
        send__service=service, send__simulated=False, posted_at__isnull=False, msisdn__startswith="+"
    )
    return rows.select_related("send__service", "send__sender", "send__link_domain")


def _numbers(service: Service, asked: Asked) -> list[str]:
    """Raises Http404 for a message or a person that is none of the service's."""
    rows = messages_of(service).order_by("-pk")
    if asked.person:
        person = person_of(service, asked.person)
        if person is None or not person.number:
            raise Http404
        return [person.number]
    if asked.message:
        found = rows.filter(pk=asked.message).first()
        if found is None:
            raise Http404
        return [found.msisdn]
    if asked.send:
        rows = rows.filter(send=asked.send).order_by("pk")
    newest = rows.values_list("msisdn", flat=True)[:NEWEST]
    return list(dict.fromkeys(newest))[:PHONES]


def _sent(service: Service, numbers: Collection[str]) -> dict[str, list[Message]]:
    """The newest of each phone, newest first."""
    found: dict[str, list[Message]] = defaultdict(list)
    rows = messages_of(service).filter(msisdn__in=numbers).order_by("-pk")
    for one in rows[: PER_PHONE * len(numbers)]:
        if len(found[one.msisdn]) < SHOWN:
            found[one.msisdn].append(one)
    return found


def _came(service: Service, numbers: Collection[str]) -> dict[str, list[PhoneText]]:
    found: dict[str, list[PhoneText]] = defaultdict(list)
    rows = InboundMessage.objects.filter(service=service, msisdn__in=numbers, why="").order_by("-pk")
    for one in rows.defer("raw")[: PER_PHONE * len(numbers)]:
        found[one.msisdn].append(PhoneText(one.received_at, [TextPart("text", one.text)]))
    return found


def _text(message: Message, known: GotMessage | None, clicks: int) -> PhoneText:
    assert message.posted_at is not None, "only such are read"
    if known is not None:
        written, segments = known.text, known.segments
    else:
        written, _ = link_lengths.shortened(message.text, message.send.link_host)
        segments = message.segments
    parts = list(_parts(written, message, is_on_phone=known is not None))
    return PhoneText(message.posted_at, parts, message, segments, known is not None, clicks)


def _parts(written: str, message: Message, *, is_on_phone: bool) -> Iterator[TextPart]:
    """The text cut at its links and where a segment ends; whole where a recipient's number is hidden in it."""
    hidden = starred(without_recipients(written, message.send), message.msisdn)
    if hidden != written:
        yield TextPart("text", hidden)
        return
    links = {match.start(): match for match in _links(written, message)} if is_on_phone else {}
    order = {start: number for number, start in enumerate(links, start=1)}
    seams, begun, end = set(text.breaks(written)), 0, 0
    segment = 1
    for at in sorted({*links, *seams}):
        if at < end and at not in seams:
            continue
        if at > begun and at >= end:
            yield TextPart("text", written[begun:at])
            begun = at
        if at in seams:
            segment += 1
            if at >= end:
                yield TextPart("seam", str(segment))
        if at in links:
            end = begun = links[at].end()
            yield TextPart("link", links[at][0], order[at])
    if begun < len(written):
        yield TextPart("text", written[begun:])


def _links(written: str, message: Message) -> list[re.Match[str]]:
    """Short links of the domain that the send used, and smartlinks: those the sandbox answers for."""
    domain = message.send.link_domain
    hosts = ({domain.host} if domain is not None else set()) | {"uk.wbxc.io"}
    return [match for match in _SHORT.finditer(written) if match[1] in hosts]
