"""A refusal in the provider's words: HTTP 400, or another status where the provider has one, and `{"code", "message"}`."""

import msgspec


class DropInRefused(Exception):
    """`code` and `words` go to the partner; `name` is the parameter that they are about."""

    def __init__(self, code: str, words: str, name: str = "", *, status: int = 400, wait: int = 0) -> None:
        super().__init__(code, words, name)
        self.code, self.words, self.name = code, words, name
        self.status = status
        self.wait = wait  # seconds, for Retry-After

    def body(self) -> bytes:
        words = f"{self.words} - {self.name}" if self.name else self.words
        return msgspec.json.encode({"code": self.code, "message": words})


def no_json() -> DropInRefused:
    return DropInRefused("7000", "Invalid JSON")


def missing(name: str) -> DropInRefused:
    return DropInRefused("7003", "Mandatory parameter missing", name)


def invalid(name: str, why: str = "") -> DropInRefused:
    """7004. `why` is ours: the provider leaves one to guess."""
    return DropInRefused("7004", "Invalid parameter", f"{name}: {why}" if why else name)


def too_many() -> DropInRefused:
    return DropInRefused("7009", "Number of destinations is limited to 1000")


def bad_sender() -> DropInRefused:
    return DropInRefused("7101", "Invalid sender")


def too_long() -> DropInRefused:
    return DropInRefused("7107", "Message length exceeded")


def bad_template() -> DropInRefused:
    return DropInRefused("7108", "Invalid template id")
