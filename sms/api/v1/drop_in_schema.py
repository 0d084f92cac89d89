"""What the OpenAPI document says of `/v2/messages`: the provider's own shapes. Imported once, by the addresses."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view

from sms.api.drop_in.views import MessagesView, MessageView

BODY: dict[str, Any] = {
    "type": "object",
    "description": "As Webex Connect's Send Message API takes it.",
    "required": ["channel", "from", "to"],
    "properties": {
        "channel": {"type": "string", "enum": ["sms"]},
        "from": {"type": "string"},
        "to": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1000,
            "items": {
                "type": "object",
                "properties": {
                    "msisdn": {"type": "array", "items": {"type": "string"}},
                    "correlationId": {"type": "string"},
                    "substitutions": {"type": "object"},
                },
            },
        },
        "content": {
            "type": "object",
            "properties": {"type": {"type": "string"}, "text": {"type": "string"}},
        },
    },
}
REPLY: dict[str, Any] = {
    "type": "object",
    "properties": {
        "requestTimestamp": {"type": "string"},
        "messageId": {"type": "string"},
        "correlationId": {"type": "string"},
        "status": {"type": "string"},
    },
}
REFUSAL: dict[str, Any] = {
    "type": "object",
    "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
}
ERRORS = {
    401: OpenApiResponse(description="No such key, or it is not usable. No body."),
    404: OpenApiResponse(description="No such message. No body."),
    "4XX": OpenApiResponse(REFUSAL, description="The provider's code and words."),
    503: OpenApiResponse(description="Try again after Retry-After."),
}

extend_schema_view(
    post=extend_schema(
        operation_id="v2_send",
        tags=["webex connect"],
        summary="Send as through Webex Connect",
        parameters=[
            OpenApiParameter(
                "Idempotency-Key",
                str,
                OpenApiParameter.HEADER,
                description="Ours: the same request with the same key gets the same answer.",
            )
        ],
        request={"application/json": BODY},
        responses={201: REPLY} | ERRORS,
    )
)(MessagesView)
extend_schema_view(
    get=extend_schema(
        operation_id="v2_read",
        tags=["webex connect"],
        summary="Read the state of a message",
        responses={200: {"type": "object"}} | ERRORS,
    )
)(MessageView)
