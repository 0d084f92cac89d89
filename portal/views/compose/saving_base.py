"""Saving a draft, by a button or while one types: what was typed is merged with what colleagues stored."""

import json
from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.http import HttpRequest

from portal.access import actor
from portal.forms.compose import DraftForm
from portal.limits import upload_limits
from sms.audiences.files.choices import NAMES
from sms.compose import drafts
from sms.compose.drafts import collaboration
from sms.models import Draft, Service, Upload
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
    if not found.is_open:
        raise collaboration.DraftSent(found)
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
    # of a field that a colleague changed too: which value was chosen, and the colleague's that was shown
    seen = {name: value for name in collaboration.EDITED if (value := request.POST.get(f"seen_{name}"))}
    chosen = {name: request.POST.get(f"choose_{name}") for name in seen}
    base = base_of(request) | {name: seen[name] for name in seen if chosen[name] in ("mine", "theirs")}
    theirs = [name for name in seen if chosen[name] == "theirs"]
    with transaction.atomic():
        kept = _save(form, user=request.user, base=base, theirs=theirs)
        if new:
            audit("draft.created", kept.stored, by=actor(request))
    return form, kept


def _save(
    form: DraftForm, *, user: Any, base: Mapping[str, str], theirs: Collection[str]
) -> collaboration.Saved:
    """Save what can be saved, errors or not, so that nothing typed is lost."""
    draft: Draft = form.instance
    stored = None if draft.pk is None else Draft.objects.get(pk=draft.pk)
    for name in form.Meta.fields:
        if name in form.errors:  # the typed value cannot be stored; the last good one stays
            setattr(draft, name, getattr(stored or Draft(service=form.service), name))
    draft.service = form.service
    _forget_other_choices(form, stored)
    file = form.cleaned_data.get("file")
    if file is not None:
        draft.upload = Upload.keep(file.read(), service=form.service, name=file.name or "file", user=user)
        draft.column = "" if stored and stored.upload and stored.column == draft.column else draft.column
        drafts.recall_columns(draft, limits=upload_limits())
    elif form.cleaned_data.get("remove_file"):
        draft.upload = None
        for name in NAMES:
            setattr(draft, name, getattr(Draft(), name))
    if draft.pk is None:
        draft.created_by = draft.changed_by = user
        draft.revision = 1
        draft.save()
        return collaboration.Saved(draft, changed=True)
    # never `send`: only sending writes it, or a draft that was just sent could be sent again
    return collaboration.save(draft, base=base, user=user, theirs=theirs)


def _forget_other_choices(form: DraftForm, stored: Draft | None) -> None:
    """How a file is to be read is said of the file that the page showed, and of no other one that a colleague or this save puts there."""
    if not (shown := form.data.get("choices_of")):
        return  # nothing of it was on the page; a program says it of the file that it gives
    of_file = stored is not None and str(stored.upload_id) == shown and not form.cleaned_data.get("file")
    if not of_file:
        kept = Draft() if form.cleaned_data.get("file") or stored is None else stored
        for name in NAMES:
            setattr(form.instance, name, getattr(kept, name))


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
