"""What can be done with several saved audiences: archive them."""

from collections.abc import Iterator, Sequence

from django.utils.translation import gettext, gettext_noop

from sms.audiences import saved
from sms.models import Actor, SavedAudience
from sms.sends.bulk.row import RowOutlook

# what became of one, as it is kept
ARCHIVED_ALREADY = gettext_noop("It is archived already.")
ARCHIVED = gettext_noop("Archived.")
WAS_ARCHIVED = gettext_noop("It was archived already.")


def would_archive(audiences: Sequence[SavedAudience], _given: str) -> Iterator[RowOutlook]:
    for one in audiences:
        if one.archived_at:
            yield RowOutlook(one.pk, one.name, does=False, says=ARCHIVED_ALREADY)
        else:
            says = gettext("It can no longer be chosen. Its history stays, and it can be brought back.")
            yield RowOutlook(one.pk, one.name, does=True, says=says, thing=one)


def archive_one(audience: SavedAudience, _given: str, *, by: Actor) -> tuple[bool, str]:
    done = saved.archive(audience, by=by)
    return done, ARCHIVED if done else WAS_ARCHIVED
