"""Saving a draft, by a button or while one types: what was typed is merged with what colleagues stored."""

import json
from uuid import UUID

from django.db import IntegrityError, transaction
from django.http import HttpRequest

from portal.access import actor
from portal.forms.compose import DraftForm
from portal.presenters import edit_conflicts
from sms.compose.drafts import collaboration
from sms.models import Draft, Service
from sms.models.audit import audit

LONGEST_BASE = 5_000  # characters of what a page says of its fields


def store_typed(
    request: HttpRequest, service: Service, found: Draft
) -> tuple[DraftForm, collaboration.Saved]:
    """Store what was typed as far as it can be, beside what colleagues stored. Raises collaboration.DraftSent."""
    if found.pk is None and (begun := _uuid(request.POST.get("begun", ""))):
        # a repeated request of the same page: the answer was lost, or the button pressed twice
        found = service.drafts.filter(begun=begun).first() or Draft(
            service=service, begun=begun, audience=found.audience
        )
    if found.send_id:
        raise collaboration.DraftSent(found.send_id)
    try:
        return _store(request, service, found)
    except IntegrityError:
        earlier = service.drafts.filter(begun=found.begun).first() if found.begun else None
        if earlier is None or found.pk:
            raise
        return _store(request, service, earlier)


def _store(request: HttpRequest, service: Service, found: Draft) -> tuple[DraftForm, collaboration.Saved]:
    form = DraftForm(request.POST, request.FILES, instance=found, service=service)
    form.is_valid()
    new = found.pk is None
    choices = edit_conflicts.choices(request.POST)
    base = base_of(request) | {name: one.seen for name, one in choices.items()}
    with transaction.atomic():
        kept = form.keep(
            user=request.user,
            base=base,
            theirs=[name for name, one in choices.items() if one.theirs],
        )
        if new:
            audit("draft.created", kept.stored, by=actor(request))
    return form, kept


def _uuid(written: str) -> UUID | None:
    try:
        return UUID(written)
    except ValueError:
        return None


def base_of(request: HttpRequest) -> dict[str, str]:
    """The fingerprints of the fields as the page showed them; nothing where they cannot be read."""
    written = request.POST.get("base", "")
    if len(written) > LONGEST_BASE:
        return {}
    try:
        said = json.loads(written or "{}")
    except ValueError:
        return {}
    if not isinstance(said, dict):
        return {}
    return {name: str(said[name]) for name in collaboration.EDITED if name in said}
