"""Receipts as the provider writes them, and their way through the endpoint."""

import json

from django.test import Client

from sms.values import correlation_id
from tests.support.provider import Provider
from tests.support.sends import a_send


def receipt(correlation_id: str, *, code: str = "7500", status: str = "Delivered", **extra: object) -> bytes:
    info = {
        "timeStamp": "2026-03-02T09:15:07.412Z",
        "Description": status,
        "code": code,
        "messageCount": "1",
        "deliveryChannel": "SMS",
        "additionalInfo": "",
        "destination": "447710000000",
        "destinationType": "msisdn",
        "deliveryStatus": status,
    } | extra.pop("info", {})
    outer = {
        "deliveryInfo": info,
        "subtid": "",
        "transid": "t-1",
        "callbackData": "",
        "correlationid": correlation_id,
    } | extra
    return json.dumps({"deliveryInfoNotification": outer}).encode()


def address(service) -> str:
    return f"/receipts/{service.receipt_token}/"


def post(service, raw: bytes, **headers):
    return Client().post(address(service), data=raw, content_type="application/json", headers=headers)


def posted_message(service, **order):
    send = a_send(service, **order)
    Provider().dispatch()
    message = send.messages.get()
    return message, correlation_id.write(message_id=message.pk, attempt=1, key=service.correlation_key)
