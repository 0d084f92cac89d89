"""Send options of an order: what cannot be asked for, in sentences. The options themselves are in `sms.models.send_options`."""

import functools
from collections.abc import Collection, Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, override

from sms import callbacks
from sms.compose.errors import PartnerRequest
from sms.models import USUAL_RECEIPTS, Draft, Receipts, Resend, SendOptions
from sms.models.send_options import ONE_END
from sms.values.problems import Problem, ProblemCode, code_of
from sms.words import KeptSentence, listed

NO_CHECKS = KeptSentence(
    gettext_noop(
        "%(group)s must check consent, the frequency cap, or both. Choose one of them, or choose no policy group."
    )
)
RESENDS_NEED = KeptSentence(
    gettext_noop(
        "Sending again by the receipts of others needs the receipts %(receipts)s. Ask for them, or choose otherwise there."
    )
)
RAMP_NEEDS = KeptSentence(
    gettext_noop("Starting small needs the receipts %(receipts)s. Ask for them, or choose otherwise there.")
)
LINKS = ("shorten_links", "track_clicks", "allow_fallback_url", "tag1", "tag2")
# what nothing comes of without the option before it
BELONGS = {
    "template": ("language",),
    "link_domain": LINKS,
    "policy_group": ("check_consent", "apply_frequency_cap"),
}


def asking_for(**fields: Any) -> SendOptions:
    """Options that are on their way: an unsaved draft has them all, with their defaults."""
    return Draft(**fields)


def changed(asked: SendOptions, **fields: Any) -> SendOptions:
    return asking_for(**asked.options() | fields)


def checks_in_words(asked: SendOptions) -> str:
    """`consent and the frequency cap`, as they are checked at each message; empty for neither."""
    both = asked.checks_consent and asked.applies_frequency_cap
    if both:
        return _("consent and the frequency cap")
    return (
        _("consent")
        if asked.checks_consent
        else _("the frequency cap")
        if asked.applies_frequency_cap
        else ""
    )


def in_words(asked: SendOptions, *, without: Collection[str] = ()) -> dict[str, str]:
    """What is not as usual, by the name that pages show."""
    found = {}
    for field in SendOptions.fields():
        value = getattr(asked, field.attname)
        if field.name in without or field.remote_field or value == field.get_default() or value in (None, ""):
            continue
        shown = dict(field.flatchoices).get(value, value)
        found[_name_of(field)] = (
            {True: _("yes"), False: _("no")}[shown] if isinstance(shown, bool) else str(shown)
        )
    return found


def _name_of(field: Any) -> str:
    return f"{field.verbose_name[:1].upper()}{field.verbose_name[1:]}"


def retold_name(kept: str) -> str:
    """The name of an option that was kept in English."""
    with override("en"):
        named = {_name_of(field): field for field in SendOptions.fields()}
    return _name_of(named[kept]) if kept in named else kept


def missing_receipts(asked: SendOptions) -> Receipts:
    """Usual receipts that were left out; CLICKED only matters where links are tracked."""
    return USUAL_RECEIPTS & ~asked.receipts & ~(0 if asked.track_clicks else Receipts.CLICKED)


def problems(asked: SendOptions, *, partner: PartnerRequest | None = None) -> Iterator[Problem]:
    """What its columns do not take, then what does not go together: what waits for receipts has to get them.

    A partner's request gets all of them (`Send.requested_receipts`), may name an address that is not called, and has the moment at which
    its validity ends as its expiry.
    """
    try:
        asked.clean_fields(exclude=_not_to_clean())
    except ValidationError as error:
        for name, errors in error.error_dict.items():
            says = " ".join(message for one in errors for message in one.messages)
            yield Problem(code_of(errors[0].code), name, says)
    must_call = partner is None or partner.on_not_called is None
    if must_call and asked.notify_url and (says := callbacks.address_problem(asked.notify_url)):
        yield Problem(ProblemCode.INVALID, "notify_url", says)
    if asked.resend == Resend.ALWAYS and asked.expires_at is None and asked.validity is None:
        yield Problem(
            ProblemCode.NEEDS_ANOTHER,
            "expires_at",
            _("Sending again when in doubt needs an expiry or a validity, so that it comes to an end."),
        )
    group = asked.policy_group
    if group is not None and not (asked.checks_consent or asked.applies_frequency_cap):
        yield Problem(
            ProblemCode.REQUIRED,
            "check_consent",
            _(NO_CHECKS.text) % {"group": group},
        )
    lost = (Receipts.DELIVERED | Receipts.FAILED) & ~asked.receipts
    relies = RESENDS_NEED if asked.resend == Resend.EVIDENCE else None
    relies = RAMP_NEEDS if asked.ramp else relies
    if relies and lost and asked.receipts and partner is None:
        says = _(relies.text) % {"receipts": listed(map(str, lost))}
        yield Problem(ProblemCode.NEEDS_ANOTHER, "receipts", says)
    if partner is None and asked.validity is not None and asked.expires_at is not None:
        yield Problem(
            ProblemCode.ONLY_ONE,
            "validity",
            str(ONE_END),
        )


@functools.cache
def _not_to_clean() -> set[str]:
    """Other columns of a draft, and what points to the catalogue: that is looked at with the catalogue."""
    options = {field.name for field in SendOptions.fields() if not isinstance(field, models.ForeignKey)}
    return {field.name for field in Draft._meta.fields if field.name not in options}
