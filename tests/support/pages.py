"""What a page says, and the form of the admin that adds a send."""

import re


def text_of(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


ADD_SEND = "/admin/sms/send/add/"


def add_send(client, form: dict[str, object]):
    """Through *Add send* and its flight plan; the form again where it refuses."""
    answer = client.post(ADD_SEND, form)
    return client.post(answer.url) if answer.status_code == 302 else answer


def add_send_form(cast, **changes) -> dict[str, object]:
    fields = {
        "service": cast.service.pk,
        "name": "",
        "sender": cast.service.senders.get(is_default=True).pk,
        "text": "Hello",
        "recipients_text": "07700 900123\n07700 900124\nabc",
        "send_at_0": "",
        "send_at_1": "",
    }
    return fields | changes
