"""What can be done with several sends: cancel them, label them, export their reports."""

from collections.abc import Iterator, Sequence

from django.utils.translation import gettext, gettext_noop, ngettext

from sms.compose import labels
from sms.models import OVER, Actor, ReportedSend, Send, SendState
from sms.sends.bulk.row import GOT_LABELS, HAD_LABELS, HAS_LABEL, HAS_LABELS, TOO_MANY_LABELS, RowOutlook
from sms.sends.cancel import cancel
from sms.sends.progress import Progress, progress_of_page
from sms.words import KeptSentence, number

MOST_ROWS = 100_000  # of all reports in one archive

# what became of one, as it is kept
CANCELLED_ALREADY = gettext_noop("It is cancelled already.")
SENT_ALREADY = gettext_noop("All of it was sent already, so nothing is left to cancel.")
HANDED_OVER = gettext_noop("All of it is handed over already, so nothing is left to cancel.")
NOTHING_LEFT = gettext_noop("Nothing was left to cancel.")
CANCELLED_ONE = KeptSentence(gettext_noop("Cancelled: 1 message will not be sent."))
CANCELLED_MANY = KeptSentence(gettext_noop("Cancelled: %(messages)s messages will not be sent."))
NO_ROWS = gettext_noop("It has no rows.")
TOO_MANY_ROWS = KeptSentence(
    gettext_noop(
        "Its %(rows)s rows are too many beside the others: one file takes %(most)s in all. "
        "Take its report from its own page."
    )
)
ONE_TOO_MANY = KeptSentence(
    gettext_noop(
        "Its 1 row is too many beside the others: one file takes %(most)s in all. "
        "Take its report from its own page."
    )
)
REPORT_OF_ONE = gettext_noop("A report of 1 row.")
REPORT_OF_MANY = KeptSentence(gettext_noop("A report of %(rows)s rows."))


def would_cancel(sends: Sequence[Send], _given: str) -> Iterator[RowOutlook]:
    for one in progress_of_page(sends):
        send = one.send
        if send.state == SendState.CANCELLED:
            does, says = False, CANCELLED_ALREADY
        elif send.state in OVER:
            does, says = False, SENT_ALREADY
        elif not one.waiting:
            does, says = False, HANDED_OVER
        else:
            does, says = True, " ".join(_would_stop(one))
        yield RowOutlook(send.pk, send.name, does, says, send)


def _would_stop(progress: Progress) -> Iterator[str]:
    waiting, posted = progress.waiting, progress.posted
    says = ngettext("%(n)s message will not be sent.", "%(n)s messages will not be sent.", waiting)
    yield says % {"n": number(waiting)}
    if posted > 0:
        says = ngettext("%(n)s message was posted already.", "%(n)s messages were posted already.", posted)
        yield says % {"n": number(posted)}
    if progress.send.state == SendState.AWAITING:
        yield gettext("Its request for approval is withdrawn.")


def cancel_one(send: Send, _given: str, *, by: Actor) -> tuple[bool, str]:
    stopped = cancel(send, by=by)
    if stopped:
        return True, CANCELLED_ONE() if stopped == 1 else CANCELLED_MANY(messages=f"{stopped:,}")
    return False, NOTHING_LEFT


def would_label(sends: Sequence[Send], given: str) -> Iterator[RowOutlook]:
    words = labels.normalized_set(labels.split(given))
    counted = set(ReportedSend.objects.filter(pk__in=[one.pk for one in sends]).values_list("pk", flat=True))
    for send in sends:
        has = {one.word for one in send.labels.all()}
        new = [word for word in words if word not in has]
        if not new:
            does, says = False, HAS_LABEL if len(words) == 1 else HAS_LABELS
        elif len(has) + len(new) > labels.MOST:
            does, says = False, TOO_MANY_LABELS(labels=len(has) + len(new), most=labels.MOST)
        else:
            does, says = True, gettext("Gets %(labels)s.") % {"labels": ", ".join(new)}
            if send.pk in counted:
                as_before = gettext("Reports count it under the labels that it had before.")
                says = f"{says} {as_before}"
        yield RowOutlook(send.pk, send.name, does, says, send)


def label_one(send: Send, given: str, *, by: Actor) -> tuple[bool, str]:
    try:
        added = labels.add(send, labels.split(given), by=by)
    except labels.BadLabel as problem:
        return False, str(problem)
    return bool(added), GOT_LABELS(labels=", ".join(added)) if added else HAD_LABELS


def would_export(sends: Sequence[Send], _given: str) -> Iterator[RowOutlook]:
    room = MOST_ROWS
    for send in sends:
        rows = send.recipients + send.rejected
        if not rows:
            does, says = False, NO_ROWS
        elif rows > room:
            too_many = ONE_TOO_MANY if rows == 1 else TOO_MANY_ROWS
            does, says = False, too_many(rows=f"{rows:,}", most=f"{MOST_ROWS:,}")
        else:
            says = REPORT_OF_ONE if rows == 1 else REPORT_OF_MANY(rows=f"{rows:,}")
            does, room = True, room - rows
        yield RowOutlook(send.pk, send.name, does, says, send)
