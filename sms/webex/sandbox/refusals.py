"""A refusal: the provider's code, its words, and the two ways it writes them."""

import json

from sms.webex.sandbox.http_server import Response
from sms.webex.sandbox.switches import Switches


class SandboxRefused(Exception):
    """A request answered with 400 and the provider's code."""

    def __init__(self, code: str, message: str, name: str = "") -> None:
        super().__init__(f"{code} {message} {name}")
        self.code = code
        self.message = message
        self.name = name

    def answer(self, switches: Switches, status: int = 400, headers: bytes = b"") -> Response:
        between = ": " if switches.error_style == "colon" else " - "
        words = f"{self.message}{between}{self.name}" if self.name else self.message
        code = int(self.code) if switches.error_code == "number" else self.code
        return Response(status, json.dumps({"code": code, "message": words}).encode(), headers=headers)


def missing(name: str) -> SandboxRefused:
    return SandboxRefused("7003", "Mandatory parameter missing", name)


def invalid(name: str) -> SandboxRefused:
    return SandboxRefused("7004", "Invalid parameter", name)


def late(code: str, words: str, switch: str) -> str:
    """A code that comes as a receipt, unless the switch has it in the reply."""
    if switch == "reply":
        raise SandboxRefused(code, words)
    return code
