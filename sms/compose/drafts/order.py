"""From a draft to an order."""

from django.db.models import QuerySet

from sms.audiences import storage
from sms.audiences.files import Limits
from sms.audiences.files.rows import Rows
from sms.compose import labels, placeholders
from sms.compose.drafts.rows import audience_of_draft
from sms.compose.order import Order
from sms.models import AudienceVersion, Draft, Upload

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
        content=draft.text,
        template=draft.template,
        name=draft.name,
        due_at=draft.send_at,
        source=_source(draft),
        saved=_version_of(draft, audience),
        file_sha256=draft.upload.sha256 if draft.upload else "",
        placeholder_sources=placeholders.sources_from_json(draft.fillings),
        labels=labels.split(draft.labels),
        draft=draft,
        zone=draft.time_zone if draft.send_at else "",
        options=draft,
    )


def _version_of(draft: Draft, audience: Rows) -> AudienceVersion | None:
    if draft.audience is not None:
        return draft.audience.current
    return audience.version if isinstance(audience, storage.StoredAudience) else None


def _source(draft: Draft) -> str:
    if draft.audience is not None and draft.audience.current is not None:
        return f"{draft.audience}, {draft.audience.current}"
    return draft.upload.name if draft.upload else "pasted"
