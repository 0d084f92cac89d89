"""From a draft to an order, and to a send. The compose page's half of `sms.compose`; it decides nothing of its own."""

import io
from typing import Any

from django.db import transaction

from sms import compose, labels, saved
from sms.audience import Audience, AudienceError, Limits, read, read_pasted
from sms.compose import ComposeError, Order, Problem
from sms.models import Actor, Draft, Lane, Resend, SavedAudience, Send
from sms.wishes import USUAL, Wishes


def audience_of(draft: Draft, *, limits: Limits) -> Audience:
    """Read the draft's file or its pasted numbers; raises ComposeError naming `audience` or `column`."""
    country = draft.country or draft.service.default_country
    upload, kept = draft.upload, draft.audience
    given = [
        words
        for words, is_there in (
            ("pasted numbers", draft.pasted.strip()),
            ("a file", upload),
            ("a saved audience", kept),
        )
        if is_there
    ]
    if len(given) > 1:
        what = " and ".join(given)
        raise ComposeError([Problem("audience", f"There are {what}. Clear what you do not want.")])
    try:
        if kept is not None:
            return _saved(kept)
        if upload is None:
            return read_pasted(
                draft.pasted, country=country, limits=limits, allow_duplicates=draft.allow_duplicates
            )
        return read(
            io.BytesIO(bytes(upload.content)),
            name=upload.name,
            country=country,
            column=draft.column or None,
            limits=limits,
            allow_duplicates=draft.allow_duplicates,
        )
    except AudienceError as problem:
        field = "column" if problem.code in {"unknown_column", "no_column"} else "audience"
        raise ComposeError([Problem(field, str(problem))]) from None


def _saved(kept: SavedAudience) -> Audience:
    if kept.archived_at or kept.current is None:
        raise ComposeError([Problem("audience", f"“{kept}” is archived. Choose another audience.")])
    try:
        return saved.audience_of(kept.current)
    except saved.SavedError as problem:
        raise ComposeError([Problem("audience", str(problem))]) from None


def order_of(draft: Draft, *, limits: Limits, audience: Audience | None = None) -> Order:
    """The draft as `compose` wants it, to other people where given; raises ComposeError where its audience cannot be read."""
    return Order(
        service=draft.service,
        audience=audience_of(draft, limits=limits) if audience is None else audience,
        sender=draft.sender,
        content=draft.text.replace("\r\n", "\n"),
        template=draft.template,
        language=draft.language if draft.template else "",
        name=draft.name,
        due_at=draft.send_at,
        policy_group=draft.policy_group,
        link_domain=draft.link_domain,
        source=_source(draft),
        saved=draft.audience.current if draft.audience else None,
        labels=labels.split(draft.labels),
        expires_at=draft.expires_at,
        lane=Lane(draft.lane),
        resend=Resend(draft.resend),
        ramp=draft.ramp,
        respect_quiet_hours=draft.respect_quiet_hours,
        callback_data=draft.callback_data,
        zone=draft.time_zone if draft.send_at else "",
        wishes=wishes_of(draft),
    )


def wishes_of(draft: Draft) -> Wishes:
    """What a draft asks of the provider."""
    return Wishes(
        track_clicks=draft.track_clicks,
        tag1=draft.tag1,
        tag2=draft.tag2,
        check_consent=draft.check_consent,
        apply_frequency_cap=draft.apply_frequency_cap,
        receipts=tuple(draft.receipts) or USUAL,
        validity=draft.validity,
    )


def _source(draft: Draft) -> str:
    if draft.audience is not None and draft.audience.current is not None:
        return f"{draft.audience}, {draft.audience.current}"
    return draft.upload.name if draft.upload else "pasted"


def send_draft(draft: Draft, *, by: Actor, user: Any, limits: Limits) -> Send:
    """Make the send, once: a second press of the button finds the first one's send."""
    order = order_of(draft, limits=limits)
    with transaction.atomic():
        locked = Draft.objects.select_for_update(of=("self",)).get(pk=draft.pk)
        if locked.send is not None:
            return locked.send
        send = compose.create(order, by=by, user=user)
        locked.send = send
        locked.save(update_fields=["send", "changed_at"])
    return send
