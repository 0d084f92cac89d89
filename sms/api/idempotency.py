"""`Idempotency-Key`: the same request made again gets the same answer, and makes nothing.

The answer is stored in the transaction of what it reports, and sealed where it shows a secret: a client whose connection broke gets it
again. Only successes are: a refused request made nothing, so it may be corrected and
sent again under its key.
"""

import hashlib
import re
from collections.abc import Callable
from contextlib import suppress

import msgspec
from django.db import Error, transaction
from django.http import HttpRequest, HttpResponse

from sms.models import ApiKey
from sms.models.idempotency import IdempotentAnswer
from sms.models.sql.trouble import waited_in_vain

HEADER = "Idempotency-Key"
WRITTEN = re.compile(r"[!-~]{1,255}")


class BadKey(ValueError):
    """400: the header is no key."""


class OtherBody(ValueError):
    """422: the key was used with another body."""


class UnderWay(RuntimeError):
    """409, Retry-After: 1. The first request with this key is taking long."""


def key_of(request: HttpRequest) -> str:
    """The key that came, empty where none did; raises BadKey."""
    key = str(request.headers.get(HEADER, ""))
    if key and not WRITTEN.fullmatch(key):
        raise BadKey(f"{HEADER} is 1 to 255 letters, digits and signs, without spaces.")
    return key


def fingerprint_of(request: HttpRequest, body: bytes, *, by: ApiKey) -> str:
    """JSON by its meaning: a repeat may write its keys in another order, as the maps of several languages do, or with other spaces.

    A key of the name that sees more or less than the first one would have got another answer, so its request is another one.
    """
    with suppress(msgspec.DecodeError):
        body = msgspec.json.encode(msgspec.json.decode(body), order="sorted")
    about = f"{request.method} {request.get_full_path()} {by.sees}\n".encode()
    return hashlib.sha256(about + body).hexdigest()


def once(key: str, *, by: ApiKey, fingerprint: str, act: Callable[[], HttpResponse]) -> HttpResponse:
    """`act`'s answer in one transaction with what it does, or the answer that was given before. Without a key it just acts.

    Raises OtherBody and UnderWay, and whatever `act` raises, which leaves nothing behind.
    """
    try:
        with transaction.atomic():
            if not key:
                return act()
            claimed = 0
            for _ in range(2):  # a second time where what was there went away in between
                claimed = IdempotentAnswer.claim(
                    by.service_id, owner=str(by.identity), key=key, fingerprint=fingerprint
                )
                if claimed:
                    break
                if before := kept(key, by=by, fingerprint=fingerprint):
                    return before
            if not claimed:
                raise UnderWay
            answer = act()
            if answer.status_code < 300:
                IdempotentAnswer.keep(
                    claimed, status=answer.status_code, headers=dict(answer.headers), body=answer.content
                )
            else:
                transaction.set_rollback(True)
            return answer
    except Error as problem:
        if key and waited_in_vain(problem):
            raise UnderWay from None
        raise


def kept(key: str, *, by: ApiKey, fingerprint: str) -> HttpResponse | None:
    """What was answered before, for acts that cannot run inside a transaction; raises OtherBody."""
    rows = IdempotentAnswer.objects.filter(service_id=by.service_id, owner=str(by.identity), key=key)
    found = rows.first() if key else None
    if found is None:
        return None
    if found.fingerprint != fingerprint:
        says = (
            "This Idempotency-Key was used with another request, or by a key of your name with other scopes. "
            "Use a new key for a new request."
        )
        raise OtherBody(says)
    headers = found.headers | {"Idempotent-Replayed": "true"}
    return HttpResponse(found.answered, status=found.status, headers=headers)
