"""Admins hear of certificates that are about to expire: a week before, a day before, and once when one of our own address has.

That of our own address (PUBLIC_URL) is looked at by a job now and then, from here; those of short-link domains by their check.
"""

import asyncio
import ssl
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from django.contrib.auth import get_user_model
from django.utils.translation import gettext_noop

from sms import notices
from sms.catalogue.domains.site import Certificate, Open, certificate_of, open_wire
from sms.catalogue.expiry import in_words, stage
from sms.models import NoticeKind, ShortLinkDomain
from sms.models.sql.clock import corrected_now
from sms.words import KeptSentence

PATIENCE = 5.0  # seconds
EXPIRES = KeptSentence(gettext_noop("The certificate of the short-link domain %(host)s expires on %(at)s."))
MORE = gettext_noop(
    "From then on phones refuse its links. Send a new certificate to Webex Connect's support, who install it; that takes days."
)
OWN_EXPIRES = KeptSentence(
    gettext_noop("The certificate of Textdesk's own address, %(host)s, expires on %(at)s.")
)
OWN_EXPIRED = KeptSentence(
    gettext_noop("The certificate of Textdesk's own address, %(host)s, expired on %(at)s.")
)
MORE_OF_OWN = gettext_noop(
    "Without a valid one no receipts and replies come in, and browsers show a warning. Ask those who run this server to renew it."
)


@dataclass(frozen=True, slots=True)
class OwnAddress:
    """How our own address is reached. Tests give their own."""

    opened: Open = open_wire
    trust: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    patience: float = PATIENCE


def tell_of_domain(domain: ShortLinkDomain, expires_at: datetime, *, now: datetime) -> None:
    """One that has expired breaks the domain, which is told as that."""
    near = stage(expires_at, now)
    if near in ("", "over"):
        return
    notices.tell(
        NoticeKind.DOMAIN,
        notices.holding(domain.service, "admin"),
        event=f"domain_certificate:{domain.pk}:{expires_at:%Y%m%dT%H%M}:{near}",
        says=EXPIRES(host=domain.host, at=in_words(expires_at)),
        more=MORE,
        service=domain.service,
        page="link_domain",
        page_id=domain.pk,
        now=now,
    )


def tell_of_own(public_url: str, *, own: OwnAddress | None = None, now: datetime | None = None) -> None:
    """Nothing is said where there is no https, no answer, or another server's certificate."""
    now, address = now or corrected_now(), urlsplit(public_url)
    if address.scheme != "https" or not address.hostname:
        return
    shown = asyncio.run(_shown(address.hostname, address.port or 443, own or OwnAddress()))
    if shown is None or shown.fault == "other_name" or not (near := stage(shown.expires_at, now)):
        return
    told = OWN_EXPIRED if near == "over" else OWN_EXPIRES
    people = get_user_model()._default_manager.filter(memberships__role="admin", is_active=True)
    notices.tell(
        NoticeKind.DOMAIN,
        {*people.values_list("pk", flat=True), *notices.superusers()},
        event=f"own_certificate:{shown.expires_at:%Y%m%dT%H%M}:{near}",
        says=told(host=address.hostname, at=in_words(shown.expires_at)),
        more=MORE_OF_OWN,
        now=now,
    )


async def _shown(host: str, port: int, own: OwnAddress) -> Certificate | None:
    try:
        async with asyncio.timeout(own.patience):
            return await certificate_of(host, host, port, opened=own.opened, trust=own.trust)
    except (OSError, TimeoutError):  # a refused handshake is an OSError too
        return None
