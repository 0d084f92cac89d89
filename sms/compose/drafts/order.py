"""From a draft to an order."""

from django.db.models import QuerySet

from sms.audiences import storage
from sms.audiences.files import Limits
from sms.audiences.files.rows import Rows
from sms.compose import labels, placeholders
from sms.compose.drafts.rows import audience_of_draft
from sms.compose.options import DEFAULT_RECEIPTS, SendOptions
from sms.compose.order import Order
from sms.models import AudienceVersion, Draft, Lane, Resend, Upload

RELATED = (
    *("service__region", "upload", "audience__current", "version__preparation", "sender", "template"),
    *("policy_group", "link_domain"),
)


def with_related(rows: "QuerySet[Draft]") -> "QuerySet[Draft]":
    """Drafts with everything that their order is made of, but without the bytes of their file."""
    return rows.select_related(*RELATED).defer(Upload.LIGHT)


def order_of_draft(draft: Draft, *, limits: Limits, audience: Rows | None = None) -> Order:
    """What a draft asks for, to `audience` where one is given; raises ComposeError where its own cannot be read."""
    if audience is None:
        audience = audience_of_draft(draft, limits=limits)
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
        saved=_version_of(draft, audience),
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
        options=options_of_draft(draft),
    )


def options_of_draft(draft: Draft) -> SendOptions:
    return SendOptions(
        track_clicks=draft.track_clicks,
        tag1=draft.tag1,
        tag2=draft.tag2,
        check_consent=draft.check_consent,
        apply_frequency_cap=draft.apply_frequency_cap,
        receipts=tuple(draft.receipts) or DEFAULT_RECEIPTS,
        validity=draft.validity,
    )


def _version_of(draft: Draft, audience: Rows) -> AudienceVersion | None:
    if draft.audience is not None:
        return draft.audience.current
    return audience.version if isinstance(audience, storage.StoredAudience) else None


def _source(draft: Draft) -> str:
    if draft.audience is not None and draft.audience.current is not None:
        return f"{draft.audience}, {draft.audience.current}"
    return draft.upload.name if draft.upload else "pasted"
