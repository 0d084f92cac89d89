"""What is not documented about a tenant, doubt by doubt: how each answer reads, and which switch of the service it sets."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from sms.models import InlineValues, LinkFields, Service, SmartlinkUnit
from sms.words import number

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

UNDERSTOOD = _("Both ways are understood.")


@dataclass(frozen=True, slots=True)
class TenantDoubt:
    """`answers` are the sentences of its values. `column` is the switch it sets; `assumed` is what is done without one."""

    key: str
    title: "StrOrPromise"
    question: str
    answers: "Mapping[str, StrOrPromise]"
    column: str = ""
    assumed: "StrOrPromise" = UNDERSTOOD

    def words(self, value: str) -> str:
        return str(self.answers.get(value, value))


_TABLE = (
    TenantDoubt(
        "plus",
        _("Numbers with +"),
        "plain",
        {"optional": _("Numbers are taken without +."), "required": _("Numbers are taken with + only.")},
        column="e164_plus",
    ),
    TenantDoubt("accepted_as", _("Status of an accepted request"), "plain", {}),
    TenantDoubt(
        "reply_time",
        _("Time in a reply"),
        "plain",
        {"utc": _("In UTC."), "offset": _("With an offset from UTC.")},
    ),
    TenantDoubt(
        "receipt_time",
        _("Times in receipts"),
        "plain",
        {"Z": _("In UTC."), "+00:00": _("In UTC, written as +00:00.")},
    ),
    TenantDoubt(
        "receipt_number", _("Numbers in receipts"), "plain", {"digits": _("Without +."), "plus": _("With +.")}
    ),
    TenantDoubt(
        "ids_match",
        _("Message id in reply and receipt"),
        "plain",
        {"yes": _("The same."), "no": _("Different.")},
        assumed=_("Receipts are matched by Textdesk's own id."),
    ),
    TenantDoubt(
        "notify_signed",
        _("Signature of receipts to the address in messages"),
        "plain",
        {"yes": _("They are signed."), "no": _("They are not signed.")},
        column="notify_url_signed",
    ),
    TenantDoubt(
        "both_fire",
        _("Where receipts come"),
        "plain",
        {
            "notify_url": _("To the address in messages alone."),
            "webhook": _("To the webhook alone."),
            "both": _("To both addresses."),
        },
        assumed=_("Either will do, and a receipt that comes twice counts once."),
    ),
    TenantDoubt(
        "reply_to_many",
        _("Reply to several recipients"),
        "pair",
        {
            "object": _("One object."),
            "list": _("A list."),
            "object_with_list": _("An object with a list in it."),
        },
    ),
    TenantDoubt(
        "ids_of_many",
        _("Message ids of several recipients"),
        "pair",
        {
            "suffix": _("The first one's with _1, _2 … behind it."),
            "same": _("The same for all."),
            "own": _("One each."),
        },
        assumed=_("Each receipt brings its own."),
    ),
    TenantDoubt(
        "own_receipts",
        _("Receipts of several recipients"),
        "pair",
        {
            "yes": _("One of its own for each."),
            "no": _("Not for each, so each message gets a request of its own."),
        },
        column="batch_size",
    ),
    TenantDoubt(
        "inline_values",
        _("Values in a text of yours"),
        "pair",
        {"fill": _("Webex Connect puts them in."), "templates": _("Only in its own templates.")},
        column="inline_values",
    ),
    TenantDoubt(
        "placeholder",
        _("How a placeholder is written"),
        "pair",
        {"parentheses": "$(name)", "braces": "${name}", "both": _("$(name) or ${name}")},
        assumed=_("Textdesk puts the values in before a message leaves."),
    ),
    TenantDoubt(
        "options_tags",
        _("Tags of link options"),
        "links",
        {"optional": _("They may be left out."), "required": _("They are mandatory.")},
        column="link_fields",
    ),
    TenantDoubt(
        "fallback_flag",
        _("The fallback of link options"),
        "links",
        {"optional": _("It may be left out."), "required": _("It is mandatory.")},
        column="link_fields",
    ),
    TenantDoubt(
        "text_limit",
        _("Longest text"),
        "length",
        {"1024": _("1,024 characters."), "4000": _("More than 1,024; 4,000 by the documents.")},
        column="text_limit",
    ),
    TenantDoubt(
        "length_unit",
        _("How an emoji counts"),
        "emoji",
        {"utf16": _("As two characters."), "characters": _("As one character.")},
        column="length_unit",
    ),
    TenantDoubt(
        "validity_kept",
        _("Messages past their validity"),
        "validity",
        {"yes": _("They are dropped."), "no": _("They may arrive all the same.")},
        column="validity_kept",
    ),
    TenantDoubt(
        "smartlink_validity",
        _("Validity of smartlinks"),
        "smartlink",
        {"minutes": _("In minutes."), "seconds": _("In seconds.")},
        column="smartlink_unit",
    ),
    TenantDoubt(
        "throttle_as",
        _("Answer to too many requests"),
        "throttle",
        {"429": _("Status 429."), "7020": _("Code 7020.")},
    ),
)
DOUBTS = {one.key: one for one in _TABLE}


def columns_of(found: Mapping[str, str], *, origin: str) -> dict[str, Any]:
    """The service's columns that these findings set."""
    columns: dict[str, Any] = {}
    if found.get("plus") == "required":
        columns["e164_plus"] = True
    if "notify_signed" in found:
        columns["notify_url_signed"] = found["notify_signed"] == "yes"
    if found.get("own_receipts") == "no":
        columns["batch_size"] = 1
    if "inline_values" in found:
        columns["inline_values"] = _inline(found)
        columns["inline_values_origin"] = origin
    if {"options_tags", "fallback_flag"} <= found.keys():
        optional = found["options_tags"] == found["fallback_flag"] == "optional"
        columns["link_fields"] = LinkFields.GIVEN if optional else LinkFields.ALL
    if "text_limit" in found:
        columns["text_limit"] = int(found["text_limit"])
    if "length_unit" in found:
        columns["length_unit"] = found["length_unit"]
    if "validity_kept" in found:
        columns["validity_kept"] = found["validity_kept"] == "yes"
    if "smartlink_validity" in found:
        columns["smartlink_unit"] = found["smartlink_validity"]
    return columns


def _inline(found: Mapping[str, str]) -> InlineValues:
    if found["inline_values"] != "fill" or found.get("own_receipts") == "no":
        return InlineValues.TEMPLATES
    return InlineValues.BRACES if found.get("placeholder") == "braces" else InlineValues.PARENTHESES


_SAYS: Mapping[str, Callable[[Service], str]] = {
    "inline_values": lambda service: f"{InlineValues(service.fills_inline or InlineValues.TEMPLATES).label}.",
    "notify_url_signed": lambda service: (
        gettext("They must be signed.")
        if service.notify_url_signed
        else gettext("No signature is asked for.")
    ),
    "e164_plus": lambda service: gettext("With +.") if service.e164_plus else gettext("Without +."),
    "batch_size": lambda service: (
        gettext("One message in each request.")
        if service.batch_size == 1
        else ngettext(
            "Up to %(n)s message in one request.", "Up to %(n)s messages in one request.", service.batch_size
        )
        % {"n": number(service.batch_size)}
    ),
    "link_fields": lambda service: f"{service.get_link_fields_display()}.",
    "text_limit": lambda service: (
        ngettext("%(n)s character.", "%(n)s characters.", service.text_limit)
        % {"n": number(service.text_limit)}
    ),
    "length_unit": lambda service: f"{service.get_length_unit_display()}.",
    "validity_kept": lambda service: (
        gettext("They are dropped.") if service.validity_kept else gettext("They may arrive all the same.")
    ),
    "smartlink_unit": lambda service: (
        gettext("In minutes.") if service.smartlink_unit == SmartlinkUnit.MINUTES else gettext("In seconds.")
    ),
}


def in_use(doubt: TenantDoubt, service: Service) -> str:
    """What Textdesk goes by today, as a sentence."""
    return _SAYS[doubt.column](service) if doubt.column else str(doubt.assumed)
