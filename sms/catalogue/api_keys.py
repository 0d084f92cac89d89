"""What people do with API keys: make one, change its policies, revoke one. All are audited, and none shows a key a second time.

Called by the page, `manage.py api_key` and tests. Whether a key opens anything is decided in `sms.api.authentication`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from sms import guard
from sms.callbacks.record import disable
from sms.catalogue.caps.changes import plain
from sms.catalogue.key_opens import opens
from sms.models import Actor, ApiKey, CallbackEndpoint, Service
from sms.models.api_key import AT_A_TIME
from sms.models.audit import audit
from sms.models.sql.clock import corrected_now
from sms.words import KeptSentence, number

RESERVED = "none"
NAMED = KeptSentence(gettext_noop("API key %(name)s"))
REVOKED = KeptSentence(gettext_noop("The API key %(name)s, which made it, was revoked."))


def make(
    service: Service,
    *,
    name: str,
    scopes: Sequence[str],
    by: Actor,
    networks: Sequence[str] = (),
    per_minute: int = 6000,
    is_test: bool = False,
    expires_at: datetime | None = None,
    **policies: Any,
) -> tuple[ApiKey, str]:
    """A key and its token, which cannot be had again. Raises ValidationError with a sentence for each field.

    `policies` are of ApiKey.POLICIES.
    """
    now = corrected_now()
    key, token = ApiKey.make(
        service=service,
        name=name.strip(),
        scopes=list(dict.fromkeys(scopes)),
        networks=list(dict.fromkeys(networks)),
        per_minute=per_minute,
        is_test=is_test,
        expires_at=expires_at,
        created_by=by.label,
        **policies,
    )
    check(key)
    if expires_at is not None and expires_at <= now:
        raise ValidationError({"expires_at": _("That time has passed. Choose a later one, or none.")})
    with transaction.atomic():
        Service.objects.select_for_update(no_key=True).only("pk").get(pk=service.pk)
        usable = service.api_keys.filter(ApiKey.usable_at(now), name=key.name)
        if usable.count() >= AT_A_TIME:
            says = _("%(name)s has %(n)s usable keys. Revoke the one that is not used any more first.")
            raise ValidationError({"name": says % {"name": key.name, "n": number(AT_A_TIME)}})
        key.confirmed = not guard.on_guard(service.pk) or by.door == guard.OPERATOR
        earlier = service.api_keys.filter(name=key.name, is_test=key.is_test).order_by("-pk")
        key.identity = earlier.values_list("identity", flat=True).first() or key.identity
        key.save()
        if by.user is not None:
            key.makers.add(by.user)
        _ask_about(key, by=by)
        said = {
            name: plain(getattr(key, name))
            for name in ("name", "scopes", "networks", "is_test", *ApiKey.POLICIES)
        }
        until = expires_at.isoformat() if expires_at else ""
        audit("api_key.added", key, by=by, key=key.prefix, **said, expires_at=until)
    return key, token


def change(key: ApiKey, *, by: Actor, **policies: Any) -> list[str]:
    """Other policies from its next request on; returns which became another. Raises ValidationError."""
    if "countries" in policies:
        policies["countries"] = policies["countries"].strip().upper()
    with transaction.atomic():
        locked = (
            ApiKey.objects.select_for_update(no_key=True, of=("self",))
            .select_related("service")
            .get(pk=key.pk)
        )
        if locked.revoked_at is not None:
            raise ValidationError(_("This key was revoked, so nothing of it can be changed."))
        before = {name: getattr(locked, name) for name in policies}
        if not locked.confirmed:
            says = _(
                "This key waits for another admin. Revoke it and make another one, or wait until it is confirmed."
            )
            raise ValidationError(says)
        changed = [name for name, value in policies.items() if value != before[name]]
        if changed:
            for name in changed:
                setattr(locked, name, policies[name])
            check(locked)
            key.waits = guard.hold_back(locked, by=by, names=changed)
            changed = [name for name in changed if getattr(locked, name) != before[name]]
        if changed:
            locked.save(update_fields=changed)
            if by.user is not None:
                locked.makers.add(by.user)
            audit(
                "api_key.changed",
                locked,
                by=by,
                key=locked.prefix,
                name=locked.name,
                fields=changed,
                before={name: plain(before[name]) for name in changed},
                after={name: plain(policies[name]) for name in changed},
            )
    return changed


def _ask_about(key: ApiKey, *, by: Actor) -> None:
    """While approval is on, a new key opens nothing until a second admin confirmed it."""
    if not guard.on_guard(key.service_id):
        return
    opening = guard.Operation("sms.ApiKey", key.pk, {"confirmed": (False, True)})
    says = [{"name": NAMED(name=key), "before": gettext_noop("none"), "after": opens(key)}]
    key.waits = guard.ask(key.service_id, NAMED(name=key), opening, by=by, says=says)


def check(key: ApiKey) -> None:
    """Raises ValidationError."""
    if key.takes_jwt and key.is_test:
        says = _(
            "A test key cannot stand for the service's JWT: what is sent with it would reach no phone, without a word about it."
        )
        raise ValidationError({"takes_jwt": says})
    if key.takes_jwt and not (key.service.jwt_service_id and key.service.jwt_secret):
        says = _(
            "This service has no service ID and secret yet. Enter them under Set-up › Connection › Webex Connect first."
        )
        raise ValidationError({"takes_jwt": says})
    key.countries = key.countries.strip().upper()
    if key.cap_money is not None and not key.service.cap_currency:
        says = _("The spend caps have no currency yet. Enter one under Set-up › Rules › Spend caps first.")
        raise ValidationError({"cap_money": says})
    if key.name.lower() == RESERVED:
        says = _("Reports call what people sent “%(name)s”. Choose another name.")
        raise ValidationError({"name": says % {"name": RESERVED}})
    try:
        key.full_clean()
    except ValidationError as problem:
        if key.takes_jwt and (others := problem.error_dict.pop(NON_FIELD_ERRORS, None)):
            problem.error_dict["takes_jwt"] = others
        raise


def revoke(key: ApiKey, *, by: Actor) -> bool:
    """End it with the next request; False where it was revoked already.

    Where it was the last of its name, nobody could change its callback endpoints any more: they are switched off, until a person switches
    them on again.
    """
    now = corrected_now()
    with transaction.atomic():
        live = ApiKey.objects.filter(pk=key.pk, revoked_at=None)
        ends = list(ends_with(key, now=now).select_for_update(no_key=True, of=("self",)))
        done = live.update(revoked_at=now, revoked_by=by.label or "unknown")
        if done:
            audit("api_key.revoked", key, by=by, key=key.prefix, name=key.name)
            for endpoint in ends:
                disable(endpoint, because=REVOKED(name=key.name), now=now, by=by)
    return bool(done)


def ends_with(key: ApiKey, *, now: datetime) -> "QuerySet[CallbackEndpoint]":
    """Its callback endpoints that are on, where no other key of its name could look after them. Hosts of notifyUrls are not among them:
    they get receipts of what was sent already."""
    others = ApiKey.objects.filter(ApiKey.usable_at(now), identity=key.identity).exclude(pk=key.pk)
    on = CallbackEndpoint.objects.filter(
        service=key.service_id,
        key_owner=key.identity,
        kind=CallbackEndpoint.Kind.EVENTS,
        disabled_at=None,
    )
    return on.none() if others.exists() else on.order_by("pk")
