"""The requests of each question. A question has variants, tried in their order until one is accepted."""

from collections.abc import Mapping

from sms.models import ProbePost, TenantProbe
from sms.values import correlation_id
from sms.webex import wire
from sms.webex.limits import LARGEST_TEXT_LIMIT

RULES = wire.Rules(text_limit=LARGEST_TEXT_LIMIT)
COLOURS = ("red", "blue")
LINK = "https://www.example.com/textdesk-check"
# what they leave out is what is asked about
LINK_VARIANTS: Mapping[str, dict[str, object]] = {
    "three": {},
    "tags": {"tag1": "textdesk", "tag2": "check"},
    "flag": {"allow_fallback_url": True},
    "six": {"tag1": "textdesk", "tag2": "check", "allow_fallback_url": True},
}
VARIANTS: Mapping[str, tuple[str, ...]] = {"plain": ("digits", "plus"), "links": tuple(LINK_VARIANTS)}


def key_of(service_key: str) -> str:
    """Signs correlation ids of probes, so that none of them is taken for that of a message."""
    return f"tenant probe {service_key}"


def correlation(post: ProbePost, place: int, *, service_key: str) -> str:
    return correlation_id.write(message_id=post.pk, attempt=place, key=key_of(service_key))


def body_of(probe: TenantProbe, question: str, post: ProbePost, *, notify_url: str) -> bytes:
    """The JSON of one POST."""
    variant = post.variant
    service = probe.service
    plus = variant == "plus" or (service.e164_plus and variant != "digits")
    number = probe.msisdn if plus else probe.msisdn.lstrip("+")
    values = [{"p1": colour} for colour in COLOURS] if question == "pair" else [{}]
    to = [
        wire.Destination(
            msisdn=[number],
            substitutions=one,
            correlation_id=correlation(post, place, service_key=service.correlation_key),
        )
        for place, one in enumerate(values)
    ]
    unicode = question == "emoji"
    request = wire.SendRequest(
        from_=probe.sender.address if probe.sender else "",
        to=to,
        content=wire.Content(type="unicode" if unicode else "text", text=_text(probe, question)),
        options=wire.Options(
            domain=probe.link_domain.url,
            shorten_links=True,
            track_clicks=True,
            **LINK_VARIANTS[variant],  # type: ignore[arg-type]
        )
        if question == "links" and probe.link_domain
        else None,
        smartlinks=[wire.SmartlinkOptions(smartlink_id=probe.smartlink.smartlink_id, validity=2)]
        if question == "smartlink" and probe.smartlink
        else [],
        requested_receipts=["SUBMITTED", "DELIVERED", "FAILED"],
        validity=60 if question == "validity" else None,
        notify_url=notify_url,
        notify_url_auth_id=service.notify_url_auth_id,
    )
    return wire.encode(request, rules=RULES)


def _text(probe: TenantProbe, question: str) -> str:
    if question == "smartlink" and probe.smartlink:
        return f"Textdesk check G: {probe.smartlink.token}"
    return {
        "plain": "Textdesk check A. If you can read this, messages arrive.",
        "pair": "Textdesk check B. Round: $(p1). Curly: ${p1}.",
        "links": f"Textdesk check C: {LINK}",
        "length": "Textdesk check D. " + "x" * 998 + " the end.",
        "emoji": "\N{GRINNING FACE}" * 513,
        "validity": "Textdesk check F, valid for one minute.",
    }[question]
