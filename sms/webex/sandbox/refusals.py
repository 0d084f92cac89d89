"""A refusal: the provider's code, its words, and the two ways it writes them."""

from __future__ import annotations

import json

from sms.webex.sandbox.switches import Switches


class Refused(Exception):
    """A request answered with 400 and the provider's code."""

    def __init__(self, code: str, message: str, name: str = "") -> None:
        """Keep the code, the words, and the parameter they are about."""
        super().__init__(f"{code} {message} {name}")
        self.code = code
        self.message = message
        self.name = name

    def body(self, switches: Switches) -> bytes:
        """The answer's body."""
        between = ": " if switches.error_style == "colon" else " - "
        words = f"{self.message}{between}{self.name}" if self.name else self.message
        return json.dumps(
            {"code": int(self.code) if switches.error_code == "number" else self.code, "message": words}
        ).encode()


def missing(name: str) -> Refused:
    """7003."""
    return Refused("7003", "Mandatory parameter missing", name)


def invalid(name: str) -> Refused:
    """7004."""
    return Refused("7004", "Invalid parameter", name)
