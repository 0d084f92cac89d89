"""What keeps a number from being erased now, with the way out. Nothing that is on its way to recipients is changed.

Asked before an erasure begins, and once more at its end: what began in between is waited for, and then everything is erased again.
"""

from sms.compliance.erasure import ledger
from sms.compliance.erasure.naming import Subject, ids_naming
from sms.models import UNFINISHED, Draft, InboundMessage, Message, Preparation, Send

_UNDER_WAY = {
    Preparation.Kind.READ: "The rows of a file are being read",
    Preparation.Kind.EXPAND: "The messages of a large send are being written",
}


def why_not(subject: Subject) -> str:
    """A sentence; empty where nothing keeps it."""
    return (
        _preparing(subject)
        or _owed(subject)
        or _open(subject)
        or _held(subject)
        or _said(subject)
        or _said_again_and_again(subject)
    )


def _preparing(subject: Subject) -> str:
    """Rows are counted from where the last block ended, so none may vanish in between; and a row that was just read would come back."""
    here = Preparation.objects.filter(service=subject.service, state=Preparation.State.WAITING)
    kind = here.filter(kind__in=_UNDER_WAY).order_by("pk").values_list("kind", flat=True).first()
    if kind is None:
        return ""
    return f"{_UNDER_WAY[Preparation.Kind(kind)]}. The number is erased as soon as that is done; stop it where it should not be waited for."


def _owed(subject: Subject) -> str:
    """A message would be made after messages were erased."""
    rows = InboundMessage.objects.filter(service=subject.service, answer_due=True)
    if not rows.filter(msisdn__in=subject.forms).exists():
        return ""
    return "The answer of a keyword to this number is about to be sent. The number is erased as soon as that is done."


def _open(subject: Subject) -> str:
    open_ = ledger.messages(subject).filter(ledger.ON_ITS_WAY).count()
    if not open_:
        return ""
    return (
        f"{open_:,} message{'' if open_ == 1 else 's'} to this number {'is' if open_ == 1 else 'are'} waiting, under way or not confirmed. "
        "Stop the send, settle what is not confirmed, or wait: it is erased as soon as they have ended."
    )


def _held(subject: Subject) -> str:
    held = ledger.held(subject)
    if not held:
        return ""
    return (
        f"{held:,} send{'' if held == 1 else 's'} to this number {'is' if held == 1 else 'are'} kept by an admin. "
        "Let the days count again on the send's page, and it is erased."
    )


def _said(subject: Subject) -> str:
    """Sends to others that say the number: a text must not change between its approval, or its plan, and its sending."""
    unfinished = Send.objects.filter(service=subject.service, state__in=UNFINISHED).order_by()
    sends = {pk for name in Send.personal.fixed for pk in ids_naming(unfinished, name, subject)}
    if not sends:
        personal = Message.personal
        unsent = Message.objects.filter(personal.fixed_while, send__service=subject.service).order_by()
        found = {pk for name in personal.fixed for pk in ids_naming(unsent, name, subject)}
        sends = set(Message.objects.filter(pk__in=found).values_list("send_id", flat=True))
    if not sends:
        return ""
    return (
        f"The number stands in what {'a send' if len(sends) == 1 else f'{len(sends):,} sends'} to others will say. "
        "Stop what should not go out, or wait: it is erased as soon as everything has been posted."
    )


def _said_again_and_again(subject: Subject) -> str:
    """Recurring sends that say the number: their text is of an approval, and people change it."""
    personal = Draft.personal
    going_on = Draft.objects.filter(personal.fixed_while, service=subject.service).order_by()
    found = {pk for name in personal.fixed for pk in ids_naming(going_on, name, subject)}
    if not found:
        return ""
    return (
        f"The number stands in what {'a recurring send says' if len(found) == 1 else f'{len(found):,} recurring sends say'}. "
        "Change the text from here on, or end what should not go on; then the number is erased."
    )
