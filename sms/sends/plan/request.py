"""The request for one row: byte for byte what dispatch would post, but for its correlation id and the secret receipt address."""

import json

from django.utils.translation import gettext, gettext_noop

from sms.compose import checks
from sms.compose.errors import ComposeError
from sms.compose.order import ComposedMessage
from sms.compose.resolved_order import ResolvedOrder, request_fields
from sms.compose.survey import Survey
from sms.dispatch.claim import ClaimedMessage
from sms.dispatch.request import body_of, template_of
from sms.models import Send
from sms.values import correlation_id
from sms.values.msisdn import mask
from sms.values.msisdn.mention import starred
from sms.values.problems import Problem, ProblemCode
from sms.webex.rules import WireError
from sms.words import number

LATER = gettext_noop("(made when it is sent)")
HIDDEN = "…"


def body(
    order: ResolvedOrder,
    line: ComposedMessage,
    *,
    public_url: str,
    masked: bool = False,
    wordless: bool = False,
) -> str:
    """JSON; `{"impossible": …}` where the provider's rules forbid it."""
    send = Send(**request_fields(order))
    words, values = line.text, line.substitutions
    if masked:
        number = line.msisdn
        words, values = starred(words, number), {name: starred(one, number) for name, one in values.items()}
    if wordless:
        words, values = HIDDEN if words else words, dict.fromkeys(values, HIDDEN)
    waiting = ClaimedMessage(0, line.msisdn, words, values, 0, line.zone)
    try:
        written = body_of([waiting], template_of(send, public_url=public_url)).decode()
    except WireError as problem:
        return json.dumps({"impossible": str(problem)})
    if masked:
        plain = json.dumps(line.msisdn if order.service.e164_plus else line.msisdn.lstrip("+"))
        written = written.replace(f'"msisdn":[{plain}]', f'"msisdn":["{mask(line.msisdn)}"]')
    return marked(written, message_id=0, attempt=1, order=order)


def marked(written: str, *, message_id: int, attempt: int, order: ResolvedOrder) -> str:
    """A body with its correlation id and the token of its receipt address blanked out."""
    own = correlation_id.write(message_id=message_id, attempt=attempt, key=order.service.correlation_key)
    later = json.dumps(gettext(LATER), ensure_ascii=False)[1:-1]
    return written.replace(own, later).replace(f"/{order.service.receipt_token}/", f"/{HIDDEN}/")


def line_of(order: ResolvedOrder, figures: Survey, row: int | None) -> ComposedMessage:
    """The message of a row, by default the first; raises ComposeError naming `row`."""
    if row is None:
        return figures.head[0]
    if (line := checks.line_of(order, row)) is not None:
        return line
    says = gettext("Row %(row)s gets no message. Choose a row that is not rejected.") % {"row": number(row)}
    raise ComposeError([Problem(ProblemCode.NO_SUCH_ROW, "row", says, row)])
