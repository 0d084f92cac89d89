"""Any draft to any audience, and what each place says of it: the compose page, the plan, what is created, and what the provider reads.

`DraftAtTheDoors.differences` of a random draft (`typed_drafts`) is empty where all agree, row by row. Used by a test and by a benchmark.
"""

import csv
import io
import re
from dataclasses import dataclass, field
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.utils.html import strip_tags
from hypothesis import strategies as st

from sms.audiences import packing, saved
from sms.audiences.files import Limits
from sms.catalogue import templates
from sms.catalogue.link_lengths import shortened
from sms.catalogue.placeholder_rules import Placeholder
from sms.catalogue.templates import Wording
from sms.compose import background, drafts
from sms.compose.errors import ComposeError
from sms.dispatch.claim import ClaimedMessage
from sms.dispatch.request import batches, body_of, template_of
from sms.inbound import optouts
from sms.models import Draft, OptOut, Send, Sender, SenderKind, Service, ShortLinkDomain, Smartlink
from sms.webex.rules import WireError
from sms.webex.sandbox import message_text, rules
from sms.webex.sandbox.settings import Settings
from tests.support.people import signed_in
from tests.support.provider import PUBLIC_URL
from tests.support.sends import BY, a_service

OPTED_OUT = ("07700 900001", "07700 900002")
NUMBERS = [
    *OPTED_OUT,
    *(f"07700 90000{n}" for n in range(3, 9)),
    "+1 202 555 0143",
    "+353851234567",
    "12",
    "",
]
HEADINGS = ["First Name", "ORDER no", "Amount", "time zone"]
PIECES = [
    *("$(first_name)", "$(First Name)", "$(FIRST-NAME)", "$(order_no)", "$( amount )", "$(number)"),
    *(
        "Hi ",
        "€",
        "Ż",
        "🎉",
        "{",
        "\n",
        "x" * 70,
        "https://shop.example/a?b=1 ",
        "https://shop.example/$(order_no)?n=$(First Name)&a=$(amount) ",
        "{{smartlink_4371}}",
        ")",
        "$",
        "(x)",
    ),
]
ODD_PIECES = ["$(nobody)", "{{smartlink_9}}", "{{smartlink_", "}}", "$(", "$( )", "%name%"]
VALUES = ["Ada", "Żaneta", "x" * 70, "12", "1,200.50", "€", "🎉", "https://a.example/b"]
ODD_VALUES = [
    *("", " ", "y" * 160, "31.12.2026", "$(number)", "$(", "(x)", "$( )", "$(a(b)", ")", "${x}"),
    *("{{smartlink_4371}}", "{{smartlink_9}}", "4371"),
]
ZONES = ["", "", "Europe/London", "europe/london", "nowhere"]
NAMES = ["first_name", "First Name", "FIRST NAME", "Order-No", "amount", "nobody", "number"]


@dataclass(frozen=True)
class TypedDraft:
    """What a person types and chooses. `headings` is how many columns the table has besides the number; `by` is how it comes."""

    rows: list[tuple[str, str, str, str, str]]
    headings: int
    by: str  # pasted, file, saved, or corrected: rows that are stored, checked and expanded in the background
    text: str
    template: str
    sender: str
    domain: bool
    track: str  # clicks: yes, no, or off for links that stay
    sources: list[tuple[str, str, str]]
    batch_size: int
    text_limit: int
    quiet_hours: bool
    respected: bool
    duplicates: bool
    at: int


values = st.sampled_from(VALUES * 6 + ODD_VALUES)
typed_drafts = st.builds(
    TypedDraft,
    rows=st.lists(
        st.tuples(st.sampled_from(NUMBERS), values, values, values, st.sampled_from(ZONES)), max_size=8
    ),
    headings=st.sampled_from([0, 2, 3, 4, 4, 4]),
    by=st.sampled_from(["pasted", "pasted", "file", "file", "saved", "corrected"]),
    text=st.lists(st.sampled_from(PIECES * 6 + ODD_PIECES), min_size=1, max_size=6)
    .map("".join)
    .filter(str.strip),
    template=st.sampled_from(["", "", "", "", "ours", "theirs"]),
    sender=st.sampled_from(["SHOP", "SHOP", "447700900999", "12345"]),
    domain=st.booleans(),
    track=st.sampled_from(["yes", "no", "off"]),
    sources=st.lists(
        st.tuples(
            st.sampled_from(NAMES),
            st.sampled_from(["", "", "first name", "order no", "AMOUNT", "elsewhere"]),
            st.sampled_from(["", "friend", *VALUES, *ODD_VALUES]),
        ),
        max_size=3,
    ),
    batch_size=st.sampled_from([1, 10]),
    text_limit=st.sampled_from([60, 1024]),
    quiet_hours=st.booleans(),
    respected=st.booleans(),
    duplicates=st.booleans(),
    at=st.integers(0, 8),
)


@dataclass
class DraftAtTheDoors:
    """A service with a catalogue and a person signed in, at whose pages drafts are typed, planned and sent."""

    service: Service = field(default_factory=a_service)

    def __post_init__(self) -> None:
        service = self.service
        self.client = signed_in("ada@example.test", service, "admin")
        Sender.objects.create(service=service, address="447700900999", kind=SenderKind.LONG_CODE)
        Sender.objects.create(service=service, address="12345", kind=SenderKind.SHORT_CODE, countries="GB")
        self.senders = dict(service.senders.values_list("address", "pk"))
        self.domain = ShortLinkDomain.objects.create(
            service=service, region=service.region, host="go.example.test"
        )
        Smartlink.objects.create(service=service, smartlink_id=4371, name="App", validity=60)
        places = [
            Placeholder("First name", fallback="friend"),
            Placeholder("amount", kind="number", max_length=8),
        ]
        ours = Wording("Dear $(First name), pay $(amount).", placeholders=places)
        theirs = Wording(provider_id="5S2", placeholders=[Placeholder("first_name", fallback="you")])
        self.templates = {
            "": "",
            "ours": templates.create(service, "ours", ours, by=BY).pk,
            "theirs": templates.create(service, "theirs", theirs, by=BY).pk,
        }
        people = [optouts.Refusal(f"+44{number[1:].replace(' ', '')}") for number in OPTED_OUT]
        optouts.opt_out(service.pk, people, by=BY, source=OptOut.Source.PAGE)

    def differences(self, typed: TypedDraft) -> list[str]:
        """What the places do not agree on; nothing stays behind. `sent` is whether it became a send."""
        self.sent = False
        with transaction.atomic():
            try:
                return self._differences(typed)
            finally:
                transaction.set_rollback(True)

    def _differences(self, typed: TypedDraft) -> list[str]:
        Service.objects.filter(pk=self.service.pk).update(
            batch_size=typed.batch_size,
            text_limit=typed.text_limit,
            quiet_hours="21:00-08:00" if typed.quiet_hours else "",
        )
        self.service.refresh_from_db()
        fields = self._fields(typed)
        draft = Draft.objects.get(pk=self.client.post("/s/shop/compose/save/", fields).json()["draft"])
        page = f"/s/shop/drafts/{draft.pk}/"
        if typed.by == "corrected":
            self._store_rows(draft)
            self.client.get(f"{page}plan.json")
            background.run(stopped=lambda: False)
        seen, answer = self._seen(page, fields), self.client.get(f"{page}plan.json")
        if answer.status_code != 200:
            return self._refused(draft.pk, seen, answer.json()["errors"])
        plan = answer.json()
        sent = self.client.post(f"{page}review/", {"again": "1"})
        if sent.status_code != 302 or "/sends/" not in sent.url:
            return [f"planned and not sent: {sent.status_code}"]
        background.run(stopped=lambda: False)
        send, self.sent = Send.objects.get(), True
        return [*_compared(seen, plan, send), *self._on_the_wire(send)]

    def _fields(self, typed: TypedDraft) -> dict[str, Any]:
        headings = ["number", *HEADINGS[: typed.headings]]
        out = io.StringIO()
        csv.writer(out).writerows([headings, *(row[: len(headings)] for row in typed.rows)])
        table = out.getvalue()
        fields: dict[str, Any] = {
            "text": "" if typed.template else typed.text,
            "template": self.templates[typed.template],
            "sender": self.senders[typed.sender],
            "link_domain": self.domain.pk if typed.domain else "",
            "track": typed.track,
            "country": "GB",
            "when": "now",
            "at": str(typed.at),
            "fillings_shown": "1",
            "filling_name": [one[0] for one in typed.sources],
            "filling_column": [one[1] for one in typed.sources],
            "filling_fallback": [one[2] for one in typed.sources],
        }
        if typed.duplicates:
            fields["allow_duplicates"] = "on"
        if typed.respected:
            fields["respect_quiet_hours"] = "on"
        match typed.by:
            case "saved" if any(row[0] not in ("", "12") for row in typed.rows):
                packed = packing.pack_file(
                    io.BytesIO(table.encode()), name="people.csv", country="GB", column=None, limits=Limits()
                )
                fields["audience"] = saved.create(self.service, packed, name="People", by=BY).pk
            case "pasted" | "saved":
                fields["pasted"] = table
            case _:
                fields["file"] = SimpleUploadedFile("people.csv", table.encode())
        return fields

    def _store_rows(self, draft: Draft) -> None:
        """As after a press of the button that takes corrected rows: its few rows are stored, and work goes on in the background."""
        found = drafts.with_related(Draft.objects.all()).get(pk=draft.pk)
        try:
            drafts.base_of_corrections(found, limits=Limits())
        except drafts.NotReady:
            background.run(stopped=lambda: False)

    def _seen(self, page: str, fields: dict[str, Any]) -> dict[str, Any]:
        """What the compose page says: figures from its words, the row on its phone from what they are drawn of."""
        typed = {name: value for name, value in fields.items() if name != "file"}
        answer = self.client.post(f"{page}preview/", typed | {"count": "1"})
        parts = answer.json()["parts"]
        words = " ".join(strip_tags(parts["preview"] + parts["rows"]).split())
        recipients = re.search(r"(Up to )?([\d,]+) recipients?", words)
        segments = re.search(r"All ([\d,]+) messages? ([\d,]+)(?: to ([\d,]+))?", words)
        return {
            "words": words,
            "recipients": int(recipients[2]) if recipients else 0,
            "messages": segments and int(segments[1]),
            "segments": segments and [int(segments[2]), int(segments[3] or segments[2])],
            "phone": answer.context["preview"].phone,
            "hints": " ".join(answer.context["preview"].hints),
            "rejected": sum(one.count for one in answer.context["all"].rejected),
        }

    def _refused(self, draft: int, seen: dict[str, Any], errors: list[dict[str, str]]) -> list[str]:
        """What the plan refuses, sending refuses for the same reasons, and the page says so or counts nobody."""
        found = []
        try:
            drafts.send_draft(
                drafts.with_related(Draft.objects.all()).get(pk=draft), by=BY, limits=Limits(), again=True
            )
            found.append(f"sent, and refused by the plan: {errors}")
        except ComposeError as problem:
            if [one.text for one in problem.problems] != [one["detail"] for one in errors]:
                found.append(f"refused by the plan: {errors}, by sending: {problem}")
        if seen["recipients"] and not any(one["detail"] in seen["hints"] for one in errors):
            found.append(f"the page counts {seen['recipients']} of a draft that is refused: {errors}")
        return found

    def _on_the_wire(self, send: Send) -> list[str]:
        """Each message as the sandbox reads it from the bodies that would be posted."""
        found, read = [], list[tuple[str, str, int]]()
        messages = list(send.messages.order_by("pk"))
        claimed = [
            ClaimedMessage(one.pk, one.msisdn, one.text, one.substitutions, one.attempt, one.zone)
            for one in messages
        ]
        template = template_of(send, public_url=PUBLIC_URL)
        at_the_provider = Settings(
            # how long the provider's own template becomes is not known here
            text_limit=4000 if send.template_id and not send.text else self.service.text_limit,
            templates={"5S2": ("Hello $(first_name)", False)},
            domains=frozenset({"go.example.test"}),
        )
        for batch in batches(claimed, template=template, size=self.service.batch_size):
            try:
                order, to = rules.read(body_of(batch, template), at_the_provider, 0.0)
            except (WireError, rules.SandboxRefused) as problem:
                found.append(f"created and not posted: {problem!r}")
                continue
            if order.fault or any(one.fault for one in to):
                found.append(f"fails at the provider: {order.fault} {[one.fault for one in to]}")
            read += [
                (one.msisdn, one.text, message_text.segments(one.text, unicode=order.unicode)) for one in to
            ]
        expected = [
            (
                one.msisdn,
                one.text or f"Hello {one.substitutions['first_name']}",
                one.segments if one.text else None,
            )
            for one in messages
        ]
        told = [
            (number, words, count if one[2] else None)
            for (number, words, count), one in zip(read, expected, strict=False)
        ]
        return found if found or told == expected else [f"received {told}, created {expected}"]


def _shows(shown: str, text: str) -> bool:
    """The same, but for stars in the place of digits of the recipient's own number."""
    pairs = zip(shown, text, strict=False)
    return len(shown) == len(text) and all(
        one == other or (one == "*" and other.isdigit()) for one, other in pairs
    )


def _compared(seen: dict[str, Any], plan: dict[str, Any], send: Send) -> list[str]:
    messages, rejects = list(send.messages.all()), list(send.rejects.all())
    total = sum(one.segments for one in messages)
    known = all(one.text for one in messages)
    span = plan["segments_range"]
    pairs = [
        ("recipients", seen["recipients"], plan["recipient_count"], len(messages), send.recipients),
        ("rejected", seen["rejected"], plan["rejected"], len(rejects), send.rejected),
    ]
    if known:
        pairs += [
            ("messages", seen["messages"], plan["recipient_count"]),
            ("segments", seen["segments"], [span["least"], span["most"]]),
            ("total", plan["segments"]["total"], total),
        ]
    found = [f"{name}: {values}" for name, *values in pairs if any(one != values[0] for one in values)]
    phone, host = seen["phone"], str(send.link_domain) if send.shortens else ""
    if known and phone is not None:
        shown = "".join(bit.shown for bit in phone.bits if bit.kind != "break")
        made = {one.row: shortened(one.text, host)[0] for one in messages}
        reasons = {one.row: one.reason for one in rejects}
        if phone.row in made and (phone.refused or not _shows(shown, made[phone.row])):
            found.append(f"row {phone.row} shows {shown!r}, created {made[phone.row]!r}")
        if phone.row not in made and reasons.get(phone.row) != phone.refused:
            found.append(f"row {phone.row} says {phone.refused!r}, rejected as {reasons.get(phone.row)!r}")
    return found
