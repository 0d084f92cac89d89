"""The last test sends of a draft, with their progress."""

from sms.models import Draft
from sms.sends import progress

LAST = 5


def last_tests(draft: Draft) -> list[progress.Progress]:
    return progress.progress_of_page(list(draft.tests.select_related("created_by").order_by("-id")[:LAST]))
