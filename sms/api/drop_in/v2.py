"""`/v2/messages`, Webex Connect's Send Message API v2: the dialect that the other two are turned into."""

from django.http import HttpResponse

from sms.api.drop_in import replies
from sms.api.drop_in.body import DropInRequest
from sms.api.drop_in.dialect import JSON, Dialect
from sms.api.drop_in.errors import DropInRefused
from sms.api.drop_in.fields import Block

BODILESS = (401, 404, 405, 503)  # unless they are about something by name


def as_v2(data: Block) -> Block:
    return data


def _accepted(made: replies.AcceptedRequest, asked: DropInRequest) -> HttpResponse:
    said = replies.accepted(made, asked.destinations[0].correlation_id)
    return HttpResponse(said, status=201, content_type=JSON)


def _answer(refused: DropInRefused) -> HttpResponse:
    if refused.status in BODILESS and not refused.name:
        return HttpResponse(status=refused.status)
    return HttpResponse(refused.body(), status=refused.status, content_type=JSON)


V2 = Dialect(as_v2=as_v2, accepted=_accepted, shown=replies.shown, answer=_answer, names_unused=True)
