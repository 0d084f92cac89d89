"""Mail that came back: reports of mail servers (RFC 3464) about mails of ours, read from one message.

A report counts only for a mail that names itself as ours (`sms.notices.message_ids`): anybody can write to the address that bounces go to.
"""

from collections.abc import Iterator
from datetime import datetime
from email import message_from_bytes
from email.message import Message
from enum import StrEnum
from typing import Any

from django.contrib.auth import get_user_model

from sms.notices import refusals
from sms.notices.message_ids import person_of


class Bounce(StrEnum):
    """What a message was taken for."""

    NOTED = "noted"
    DELAYED = "delayed"  # the mail server goes on trying, or a later mail may arrive
    OF_ANOTHER = "of_another"  # a mail that we did not send, or to an address that the person has no more
    NO_REPORT = "no_report"


def take(raw: bytes, *, now: datetime) -> Bounce:
    """Note at the person that mail to them came back. Whatever else it is, also what cannot be read, raises nothing: a mail that does
    would be in the way of those behind it, and everybody can write one."""
    try:
        return _taken(raw, now=now)
    # parts within parts, and what no mail server writes
    except (RecursionError, LookupError, ValueError):
        return Bounce.NO_REPORT


def _taken(raw: bytes, *, now: datetime) -> Bounce:
    # headers as they are written: the policy that takes them apart breaks at some that are malformed
    report: Any = message_from_bytes(raw)
    if report.get_content_type() != "multipart/report":
        return Bounce.NO_REPORT
    failures = list(_recipients(report))
    if not failures:
        return Bounce.NO_REPORT
    person = get_user_model()._default_manager.filter(pk=_whose(report) or 0, is_active=True).first()
    if person is None:
        return Bounce.OF_ANOTHER
    mine = [one for one in failures if _address(one).lower() == person.email.lower()]
    if not mine:
        return Bounce.OF_ANOTHER
    last = mine[-1]
    if not (_word(last, "Action") == "failed" and _word(last, "Status").startswith("5")):
        return Bounce.DELAYED
    said = _after_type(last, "Diagnostic-Code") or f"status {_word(last, 'Status')}"
    refusals.note(person, person.email, said, now=now)
    return Bounce.NOTED


def _recipients(report: Message) -> Iterator[Message]:
    """The groups of the report that are about a recipient."""
    for part in report.walk():
        if part.get_content_type() == "message/delivery-status" and part.is_multipart():
            groups: Any = part.get_payload()
            yield from (group for group in groups if group["Final-Recipient"])


def _whose(report: Message) -> int | None:
    """The person whose mail is quoted, whole or by its headers."""
    for part in report.walk():
        quoted: Any = None
        if part.get_content_type() == "message/rfc822" and part.is_multipart():
            quoted = part.get_payload(0)
        elif part.get_content_type() == "text/rfc822-headers":
            quoted = message_from_bytes(part.get_payload(decode=True) or b"")  # type: ignore[arg-type]
        if quoted is not None and (person := person_of(str(quoted["Message-ID"] or ""))):
            return person
    return None


def _word(group: Message, name: str) -> str:
    return str(group[name] or "").strip().lower()


def _after_type(group: Message, name: str) -> str:
    """`smtp; 550 No such user` → `550 No such user`."""
    return str(group[name] or "").partition(";")[2].strip()


def _address(group: Message) -> str:
    return _after_type(group, "Final-Recipient").strip("<>")
