"""The links of an order: whether its short-link domain works, and the smartlinks of its text."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from sms.models import DomainState, Service, ShortLinkDomain
from sms.webex.limits import SMARTLINK
from sms.words import KeptSentence, retold

IS_BROKEN = KeptSentence(
    gettext_noop(
        "%(domain)s is broken. %(says)s Choose another domain, leave links as they are, "
        "or have an admin correct it and press Check now."
    )
)
IS_NOT_SET_UP = KeptSentence(
    gettext_noop(
        "%(domain)s is not set up. %(says)s Choose another domain, leave links as they are, "
        "or have an admin correct it and press Check now."
    )
)
NO_SMARTLINK = KeptSentence(
    gettext_noop(
        "The text uses %(token)s, which is no smartlink of the catalogue that can be used. Have an admin add it, or take it out."
    )
)


def domain_problem(domain: ShortLinkDomain) -> str:
    """Why links on this domain would fail, with the way out; empty where they work, or it was never checked."""
    if domain.state not in (DomainState.BROKEN, DomainState.NOT_SET_UP):
        return ""
    kept = IS_BROKEN if domain.state == DomainState.BROKEN else IS_NOT_SET_UP
    return _(kept.text) % {"domain": domain, "says": retold(domain.says)}


def domain_cautions(domain: ShortLinkDomain | None) -> tuple[str, ...]:
    """What to know of a domain that works, or may."""
    if domain is None or domain.state not in (DomainState.DEGRADED, DomainState.PENDING):
        return ()
    facts = {"domain": domain, "says": retold(domain.says)}
    if domain.state == DomainState.DEGRADED:
        return (_("%(domain)s is degraded: %(says)s") % facts,)
    return (_("%(domain)s is pending: %(says)s") % facts,)


def filtering(domain: ShortLinkDomain) -> str:
    """What operators do to its short links without saying so."""
    if not domain.is_shared:
        return _("Some operators filter short links without notice, also those on %(domain)s.") % {
            "domain": domain
        }
    return _(
        "%(domain)s is shared with other senders, and some operators filter such short links without notice. "
        "A domain of your own is filtered less."
    ) % {"domain": domain}


def smartlinks(service: Service, text: str) -> tuple[list[list[int]], list[str]]:
    """[id, minutes] of every smartlink in a text, and a sentence for each that the catalogue does not offer."""
    wanted = list(dict.fromkeys(int(one) for one in SMARTLINK.findall(text)))
    if not wanted:
        return [], []
    listed = dict(
        service.smartlinks.filter(smartlink_id__in=wanted, active=True).values_list(
            "smartlink_id", "validity"
        )
    )
    missing = [
        _(NO_SMARTLINK.text) % {"token": f"{{{{smartlink_{one}}}}}"} for one in wanted if one not in listed
    ]
    return [[one, listed[one]] for one in wanted if one in listed], missing
