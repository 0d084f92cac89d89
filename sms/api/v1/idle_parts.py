"""Parts of a request that nothing would come of: refused by name, so that nobody waits for what they asked for. Called by `resource`."""

from collections.abc import Iterator

from django.http import QueryDict
from rest_framework.request import Request

from sms.api.v1.problems import invalid
from sms.values.problems import Problem, ProblemCode

READING = ("GET", "HEAD")
BODY_NOT_TAKEN = (
    "textdesk.body_not_taken"  # in what the front hands over: the length of a body that it dropped
)
# What would change the meaning of a request, and never does here. If-None-Match of a read is honoured.
_IDLE = {
    "If-Unmodified-Since": "Things are compared by their ETag. Send it as If-Match.",
    "If-Range": "Nothing is sent in ranges. Leave it out.",
    "X-HTTP-Method-Override": "Use the method itself.",
    "X-HTTP-Method": "Use the method itself.",
    "X-Method-Override": "Use the method itself.",
}


def refuse_idle(request: Request, *, matches: bool) -> None:
    """`matches`: whether this operation looks at If-Match. Raises ApiProblem."""
    headers, reading = request.headers, request.method in READING
    for name, says in _IDLE.items():
        if name in headers:
            raise _idle(name, says)
    if not matches and headers.get("If-Match", "*").strip() != "*":
        raise _idle("If-Match", "This address does not compare ETags. Leave it out.")
    if not reading and "If-None-Match" in headers:
        raise _idle(
            "If-None-Match", "Only a read is answered by it. To change what you have read, send If-Match."
        )
    if request.method in (*READING, "DELETE") and has_body(request):
        raise _idle("body", f"A {request.method} takes no body. Write parameters into the address.")


def has_body(request: Request) -> bool:
    """The front takes the length of a body away where a method has none, and says that there was one."""
    length = request.META.get("CONTENT_LENGTH") or request.META.get(BODY_NOT_TAKEN) or "0"
    return str(length) != "0"


def repeated_in(form: QueryDict, lists: set[str]) -> Iterator[Problem]:
    """Fields of a form that came more than once, of which all but the last would be lost."""
    for name in form:
        if name not in lists and (count := len(form.getlist(name))) > 1:
            says = f"It is given {count} times, and one value is expected. Leave the others out."
            yield Problem(ProblemCode.ONLY_ONE, name[:60], says)


def _idle(name: str, says: str) -> Exception:
    return invalid(name, says, code=ProblemCode.NEEDS_ANOTHER)
