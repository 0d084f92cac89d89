"""Requests to the provider, counted by outcome with how long they took."""

from collections.abc import Mapping

from sms.dispatch.post import PostOutcome
from sms.values.meters import meters
from sms.webex.errors import NotSent, RequestRefused, ServicePaused, Throttled, Unconfirmed
from sms.webex.replies import Accepted

NAME = "textdesk_provider_request_duration_seconds"
WORDS: Mapping[type, str] = {
    Accepted: "accepted",
    RequestRefused: "refused",
    Throttled: "throttled",
    NotSent: "not_sent",
    ServicePaused: "paused",
    Unconfirmed: "unconfirmed",
}


def count(outcome: PostOutcome, service: str) -> None:
    """What was held back and never tried is left out."""
    if word := WORDS.get(type(outcome.result)):
        meters.observe(NAME, outcome.seconds, service=service, outcome=word)
