"""Work on a draft's figures for a moment, within a request, so that the next page has something to show."""

import time

from portal.limits import upload_limits
from sms.compose import background, drafts
from sms.models import Draft

HEAD_START = 1.2  # seconds that the press of a button may work on it itself, so that the next page has something to show


def check_for_a_moment(draft: Draft) -> None:
    """Raises ComposeError where the draft makes no send, as far as that is known within a moment."""
    try:
        figures_within(draft, HEAD_START)
    except drafts.NotReady:
        return  # the next page shows how far it is


def figures_within(draft: Draft, seconds: float) -> drafts.DraftTotals:
    """The draft's figures, after up to `seconds` of work on them where no other process does it. Raises ComposeError, and NotReady."""
    until = time.monotonic() + seconds
    while True:
        looked: drafts.DraftTotals | drafts.NotReady
        try:
            looked = drafts.totals_of(draft, limits=upload_limits())
        except drafts.NotReady as problem:
            looked = problem
        waiting, left = looked.preparation, until - time.monotonic()
        if (
            waiting is None
            or not waiting.is_waiting
            or left <= 0
            or not background.work_on(waiting.pk, seconds=left)
        ):
            break
        if draft.version is not None:
            draft.version.refresh_from_db()
    if isinstance(looked, drafts.NotReady):
        raise looked
    return looked
