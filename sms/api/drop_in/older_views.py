"""The addresses of the provider's older send APIs: the views of `/v2/messages`, in other dialects."""

from typing import Any

from django.http import HttpRequest
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view

from sms.api.authentication import KeyOrJwtAuthentication, token_of
from sms.api.drop_in.messaging_v1 import MESSAGING_V1
from sms.api.drop_in.sms_v1 import SMS_V1
from sms.api.drop_in.views import MessagesView, MessageView
from sms.api.idempotency import HEADER
from sms.api.v1.schema import SCHEMAS, header

TAGS = ["webex connect"]
REFUSED = OpenApiResponse(SCHEMAS["v2_refusal"], description="The provider's code and words.")
SMS_V1_REFUSALS = {
    "4XX": REFUSED,
    404: OpenApiResponse(description="No such message. No body."),
    503: OpenApiResponse(SCHEMAS["v2_refusal"], description="Try again after Retry-After."),
}
MESSAGING_V1_REFUSALS = {
    "4XX": OpenApiResponse(
        SCHEMAS["messaging_v1_reply"], description="No such transaction, or no such use of Idempotency-Key."
    ),
    503: OpenApiResponse(SCHEMAS["messaging_v1_reply"], description="Try again after Retry-After."),
}


class BareKeyAuthentication(KeyOrJwtAuthentication):
    """Also `Authorization: <API key>`, without a scheme."""

    def token_of(self, request: HttpRequest) -> str:
        written = str(request.META.get("HTTP_AUTHORIZATION", "")).strip()
        return written if written and " " not in written else token_of(request)


def _sends(name: str, **about: Any) -> Any:
    given = [header(HEADER, "Ours: the same request with the same key gets the same answer.")]
    return extend_schema_view(post=extend_schema(operation_id=name, parameters=given, tags=TAGS, **about))


def _reads(name: str, **about: Any) -> Any:
    return extend_schema_view(get=extend_schema(operation_id=name, tags=TAGS, **about))


@_sends(
    "sms_v1_send",
    summary="Send as through Webex Connect's Send SMS API v1",
    description="202 with the messageId, once the send is committed. Webex Connect recommends /v2/messages.",
    request={"application/json": SCHEMAS["sms_v1_body"]},
    responses={202: SCHEMAS["sms_v1_reply"]} | SMS_V1_REFUSALS,
)
class SmsV1MessagesView(MessagesView):
    authentication_classes = (BareKeyAuthentication,)
    dialect = SMS_V1


@_reads(
    "sms_v1_read",
    summary="Read a message of the Send SMS API v1",
    description="200, or 404 without a body. The whole number needs the scope `numbers`, its text `texts`.",
    responses={200: SCHEMAS["sms_v1_message"]} | SMS_V1_REFUSALS,
)
class SmsV1MessageView(MessageView):
    authentication_classes = (BareKeyAuthentication,)
    dialect = SMS_V1


@_sends(
    "messaging_v1_send",
    summary="Send as through Webex Connect's Send Message API v1",
    description="200 for what was accepted and for what was refused: the code says which. 1001 is accepted.",
    request={"application/json": SCHEMAS["messaging_v1_body"]},
    responses={200: SCHEMAS["messaging_v1_reply"]} | MESSAGING_V1_REFUSALS,
)
class MessagingV1View(MessagesView):
    dialect = MESSAGING_V1


@_reads(
    "messaging_v1_read",
    summary="Read a transaction of the Send Message API v1",
    description="200 with a list of one, or 404 with the code 7600. The whole number needs the scope `numbers`.",
    responses={200: {"oneOf": [SCHEMAS["messaging_v1_message"], SCHEMAS["messaging_v1_reply"]]}}
    | MESSAGING_V1_REFUSALS,
)
class MessagingV1StatusView(MessageView):
    dialect = MESSAGING_V1
