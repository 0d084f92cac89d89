"""From a draft to an order."""

from sms.audiences import storage
from sms.audiences.files import Audience, Limits
from sms.compose import labels, placeholders
from sms.compose.drafts.rows import audience_of
from sms.compose.options import DEFAULT_RECEIPTS, SendOptions
from sms.compose.order import Order
from sms.models import Draft, Lane, Resend


def order_of(draft: Draft, *, limits: Limits, instead: Audience | None = None) -> Order:
    """The draft as `compose` wants it, to others where given; raises ComposeError where its audience cannot be read."""
    audience = audience_of(draft, limits=limits) if instead is None else instead
    return Order(
        service=draft.service,
        audience=audience,
        sender=draft.sender,
        content=draft.text.replace("\r\n", "\n"),
        template=draft.template,
        language=draft.language if draft.template else "",
        name=draft.name,
        due_at=draft.send_at,
        policy_group=draft.policy_group,
        link_domain=draft.link_domain,
        source=_source(draft),
        saved=draft.audience.current
        if draft.audience
        else audience.version
        if isinstance(audience, storage.StoredAudience)
        else None,
        file_sha256=draft.upload.sha256 if draft.upload else "",
        placeholder_sources=placeholders.sources_from_json(draft.fillings),
        labels=labels.split(draft.labels),
        expires_at=draft.expires_at,
        lane=Lane(draft.lane),
        resend=Resend(draft.resend),
        ramp=draft.ramp,
        respect_quiet_hours=draft.respect_quiet_hours,
        callback_data=draft.callback_data,
        draft=draft,
        zone=draft.time_zone if draft.send_at else "",
        options=options_of(draft),
    )


def options_of(draft: Draft) -> SendOptions:
    """What a draft asks of the provider."""
    return SendOptions(
        track_clicks=draft.track_clicks,
        tag1=draft.tag1,
        tag2=draft.tag2,
        check_consent=draft.check_consent,
        apply_frequency_cap=draft.apply_frequency_cap,
        receipts=tuple(draft.receipts) or DEFAULT_RECEIPTS,
        validity=draft.validity,
    )


def _source(draft: Draft) -> str:
    if draft.audience is not None and draft.audience.current is not None:
        return f"{draft.audience}, {draft.audience.current}"
    return draft.upload.name if draft.upload else "pasted"
