"""What can be done with several sends: cancel them, label them, export their reports."""

from collections.abc import Iterator, Sequence

from sms.compose import labels
from sms.models import OVER, Actor, ReportedSend, Send, SendState
from sms.sends.bulk.row import RowOutlook
from sms.sends.cancel import cancel
from sms.sends.progress import progress_of_page

MOST_ROWS = 100_000  # of all reports in one archive


def plural(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def would_cancel(sends: Sequence[Send], _given: str) -> Iterator[RowOutlook]:
    for one in progress_of_page(sends):
        send = one.send
        if send.state == SendState.CANCELLED:
            does, says = False, "It is cancelled already."
        elif send.state in OVER:
            does, says = False, "All of it was sent already, so nothing is left to cancel."
        elif not one.waiting:
            does, says = False, "All of it is handed over already, so nothing is left to cancel."
        else:
            does, says = True, f"{plural(one.waiting, 'message')} will not be sent."
            if one.posted > 0:
                says = f"{says} {plural(one.posted, 'message')} {'was' if one.posted == 1 else 'were'} posted already."
            if send.state == SendState.AWAITING:
                says = f"{says} Its request for approval is withdrawn."
        yield RowOutlook(send.pk, send.name, does, says, send)


def cancel_one(send: Send, _given: str, *, by: Actor) -> tuple[bool, str]:
    stopped = cancel(send, by=by)
    if stopped:
        return True, f"Cancelled: {plural(stopped, 'message')} will not be sent."
    return False, "Nothing was left to cancel."


def would_label(sends: Sequence[Send], given: str) -> Iterator[RowOutlook]:
    words = labels.normalized_set(labels.split(given))
    counted = set(ReportedSend.objects.filter(pk__in=[one.pk for one in sends]).values_list("pk", flat=True))
    for send in sends:
        has = {one.word for one in send.labels.all()}
        new = [word for word in words if word not in has]
        if not new:
            does, says = (
                False,
                "It has this label already." if len(words) == 1 else "It has these labels already.",
            )
        elif len(has) + len(new) > labels.MOST:
            does, says = False, f"It would have {len(has) + len(new)} labels; a send takes {labels.MOST}."
        else:
            does, says = True, f"Gets {', '.join(new)}."
            if send.pk in counted:
                says = f"{says} Reports count it under the labels that it had before."
        yield RowOutlook(send.pk, send.name, does, says, send)


def label_one(send: Send, given: str, *, by: Actor) -> tuple[bool, str]:
    try:
        added = labels.add(send, labels.split(given), by=by)
    except labels.BadLabel as problem:
        return False, str(problem)
    return bool(added), f"Got {', '.join(added)}." if added else "It had the labels already."


def would_export(sends: Sequence[Send], _given: str) -> Iterator[RowOutlook]:
    room = MOST_ROWS
    for send in sends:
        rows = send.recipients + send.rejected
        if not rows:
            does, says = False, "It has no rows."
        elif rows > room:
            does, says = (
                False,
                (
                    f"Its {plural(rows, 'row')} are too many beside the others: one file takes {MOST_ROWS:,} in all. "
                    "Take its report from its own page."
                ),
            )
        else:
            does, says, room = True, f"A report of {plural(rows, 'row')}.", room - rows
        yield RowOutlook(send.pk, send.name, does, says, send)
