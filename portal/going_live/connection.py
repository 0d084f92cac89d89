"""What follows when a service is connected to Webex Connect itself, or back to a sandbox. Every way to change a connection calls it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from portal.demo import ending
from portal.demo.entries import CAP_NUMBER, is_demo
from portal.forms.connection import drop_profile_key_of_other_address
from portal.models import User
from sms.catalogue import tenant_probe
from sms.catalogue.caps.changes import set_caps
from sms.models import Actor, PolicyConnection, Send, Service
from sms.models.service import SANDBOX_SCHEME
from sms.models.spend_cap import DEFAULTS
from sms.sends import control

MADE_FOR_SANDBOX = gettext_noop("Made while the sandbox was connected. Look at it before it goes to people.")
MADE_FOR_PEOPLE = gettext_noop(
    "Made for Webex Connect. The sandbox would report messages as delivered that reach no phone."
)


@dataclass(frozen=True, slots=True)
class Followed:
    """Sends that wait for a person's look, how much of the demo ended, and switches that the tenant probe had set elsewhere."""

    held: int = 0
    people: int = 0
    keys: int = 0
    entries: int = 0
    switches: int = 0


def refusal(before: Service | None, after: Service, *, by: User) -> str:
    """Why this person may not make that change of the connection, with the way out; empty where they may."""
    if not after.is_sandbox and is_demo(by):
        return _(
            "You are signed in as a demo person, and demo people end when a service goes live. Invite your own address "
            "as an admin under People, sign in with it, and connect then."
        )
    if before is None or before.live_since is None or not after.is_sandbox:
        return ""
    sent = Send.objects.filter(service=before, created_at__gte=before.live_since, simulated=False)
    if not sent.exists():
        return ""
    says = _(
        "%(name)s has sent through Webex Connect. A sandbox would report messages as delivered that reach "
        "no phone, and reports would mix both. Make another service for trying things out."
    )
    return says % {"name": before.name}


def on_took_effect(*, row: Any, before: Mapping[str, Any], by: Actor, **_more: Any) -> None:
    """Receiver of `sms.guard.took_effect`: a connection that waited is in force now."""
    if isinstance(row, Service) and any(before[name] != getattr(row, name) for name in Service.CONNECTION):
        earlier = Service(**before)
        follow(earlier, row, by=by)
        drop_profile_key_of_other_address(row)


def follow(before: Service | None, after: Service, *, by: Actor) -> Followed:
    """Called in the transaction of the change, after it was stored. Nothing follows where the service stays what it was."""
    was_sandbox = before is None or before.is_sandbox
    switches = tenant_probe.leave(before, after, by=by) if before is not None else 0
    if was_sandbox == after.is_sandbox:
        return Followed(switches=switches)
    because = MADE_FOR_PEOPLE if after.is_sandbox else MADE_FOR_SANDBOX
    held = control.hold_unfinished(after, by=by, because=because)
    for domain in (
        after.link_domains.all()
    ):  # what the sandbox said of it says nothing of the internet, and the other way round
        domain.forget()
        domain.save()
    Service.objects.filter(pk=after.pk).update(receipt_asked_at=None, checked_at=None, check_verdict="")
    if after.is_sandbox:
        return Followed(held, switches=switches)
    if after.cap_number == CAP_NUMBER:
        set_caps(after, {"cap_number": DEFAULTS["cap_number"]}, by=by)
    ending.withdraw_invitations(after, by=by)
    # the sandbox answers for Contact Policy as well
    pretended = PolicyConnection.objects.filter(service=after, base_url__startswith=SANDBOX_SCHEME)
    pretended.update(base_url="", profile_key="", key_origin="")
    return Followed(
        held,
        ending.retire_people(by=by),
        ending.revoke_keys(after, by=by),
        ending.archive_entries(after, by=by),
        switches,
    )
