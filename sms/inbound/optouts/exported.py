"""A list of opt-outs of ours that is uploaded again: what it says of refusals that were lifted since is no new refusal."""

from collections.abc import Sequence
from datetime import datetime

from django.utils.dateparse import parse_datetime

from sms.audiences.files import Audience, Recipient
from sms.inbound.optouts.acts import in_parts
from sms.models import OptOut
from sms.models.optout import spellings

SINCE, LIFTED = "since", "lifted at"


def refusals_in(audience: Audience, service_id: int) -> list[Recipient]:
    """Its rows, without refusals that are over: those that the list itself says were lifted, and those that were lifted since it was made.

    Any other file is a list of people who refuse now.
    """
    if not {SINCE, LIFTED} <= set(audience.headings):
        return audience.recipients
    open_ones = [one for one in audience.recipients if not one.substitutions.get(LIFTED)]
    lifted = _lifted([one.msisdn for one in open_ones], service_id)
    return [one for one in open_ones if not _is_over(one, lifted.get(one.msisdn))]


def _is_over(one: Recipient, lifted_at: datetime | None) -> bool:
    try:
        since = parse_datetime(one.substitutions.get(SINCE, ""))
    except ValueError:
        since = None
    return lifted_at is not None and since is not None and since.tzinfo is not None and since <= lifted_at


def _lifted(numbers: Sequence[str], service_id: int) -> dict[str, datetime]:
    """When the last refusal of each number was lifted."""
    found: dict[str, datetime] = {}
    for some in in_parts(list(dict.fromkeys(numbers))):
        stored = spellings(service_id, some)
        rows = OptOut.objects.filter(service_id=service_id, msisdn__in=stored, lifted_at__isnull=False)
        for spelled, at in rows.values_list("msisdn", "lifted_at").order_by("lifted_at"):
            if at is not None:
                found[stored[spelled]] = at
    return found
