"""How a view lets its caller wait without a thread: the front asks it again in a while (`portal.web.asking_again`).

Where there is no front, nobody waits.
"""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponseBase

BEFORE = "textdesk.asked_before"  # in the environ of a request that is asked again
AGAIN_UNTIL, AGAIN_FROM, AGAIN_OF = (
    "Ask-Again-Until",
    "Ask-Again-From",
    "Ask-Again-Of",
)  # of an answer, to the front alone


@dataclass(frozen=True, slots=True)
class AskedBefore:
    """How many seconds ago a request was asked first, and what the view wanted to know when it is asked again."""

    seconds: float = 0.0
    remembered: str = ""


def asked_before(request: HttpRequest) -> AskedBefore:
    found = request.META.get(BEFORE)
    return found if isinstance(found, AskedBefore) else AskedBefore()


def ask_again(answer: HttpResponseBase, *, until: float, remember: str, of: str) -> None:
    """It is the answer where nobody may wait; `until` counts seconds from when it was first asked, `of` says whose it is."""
    answer.headers[AGAIN_UNTIL], answer.headers[AGAIN_FROM] = str(until), remember
    answer.headers[AGAIN_OF] = of
