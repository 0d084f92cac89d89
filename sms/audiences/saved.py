"""Saved audiences: making, replacing, renaming, archiving, erasing and deleting them, each an audited act.

The versions' tables are written here alone. Called by the audiences pages, the API and the admin.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sms import guard
from sms.audiences.errors import SavedError
from sms.audiences.packing import Packed
from sms.models import (
    Actor,
    AudienceChunk,
    AudienceVersion,
    RecurringSend,
    SavedAudience,
    SendState,
    Service,
)
from sms.models.audit import audit
from sms.models.sql.clock import corrected_now
from sms.values.msisdn.mention import masked_values
from sms.values.problems import ProblemCode
from sms.words import number


def _taken(name: str) -> str:
    says = _("There is an audience named “%(name)s”. Choose another name, or replace its rows.")
    return says % {"name": name}


@contextmanager
def _name_is_free(otherwise: str) -> Iterator[None]:
    """A transaction; raises SavedError with that sentence where the name is another's."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError:
        raise SavedError(ProblemCode.TAKEN, otherwise, field="name") from None


def create(service: Service, packed: Packed, *, name: str, note: str = "", by: Actor) -> SavedAudience:
    """A new audience with its first version; raises SavedError where the name is taken."""
    with _name_is_free(_taken(name)):
        saved = SavedAudience.objects.create(service=service, name=name, note=note, owner=by.owner)
        _add(saved, packed, number=1, by=by)
        audit("audience.created", saved, by=by, **packed.figures)
    return saved


def replace(saved: SavedAudience, packed: Packed, *, by: Actor) -> AudienceVersion:
    """A further version, which later sends use. Earlier ones stay as they are."""
    with transaction.atomic():
        locked = SavedAudience.objects.select_for_update().get(pk=saved.pk)
        if locked.archived_at:
            says = _("“%(name)s” is archived. Bring it back before you replace its rows.") % {
                "name": locked.name
            }
            raise SavedError(ProblemCode.NOT_USABLE, says, field="audience")
        if locked.seed_list and packed.recipients > SavedAudience.LONGEST_SEED_LIST:
            raise _too_long(locked.name, packed.recipients)
        last = locked.versions.order_by("-number").values_list("number", flat=True).first() or 0
        version = _add(locked, packed, number=last + 1, by=by)
        audit("audience.replaced", locked, by=by, version=version.number, **packed.figures)
    return version


def mark(saved: SavedAudience, *, seed_list: bool, by: Actor) -> bool:
    """Make it a seed list, whose people get test sends, or no longer one; False where nothing changes."""
    with transaction.atomic():
        locked = SavedAudience.objects.select_for_update().get(pk=saved.pk)
        if locked.seed_list == seed_list:
            return False
        people = locked.current.recipients if locked.current is not None else 0
        if seed_list and people > SavedAudience.LONGEST_SEED_LIST:
            raise _too_long(locked.name, people)
        SavedAudience.objects.filter(pk=saved.pk).update(
            seed_list=seed_list, seed_list_by=by.user, confirmed=None
        )
        audit("audience.made_seed_list" if seed_list else "audience.no_seed_list", locked, by=by)
    return True


def confirm_seed_list(saved: SavedAudience, *, by: Actor) -> bool:
    """An approver says that tests may go to the rows as they are now; False where that was said. Raises SavedError for who made them."""
    with transaction.atomic():
        locked = (
            SavedAudience.objects.select_for_update(of=("self",)).select_related("current").get(pk=saved.pk)
        )
        if not locked.seed_list or locked.current is None or locked.archived_at:
            says = _("“%(name)s” is no seed list in use, so there is nothing to confirm.") % {
                "name": locked.name
            }
            raise SavedError(ProblemCode.NOT_USABLE, says, field="audience")
        if locked.confirmed_id == locked.current_id:
            return False
        makers = {locked.current.made_by_id, locked.seed_list_by_id} - {None}
        person: Any = by.user
        tied = guard.vouchers_of(person, locked.service_id, "approver", now=corrected_now())
        if makers & {person.pk, *tied}:
            says = _(
                "You made this list, or who made it made you an approver lately. Another approver has to confirm it."
            )
            raise SavedError(ProblemCode.NOT_USABLE, says, field="audience")
        SavedAudience.objects.filter(pk=saved.pk).update(confirmed=locked.current)
        audit("audience.seed_list_confirmed", locked, by=by, version=locked.current.number)
    return True


def _too_long(name: str, recipients: int) -> SavedError:
    says = _(
        "A seed list has %(most)s people at most, and “%(name)s” would have %(people)s. "
        "Leave some out, or use a shorter list."
    )
    facts = {"most": number(SavedAudience.LONGEST_SEED_LIST), "name": name, "people": number(recipients)}
    return SavedError(ProblemCode.TOO_MANY, says % facts, field="audience")


def rename(saved: SavedAudience, *, name: str, note: str, by: Actor) -> None:
    """Another name or note; raises SavedError where the name is taken."""
    with _name_is_free(_taken(name)):
        SavedAudience.objects.filter(pk=saved.pk).update(name=name, note=note)
        audit("audience.renamed", saved, by=by, named=name, before=masked_values(saved.name))


def archive(saved: SavedAudience, *, by: Actor) -> bool:
    """Offer it no longer; everything about it stays. False where it was archived already."""
    with transaction.atomic():
        rows = SavedAudience.objects.filter(pk=saved.pk, archived_at=None)
        if not rows.update(archived_at=corrected_now()):
            return False
        audit("audience.archived", saved, by=by)
    return True


def bring_back(saved: SavedAudience, *, by: Actor) -> bool:
    """Undo `archive`; raises SavedError where another one has its name by now."""
    taken = _("Another audience is named “%(name)s” now. Rename that one before you bring this one back.")
    with _name_is_free(taken % {"name": saved.name}):
        rows = SavedAudience.objects.filter(pk=saved.pk, archived_at__isnull=False)
        if not rows.update(archived_at=None):
            return False
        audit("audience.restored", saved, by=by)
    return True


def delete(saved: SavedAudience, *, by: Actor) -> None:
    """For good, rows and history; raises SavedError where a send used it."""
    with transaction.atomic():
        locked = SavedAudience.objects.select_for_update().get(pk=saved.pk)
        if used := uses(locked):
            says = ngettext(
                "“%(name)s” was used in %(n)s send, whose history names it. "
                "Archive it instead, and erase its rows where they must not be kept.",
                "“%(name)s” was used in %(n)s sends, whose history names it. "
                "Archive it instead, and erase its rows where they must not be kept.",
                used,
            ) % {"name": locked.name, "n": number(used)}
            raise SavedError(ProblemCode.IN_USE, says, field="audience")
        if going_on := recurring_sends_to(locked).first():
            says = _(
                "“%(name)s” is sent to it again and again. End that, or change its audience from here on."
            ) % {"name": going_on.name}
            raise SavedError(ProblemCode.IN_USE, says, field="audience")
        audit("audience.deleted", locked, by=by, named=locked.name)
        AudienceChunk.objects.filter(version__audience=locked).delete()
        locked.delete()


def erase(version: AudienceVersion, *, by: Actor) -> bool:
    """Delete the rows of a version; its figures stay. Raises SavedError for the one in use. False where they were gone."""
    with transaction.atomic():
        saved = SavedAudience.objects.select_for_update().get(versions=version)
        if saved.current_id == version.pk and saved.archived_at is None:
            says = _("These rows are in use. Replace them or archive the audience first.")
            raise SavedError(ProblemCode.IN_USE, says, field="audience")
        if version.sends.filter(state=SendState.PREPARING).exists():
            says = _(
                "The messages of a send are being written from these rows. Wait until they are there, or cancel the send."
            )
            raise SavedError(ProblemCode.IN_USE, says, field="audience")
        rows = AudienceVersion.objects.filter(pk=version.pk, erased_at=None)
        if not rows.update(erased_at=corrected_now(), rejects=b""):
            return False
        AudienceChunk.objects.filter(version=version).delete()
        audit("audience.erased", saved, by=by, version=version.number)
    return True


def recurring_sends_to(saved: SavedAudience) -> "models.QuerySet[RecurringSend]":
    """Those that are not ended, of which each occurrence goes to it."""
    going_on = RecurringSend.objects.exclude(state=RecurringSend.State.ENDED)
    return going_on.filter(draft__audience=saved)


def uses(saved: SavedAudience) -> int:
    return int(saved.versions.aggregate(sends=models.Count("sends"))["sends"])


def _add(saved: SavedAudience, packed: Packed, *, number: int, by: Actor) -> AudienceVersion:
    version = packed.version
    version.audience, version.service_id = saved, saved.service_id
    version.number, version.made_by = number, by.user
    version.save()
    for chunk in packed.chunks:
        chunk.version = version
    AudienceChunk.objects.bulk_create(packed.chunks, batch_size=50)
    saved.current = version
    saved.save(update_fields=["current"])
    return version
