"""Hosts of notifyUrls: they come with the first send that names them, or before it, where a partner wants to know its secret."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from sms.callbacks.address import AddressPolicy, BadAddress, read
from sms.callbacks.endpoints import TooMany
from sms.models import Actor, CallbackEndpoint, Notify, Send, Service
from sms.models.audit import audit
from sms.models.sql.clock import corrected_now
from sms.words import number

MOST_ORIGINS = 500  # hosts that people's sends name in a service, and as many of each API key


def expect(
    service: Service, *, url: str, by: Actor, policy: AddressPolicy, secret: str = ""
) -> CallbackEndpoint:
    """The host of a notifyUrl before the first send that names it, with a secret that is given or shown. Raises `BadAddress`, `TooMany`."""
    origin = read(url, policy).origin
    with transaction.atomic():
        hosts = _hosts(service.pk, by.owner)
        if hosts.filter(url=origin).exists():
            raise BadAddress(_("That host is there already. Give it a secret with rotate-secret."))
        _check_room(hosts)
        given = {"secret": secret} if secret else {}
        endpoint = CallbackEndpoint.objects.create(
            service=service,
            key_owner=by.owner,
            kind=CallbackEndpoint.Kind.NOTIFY,
            url=origin,
            created_by=by.label,
            **_new_host(origin, hosts) | given | {"secret_shown": True},
        )
        audit("callback_endpoint.added", endpoint, by=by, url=origin)
    return endpoint


def _hosts(service_id: int, owner: Any) -> "QuerySet[CallbackEndpoint]":
    kind = CallbackEndpoint.Kind.NOTIFY
    return CallbackEndpoint.objects.filter(service=service_id, kind=kind, key_owner=owner)


def _check_room(hosts: "QuerySet[CallbackEndpoint]") -> None:
    if hosts.count() >= MOST_ORIGINS:
        raise TooMany(_("Receipts go to %(n)s hosts already.") % {"n": number(MOST_ORIGINS)})


def _new_host(origin: str, hosts: "QuerySet[CallbackEndpoint]") -> dict[str, Any]:
    """It begins with the secret that the key knows from its latest host, so that one secret is enough for all of them."""
    fields: dict[str, Any] = {"name": origin.partition("://")[2][:80], "verified_at": corrected_now()}
    known = hosts.filter(secret_shown=True).order_by("-pk").values_list("secret", flat=True).first()
    return fields | ({"secret": known} if known else {"secret_shown": False})


def pass_receipts_on(send: Send, *, policy: AddressPolicy) -> Notify:
    """Have its receipts passed on to its `notify_url`, in the transaction that makes the send. Raises `BadAddress`, `TooMany`."""
    origin = read(send.notify_url, policy).origin
    hosts = _hosts(send.service_id, send.owner)
    endpoint_id = hosts.filter(url=origin).values_list("pk", flat=True).first()
    if endpoint_id is None:
        _check_room(hosts)
        made, _new = CallbackEndpoint.objects.get_or_create(
            service_id=send.service_id,
            key_owner=send.owner,
            kind=CallbackEndpoint.Kind.NOTIFY,
            url=origin,
            defaults=_new_host(origin, hosts if send.owner else hosts.none()),
        )
        endpoint_id = made.pk
    return Notify.objects.create(send=send, endpoint_id=endpoint_id)
