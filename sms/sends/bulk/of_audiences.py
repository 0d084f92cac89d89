"""What can be done with several saved audiences: archive them."""

from collections.abc import Iterator, Sequence

from sms.audiences import saved
from sms.models import Actor, SavedAudience
from sms.sends.bulk.row import RowOutlook


def would_archive(audiences: Sequence[SavedAudience], _given: str) -> Iterator[RowOutlook]:
    for one in audiences:
        if one.archived_at:
            yield RowOutlook(one.pk, one.name, does=False, says="It is archived already.")
        else:
            says = "It can no longer be chosen. Its history stays, and it can be brought back."
            yield RowOutlook(one.pk, one.name, does=True, says=says, thing=one)


def archive_one(audience: SavedAudience, _given: str, *, by: Actor) -> tuple[bool, str]:
    done = saved.archive(audience, by=by)
    return done, "Archived." if done else "It was archived already."
