"""The links of an order: whether its short-link domain works, and the smartlinks of its text."""

from sms.models import DomainState, Service, ShortLinkDomain
from sms.webex.limits import SMARTLINK


def domain_problem(domain: ShortLinkDomain) -> str:
    """Why links on this domain would fail, with the way out; empty where they work, or it was never checked."""
    if domain.state not in (DomainState.BROKEN, DomainState.NOT_SET_UP):
        return ""
    return (
        f"{domain} is {domain.get_state_display().lower()}. {domain.says} "
        "Choose another domain, leave links as they are, or have an admin correct it and press Check now."
    )


def domain_cautions(domain: ShortLinkDomain | None) -> tuple[str, ...]:
    """What to know of a domain that works, or may."""
    if domain is None or domain.state not in (DomainState.DEGRADED, DomainState.PENDING):
        return ()
    return (f"{domain} is {domain.get_state_display().lower()}: {domain.says}",)


def filtering(domain: ShortLinkDomain) -> str:
    """What operators do to its short links without saying so."""
    if not domain.is_shared:
        return f"Some operators filter short links without notice, also those on {domain}."
    return (
        f"{domain} is shared with other senders, and some operators filter such short links without notice. "
        "A domain of your own is filtered less."
    )


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
        f"The text uses {{{{smartlink_{one}}}}}, which is no smartlink of the catalogue that can be used. "
        "Have an admin add it, or take it out."
        for one in wanted
        if one not in listed
    ]
    return [[one, listed[one]] for one in wanted if one in listed], missing
