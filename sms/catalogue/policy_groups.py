"""Contact-policy groups: what the provider refused by their rules, its list of groups, and whether a number may be written to.

Called by the policy-group pages. The provider's API has a host and a key of its own (`PolicyConnection`); without a key nothing is asked.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import F, Sum
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sms.catalogue import provider_address
from sms.ledger.counters import window_of
from sms.models import Actor, ContactPolicyGroup, PolicyConnection, Service, StateCount
from sms.models.audit import audit
from sms.models.fields import UnreadableSecret
from sms.webex.client import exchange
from sms.webex.errors import NotSent, ProviderError, ServicePaused, UnreadableBody
from sms.webex.policy import Answer, ProviderGroup, TenantPolicy

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

RECENT = timedelta(days=90)
PATIENCE = 10.0  # seconds; a person waits at the button
REASONS: "dict[str, StrOrPromise]" = {
    "9000": gettext_lazy("Contact Policy is not enabled for the tenant"),
    "9001": gettext_lazy("An input was missing"),
    "9002": gettext_lazy("The person has not agreed"),
    "9003": gettext_lazy("The person is not in the group"),
    "9004": gettext_lazy("Contact Policy could not be reached: try again later"),
    "9005": gettext_lazy("The group or its channel is wrong"),
    "9006": gettext_lazy("The frequency cap was reached"),
    "9007": gettext_lazy("The group of the frequency cap was not found"),
    "9010": gettext_lazy("The person's consent has expired"),
}
# Translators: each ends a sentence that begins with a number, as in “+44 … may be written to: the group allows it.”
ANSWERS: "dict[Answer, StrOrPromise]" = {
    "agreed": gettext_lazy("may be written to: the group allows it."),
    "not_agreed": gettext_lazy("must not be written to: this person has not agreed (9002)."),
    "not_in_group": gettext_lazy("must not be written to: this person is not in the group (9003)."),
    "expired": gettext_lazy("must not be written to: this person's consent has expired (9010)."),
    "unreachable": gettext_lazy(
        "could not be looked up: Contact Policy cannot be reached now. Try again in a few minutes."
    ),
    "bad_group": gettext_lazy(
        "could not be looked up: Webex Connect does not know this group, or the group has no SMS channel."
    ),
}


class PolicyError(Exception):
    """The provider could not be asked; the text is a sentence for people."""


def results(group_ids: Iterable[int], *, now: datetime) -> dict[int, list[tuple[str, int]]]:
    """Messages of the last RECENT refused by each group's rules, by code, most first: one query over the counters."""
    ids = list(group_ids)
    found: dict[int, list[tuple[str, int]]] = {one: [] for one in ids}
    since = window_of(now - RECENT)
    failed = StateCount.objects.filter(window__gte=since, window__gt=0, state="failed", code__in=REASONS)
    failed = failed.filter(send__simulated=False)
    mine = failed.filter(send__policy_group__in=ids).values("code", group=F("send__policy_group"))
    for row in mine.annotate(total=Sum("delta")).order_by("-total", "code"):
        if row["total"]:
            found[row["group"]].append((row["code"], row["total"]))
    return found


def policy_of(service: Service) -> TenantPolicy | None:
    """The service's Contact Policy, or None where no profile key was entered."""
    connection = PolicyConnection.objects.select_related("service__region").filter(service=service).first()
    try:
        if connection is None or not connection.profile_key:
            return None
    except UnreadableSecret as problem:
        raise PolicyError(_("The stored profile key cannot be read. Type it again.")) from problem
    dial = provider_address.dial_for(connection.url)
    ask = partial(exchange, connection.url, connection.profile_key, kept_for=connection.key_origin)
    return TenantPolicy(partial(ask, deadline=PATIENCE, dial=dial))


@contextmanager
def _asking() -> Iterator[None]:
    try:
        yield
    except (ProviderError, UnreadableBody, ValueError) as problem:
        raise PolicyError(_sentence(problem)) from problem


def groups(policy: TenantPolicy) -> list[ProviderGroup]:
    """The provider's groups; raises PolicyError."""
    with _asking():
        return policy.groups()


def look_up(policy: TenantPolicy, group: ContactPolicyGroup, e164: str, *, by: Actor) -> str:
    """What the group says about a number, as the end of a sentence; the audit records that it was looked up, not for whom."""
    with _asking():
        answer = policy.consent(group.group_id, e164)
    with transaction.atomic():
        audit("policy_group.looked_up", group, by=by, answer=answer)
    return str(ANSWERS[answer])


def _sentence(problem: Exception) -> str:
    if isinstance(problem, ServicePaused):
        return _("Webex Connect refused the profile key. Copy it again from the tenant's settings.")
    if isinstance(problem, NotSent):
        return _("No server answered at the Contact Policy address. Check the region, or the base URL.")
    if isinstance(problem, UnreadableBody):
        return _("Something answered, but not as Contact Policy does. Check the base URL.")
    if isinstance(problem, ValueError):
        return str(problem)
    return _("Contact Policy did not answer properly. Try again in a few minutes.")
