"""A person's own number, which tests of their drafts go to: it counts once they typed the code that was sent to it.

Codes are few, for each person and each number, so that nobody is written to again and again. Called by the page of own details.
"""

import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.access import services_of
from portal.models import NumberCode, User
from sms.catalogue import number_code
from sms.models import Actor, AuthKind, Service
from sms.models.audit import audit
from sms.values.msisdn import mask
from sms.values.problems import ProblemCode, ProblemError
from sms.words import number

HOLDS_FOR = timedelta(minutes=10)
DAY = timedelta(days=1)
TRIES = 5
CODES_OF_A_PERSON, CODES_TO_A_NUMBER = 5, 3  # within a day


class NumberError(ProblemError):
    """It cannot be done; the sentence says what to do. `field` is the form's."""


def send_code(user: User, wanted: str, *, by: Actor) -> None:
    """Send a fresh code; the number stays what it was until the code is typed. Raises NumberError."""
    now = timezone.now()
    service = _service_of(user)
    code = f"{secrets.randbelow(1_000_000):06d}"
    with transaction.atomic():
        User.objects.select_for_update(of=("self",)).get(pk=user.pk)  # presses at once count each other
        lately = NumberCode.objects.filter(sent_at__gt=now - DAY)
        NumberCode.objects.filter(sent_at__lte=now - DAY).delete()
        if lately.filter(user=user).count() >= CODES_OF_A_PERSON:
            says = _(
                "%(count)s codes were sent for you within a day, which is the most. Try again tomorrow."
            ) % {"count": number(CODES_OF_A_PERSON)}
            raise NumberError(ProblemCode.TOO_MANY, says, field="own_number")
        if lately.filter(number=wanted).count() >= CODES_TO_A_NUMBER:
            says = _(
                "%(count)s codes went to this number within a day, which is the most. Try again tomorrow."
            ) % {"count": number(CODES_TO_A_NUMBER)}
            raise NumberError(ProblemCode.TOO_MANY, says, field="own_number")
        sent = NumberCode.objects.create(
            user=user, number=wanted, digest=_digest(user, wanted, code), sent_at=now
        )
        audit("user.number_code_sent", user, by=by, number=mask(wanted), through=service.slug)
    try:
        number_code.post(service, wanted, code)
    except number_code.CodeNotSent as problem:
        sent.delete()
        raise NumberError(ProblemCode.NOT_USABLE, str(problem), field="own_number") from None


def pending(user: User) -> NumberCode | None:
    """The code that can be typed now."""
    latest = NumberCode.objects.filter(user=user).first()
    usable = latest is not None and latest.used_at is None and latest.tries < TRIES
    return latest if latest and usable and latest.sent_at > timezone.now() - HOLDS_FOR else None


def prove(user: User, code: str, *, by: Actor) -> str:
    """The number is theirs from now on. Raises NumberError; a wrong code counts."""
    with transaction.atomic():
        User.objects.select_for_update(of=("self",)).get(pk=user.pk)
        asked = pending(user)
        if asked is None:
            says = _(
                "No code is waited for: it holds for ten minutes and five tries. Type your number again for a new one."
            )
            raise NumberError(ProblemCode.NOT_USABLE, says, field="code")
        asked.tries += 1
        right = constant_time_compare(
            asked.digest, _digest(user, asked.number, code.strip().replace(" ", ""))
        )
        if right:
            asked.used_at = timezone.now()
            User.objects.filter(pk=user.pk).update(own_number=asked.number)
            audit("user.number_proved", user, by=by, number=mask(asked.number))
        asked.save(update_fields=["tries", "used_at"])
    if not right:
        left = TRIES - asked.tries
        more = ngettext("%(n)s try is left.", "%(n)s tries are left.", left) % {"n": number(left)}
        if not left:
            more = _("Type your number again for a new one.")
        says = " ".join((_("That is not the code."), more))
        raise NumberError(ProblemCode.INVALID, says, field="code")
    return asked.number


def _service_of(user: User) -> Service:
    """Through which the code goes: the first of the person's services that is connected, and has a sender."""
    found = services_of(user).filter(paused_at=None, senders__active=True).distinct().order_by("pk")
    for service in found:
        if service.connected or service.auth_kind == AuthKind.JWT:
            return service
    says = _(
        "None of your services can send a code now: one has to be connected, not paused, and have a sender. Ask an admin."
    )
    raise NumberError(ProblemCode.NOT_USABLE, says, field="own_number")


def _digest(user: User, number: str, code: str) -> str:
    return salted_hmac("portal.own_number", f"{user.pk}:{number}:{code}", algorithm="sha256").hexdigest()
