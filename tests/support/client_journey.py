"""One message by a client of `client_programs`: sent, its receipt heard, read back. At Textdesk or at the sandbox, by any route."""

import json
import time
import uuid
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.support.callback_receiver import Receiver
from tests.support.client_programs import NoAnswer, Program

OK = "ok"
SANDBOX_KEY = "sandbox-key"  # as `manage.py up` starts it
RECEIPT = 60  # seconds until the last one


@dataclass(frozen=True)
class Route:
    """Ports of this machine that lead to one of the two; none where the proxy is not installed."""

    name: str
    ports: tuple[int, int]  # for HTTP/1.1, and for what speaks HTTP/2 from the first byte
    key: str

    def url(self, program: Program) -> str:
        return f"http://127.0.0.1:{self.ports[program.http2_only]}"


def journey(program: Program, route: Route, folder: Path, receiver: Receiver) -> str:
    """Send, hear the last receipt, read back; what went wrong, or OK."""
    mark = uuid.uuid4().hex
    order = {
        "channel": "sms",
        "from": "TEXTDESK",
        "to": [{"msisdn": ["447712399001"], "correlationId": mark}],
        "content": {"type": "text", "text": f"Hello {mark}"},
        "notifyUrl": f"{receiver.url}/{mark}",
    }
    ask = partial(program.ask, folder)
    try:
        status, said = ask("POST", f"{route.url(program)}/v2/messages", route.key, json.dumps(order).encode())
        if status != 201:
            return f"send: {status} {said[:120]}"
        message_id = json.loads(said)["messageId"]
        if wrong := _no_receipt(receiver, mark, message_id):
            return f"receipt: {wrong}"
        status, said = ask("GET", f"{route.url(program)}/v2/messages/{message_id}", route.key, None)
    except NoAnswer as problem:
        return f"no answer: {problem}"
    if status != 200 or json.loads(said)["status"] != "Delivered":
        return f"read back: {status} {said[:120]}"
    return OK


def _no_receipt(receiver: Receiver, mark: str, message_id: str) -> str:
    """Empty once the message is reported delivered under its id."""
    deadline = time.monotonic() + RECEIPT
    while time.monotonic() < deadline:
        for heard in [one for one in receiver.heard if one.path == f"/{mark}"]:
            told = heard.json["deliveryInfoNotification"]
            if told["deliveryInfo"]["deliveryStatus"] == "Delivered":
                ours = (told["correlationid"], told["transid"]) == (mark, message_id)
                return "" if ours else f"of another message: {told}"[:120]
        time.sleep(0.05)
    return f"none in {RECEIPT} s"
