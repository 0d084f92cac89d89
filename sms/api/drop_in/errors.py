"""A refusal in the provider's words: HTTP 400, or another status where the provider has one, and `{"code", "message"}`."""

from collections.abc import Mapping

import msgspec

from sms.values.problems import ProblemCode

# By our code, the provider's code and its words before the parameter; what is not listed is an invalid parameter.
_INVALID = ("7004", "Invalid parameter")
_NAMED = dict.fromkeys(
    (ProblemCode.REQUIRED, ProblemCode.MISSING_VALUE), ("7003", "Mandatory parameter missing")
)
# Those that the provider answers without the parameter, by what is wrong with it.
_UNNAMED = {
    (ProblemCode.TOO_MANY, "to"): ("7009", "Number of destinations is limited to 1000"),
    (ProblemCode.NOT_USABLE, "from"): ("7101", "Invalid sender"),
    (ProblemCode.NOT_USABLE, "template.id"): ("7108", "Invalid template id"),
    (ProblemCode.TEXT_TOO_LONG, "content.text"): ("7107", "Message length exceeded"),
}


class DropInRefused(Exception):
    """`code` and `words` go to the partner; `name` is the parameter that they are about."""

    def __init__(
        self,
        code: str,
        words: str,
        name: str = "",
        *,
        status: int = 400,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code, words, name)
        self.code, self.words, self.name = code, words, name
        self.status = status
        self.headers = headers or {}

    @property
    def message(self) -> str:
        return f"{self.words} - {self.name}" if self.name else self.words

    def about(self, name: str) -> "DropInRefused":
        """The same of a parameter of another name."""
        return DropInRefused(self.code, self.words, name, status=self.status, headers=self.headers)

    def body(self) -> bytes:
        return msgspec.json.encode({"code": self.code, "message": self.message})


def refused(code: ProblemCode, name: str, why: str = "", *, status: int = 400) -> DropInRefused:
    """As the provider answers a problem of this kind. `why` is ours: the provider leaves one to guess."""
    if unnamed := _UNNAMED.get((code, name)):
        return DropInRefused(*unnamed, status=status)
    return DropInRefused(*_NAMED.get(code, _INVALID), f"{name}: {why}" if why else name, status=status)


def no_json() -> DropInRefused:
    return DropInRefused("7000", "Invalid JSON")


def missing(name: str) -> DropInRefused:
    return refused(ProblemCode.REQUIRED, name)


def invalid(name: str, why: str = "") -> DropInRefused:
    return refused(ProblemCode.INVALID, name, why)


def too_many() -> DropInRefused:
    return refused(ProblemCode.TOO_MANY, "to")


def bad_sender() -> DropInRefused:
    return refused(ProblemCode.NOT_USABLE, "from")
