"""Bytes as they came from outside: receipts, incoming SMS, stored answers of the API. Shortened or emptied where they name the number."""

from django.db import transaction
from django.db.models import Q

from sms.compliance.erasure.naming import Subject, ids_naming, windows
from sms.compliance.personal_columns import rows_of
from sms.compliance.retention.messages import shorten
from sms.models import Callback, IdempotentAnswer, InboundMessage, Receipt, RefusedPost
from sms.models.sql.update_rows import exchange


def erase_receipts(subject: Subject) -> int:
    """Receipts that name it: of its messages, unmatched, in quarantine."""
    done = 0
    for rows in windows(rows_of(Receipt, subject.service)):
        with transaction.atomic():
            if ids := ids_naming(rows, "raw", subject):
                done += shorten(Receipt.objects.filter(pk__in=ids))
                stubborn = ids_naming(Receipt.objects.filter(pk__in=ids), "raw", subject)
                exchange(Receipt, "raw", [(pk, b"") for pk in stubborn])
        subject.rest()
    return done


def left_in_receipts(subject: Subject) -> int:
    found = 0
    for rows in windows(rows_of(Receipt, subject.service)):
        found += len(ids_naming(rows, "raw", subject))
        subject.rest()
    return found


def erase_inbound(subject: Subject) -> int:
    """SMS from the person: that there was one stays, and what it asked for. Others' SMS that name the number lose their bytes."""
    rows = InboundMessage.objects.filter(service=subject.service)
    done = rows.filter(msisdn__in=subject.forms).update(msisdn="", raw=b"", text="", reason="")
    saying = {*ids_naming(rows, "raw", subject), *ids_naming(rows, "text", subject)}
    done += rows.filter(pk__in=saying, msisdn="").update(raw=b"", text="", reason="")
    # the text itself is cleaned with every other text
    return done + rows.filter(pk__in=saying).exclude(msisdn="").update(raw=b"")


def left_in_inbound(subject: Subject) -> int:
    rows = InboundMessage.objects.filter(service=subject.service)
    return rows.filter(msisdn__in=subject.forms).count() + len(ids_naming(rows, "raw", subject))


def refused_posts(subject: Subject) -> list[int]:
    """Posts that were refused: those of the service, and those of which nothing shows whose they are."""
    rows = RefusedPost.objects.filter(Q(service=subject.service) | Q(service=None))
    return ids_naming(rows, "raw", subject)


def erase_refused(subject: Subject) -> int:
    """They changed nothing, so they go as a whole."""
    return RefusedPost.objects.filter(pk__in=refused_posts(subject)).delete()[0]


def erase_callbacks(subject: Subject) -> int:
    """Callbacks that were delivered or given up go; those that wait lose the number with every other text."""
    rows = Callback.objects.filter(pk__in=callbacks(subject))
    return rows.exclude(state=Callback.State.WAITING).delete()[0]


def callbacks(subject: Subject) -> list[int]:
    rows = Callback.objects.filter(endpoint__service=subject.service)
    return ids_naming(rows, "body", subject)


def answers(subject: Subject) -> set[int]:
    rows = IdempotentAnswer.objects.filter(service=subject.service)
    return {pk for name in ("body", "key", "headers") for pk in ids_naming(rows, name, subject)}


def erase_answers(subject: Subject) -> int:
    """Stored answers that name it go: without its body an answer is none."""
    return IdempotentAnswer.objects.filter(pk__in=answers(subject)).delete()[0]
