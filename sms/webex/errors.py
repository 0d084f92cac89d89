"""What can go wrong between us and the provider, as a tree whose class *is* the decision. Raised by `client` and `replies`.

    ProviderError
    ├── NotSent         certain: no byte of the request left    → pending again, with back-off
    ├── Refused         certain: this request is bad            → failed with its code (a batch is bisected)
    ├── Throttled       certain: too fast                       → pending again, after `retry_after` or pacing
    ├── ServicePaused   certain: the account, not the message   → pending again, service paused, one alert
    └── Unconfirmed     it may have been sent                   → unconfirmed; never posted again by itself

    Unreadable          a receipt or inbound body that says nothing we can use (not a provider *reply*)

The text explains, the class decides: do not branch on `code` to find out whether a resend is safe.
`detail` never holds a body, a number or a credential, so it may be logged and shown. What we say in it is kept, so it is English.
"""

from sms.words import KeptSentence, gettext_noop

NOT_JSON = KeptSentence(gettext_noop("It is not JSON: %(error)s"))


class ProviderError(Exception):
    """Root. `code` is the provider's code, or ours in lower case (see `codes`); `status` the HTTP status, 0 where none came."""

    def __init__(self, code: str, status: int = 0, detail: str = "") -> None:
        super().__init__(code, status, detail)
        self.code = code
        self.status = status
        self.detail = detail

    def __str__(self) -> str:
        where = f" (HTTP {self.status})" if self.status else ""
        return f"{self.code}{where}: {self.detail}" if self.detail else f"{self.code}{where}"


class NotSent(ProviderError):
    """The request never left: connecting failed, or the deadline passed before the first byte."""


class RequestRefused(ProviderError):
    """The provider read the request and will not have it."""


class Throttled(ProviderError):
    """Over the contracted rate. `retry_after` is in seconds (0..900), None where the provider did not say."""

    def __init__(
        self, code: str, status: int = 0, detail: str = "", *, retry_after: float | None = None
    ) -> None:
        super().__init__(code, status, detail)
        self.retry_after = retry_after


class ServicePaused(ProviderError):
    """Credentials, address, quota or configuration of the account: every further request would fail too."""


class Unconfirmed(ProviderError):
    """The request may have been accepted. Only a receipt, a policy or a person may settle it."""


class UnreadableBody(ValueError):
    """A receipt or inbound body of no known shape. The text is for people; the raw body stays with the caller."""
