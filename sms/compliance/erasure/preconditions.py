"""What keeps a number from being erased now, with the way out. Nothing that is on its way to recipients is changed.

Asked before an erasure begins, and once more at its end: what began in between is waited for, and then everything is erased again.
"""

from django.utils.translation import gettext_noop

from sms.compliance.erasure import ledger
from sms.compliance.erasure.naming import Subject, ids_naming
from sms.models import UNFINISHED, Draft, InboundMessage, Message, Preparation, Send
from sms.words import KeptSentence

_UNDER_WAY = {
    Preparation.Kind.READ: gettext_noop(
        "The rows of a file are being read. "
        "The number is erased as soon as that is done; stop it where it should not be waited for."
    ),
    Preparation.Kind.EXPAND: gettext_noop(
        "The messages of a large send are being written. "
        "The number is erased as soon as that is done; stop it where it should not be waited for."
    ),
}
# as they are kept with the erasure
OWED = gettext_noop(
    "The answer of a keyword to this number is about to be sent. The number is erased as soon as that is done."
)
OPEN_ONE = gettext_noop(
    "1 message to this number is waiting, under way or not confirmed. "
    "Stop the send, settle what is not confirmed, or wait: it is erased as soon as they have ended."
)
OPEN_MANY = KeptSentence(
    gettext_noop(
        "%(messages)s messages to this number are waiting, under way or not confirmed. "
        "Stop the send, settle what is not confirmed, or wait: it is erased as soon as they have ended."
    )
)
HELD_ONE = gettext_noop(
    "1 send to this number is kept by an admin. Let the days count again on the send's page, and it is erased."
)
HELD_MANY = KeptSentence(
    gettext_noop(
        "%(sends)s sends to this number are kept by an admin. "
        "Let the days count again on the send's page, and it is erased."
    )
)
SAID_BY_ONE = gettext_noop(
    "The number stands in what a send to others will say. "
    "Stop what should not go out, or wait: it is erased as soon as everything has been posted."
)
SAID_BY_MANY = KeptSentence(
    gettext_noop(
        "The number stands in what %(sends)s sends to others will say. "
        "Stop what should not go out, or wait: it is erased as soon as everything has been posted."
    )
)
SAID_AGAIN_BY_ONE = gettext_noop(
    "The number stands in what a recurring send says. "
    "Change the text from here on, or end what should not go on; then the number is erased."
)
SAID_AGAIN_BY_MANY = KeptSentence(
    gettext_noop(
        "The number stands in what %(sends)s recurring sends say. "
        "Change the text from here on, or end what should not go on; then the number is erased."
    )
)


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
    return _UNDER_WAY[Preparation.Kind(kind)]


def _owed(subject: Subject) -> str:
    """A message would be made after messages were erased."""
    rows = InboundMessage.objects.filter(service=subject.service, answer_due=True)
    if not rows.filter(msisdn__in=subject.forms).exists():
        return ""
    return OWED


def _open(subject: Subject) -> str:
    open_ = ledger.messages(subject).filter(ledger.ON_ITS_WAY).count()
    if not open_:
        return ""
    return OPEN_ONE if open_ == 1 else OPEN_MANY(messages=f"{open_:,}")


def _held(subject: Subject) -> str:
    held = ledger.held(subject)
    if not held:
        return ""
    return HELD_ONE if held == 1 else HELD_MANY(sends=f"{held:,}")


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
    return SAID_BY_ONE if len(sends) == 1 else SAID_BY_MANY(sends=f"{len(sends):,}")


def _said_again_and_again(subject: Subject) -> str:
    """Recurring sends that say the number: their text is of an approval, and people change it."""
    personal = Draft.personal
    going_on = Draft.objects.filter(personal.fixed_while, service=subject.service).order_by()
    found = {pk for name in personal.fixed for pk in ids_naming(going_on, name, subject)}
    if not found:
        return ""
    return SAID_AGAIN_BY_ONE if len(found) == 1 else SAID_AGAIN_BY_MANY(sends=f"{len(found):,}")
