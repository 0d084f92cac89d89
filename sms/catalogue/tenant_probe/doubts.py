"""What is not documented about a tenant, doubt by doubt: how each answer reads, and which switch of the service it sets."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sms.models import InlineValues, LinkFields, Service


@dataclass(frozen=True, slots=True)
class TenantDoubt:
    """`answers` are the sentences of its values. `column` is the switch it sets; `assumed` is what is done without one."""

    key: str
    title: str
    question: str
    answers: Mapping[str, str]
    column: str = ""
    assumed: str = "Both ways are understood."

    def words(self, value: str) -> str:
        return self.answers.get(value, value)


_TABLE = (
    TenantDoubt(
        "plus",
        "Numbers with +",
        "plain",
        {"optional": "Numbers are taken without +.", "required": "Numbers are taken with + only."},
        column="e164_plus",
    ),
    TenantDoubt("accepted_as", "Status of an accepted request", "plain", {}),
    TenantDoubt(
        "reply_time",
        "Time in a reply",
        "plain",
        {"utc": "In UTC.", "offset": "With an offset from UTC."},
    ),
    TenantDoubt(
        "receipt_time",
        "Times in receipts",
        "plain",
        {"Z": "In UTC.", "+00:00": "In UTC, written as +00:00."},
    ),
    TenantDoubt(
        "receipt_number", "Numbers in receipts", "plain", {"digits": "Without +.", "plus": "With +."}
    ),
    TenantDoubt(
        "ids_match",
        "Message id in reply and receipt",
        "plain",
        {"yes": "The same.", "no": "Different."},
        assumed="Receipts are matched by Textdesk's own id.",
    ),
    TenantDoubt(
        "notify_signed",
        "Signature of receipts to the address in messages",
        "plain",
        {"yes": "They are signed.", "no": "They are not signed."},
        column="notify_url_signed",
    ),
    TenantDoubt(
        "both_fire",
        "Where receipts come",
        "plain",
        {
            "notify_url": "To the address in messages alone.",
            "webhook": "To the webhook alone.",
            "both": "To both addresses.",
        },
        assumed="Either will do, and a receipt that comes twice counts once.",
    ),
    TenantDoubt(
        "reply_to_many",
        "Reply to several recipients",
        "pair",
        {"object": "One object.", "list": "A list.", "object_with_list": "An object with a list in it."},
    ),
    TenantDoubt(
        "ids_of_many",
        "Message ids of several recipients",
        "pair",
        {
            "suffix": "The first one's with _1, _2 … behind it.",
            "same": "The same for all.",
            "own": "One each.",
        },
        assumed="Each receipt brings its own.",
    ),
    TenantDoubt(
        "own_receipts",
        "Receipts of several recipients",
        "pair",
        {"yes": "One of its own for each.", "no": "Not for each, so each message gets a request of its own."},
        column="batch_size",
    ),
    TenantDoubt(
        "inline_values",
        "Values in a text of yours",
        "pair",
        {"fill": "Webex Connect puts them in.", "templates": "Only in its own templates."},
        column="inline_values",
    ),
    TenantDoubt(
        "placeholder",
        "How a placeholder is written",
        "pair",
        {"parentheses": "$(name)", "braces": "${name}", "both": "$(name) or ${name}"},
        assumed="Textdesk puts the values in before a message leaves.",
    ),
    TenantDoubt(
        "options_tags",
        "Tags of link options",
        "links",
        {"optional": "They may be left out.", "required": "They are mandatory."},
        column="link_fields",
    ),
    TenantDoubt(
        "fallback_flag",
        "The fallback of link options",
        "links",
        {"optional": "It may be left out.", "required": "It is mandatory."},
        column="link_fields",
    ),
    TenantDoubt(
        "text_limit",
        "Longest text",
        "length",
        {"1024": "1,024 characters.", "4000": "More than 1,024; 4,000 by the documents."},
        column="text_limit",
    ),
    TenantDoubt(
        "length_unit",
        "How an emoji counts",
        "emoji",
        {"utf16": "As two characters.", "characters": "As one character."},
        column="length_unit",
    ),
    TenantDoubt(
        "validity_kept",
        "Messages past their validity",
        "validity",
        {"yes": "They are dropped.", "no": "They may arrive all the same."},
        column="validity_kept",
    ),
    TenantDoubt(
        "smartlink_validity",
        "Validity of smartlinks",
        "smartlink",
        {"minutes": "In minutes.", "seconds": "In seconds."},
        column="smartlink_unit",
    ),
    TenantDoubt(
        "throttle_as",
        "Answer to too many requests",
        "throttle",
        {"429": "Status 429.", "7020": "Code 7020."},
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
        "They must be signed." if service.notify_url_signed else "No signature is asked for."
    ),
    "e164_plus": lambda service: "With +." if service.e164_plus else "Without +.",
    "batch_size": lambda service: (
        "One message in each request."
        if service.batch_size == 1
        else f"Up to {service.batch_size:,} messages in one request."
    ),
    "link_fields": lambda service: f"{service.get_link_fields_display()}.",
    "text_limit": lambda service: f"{service.text_limit:,} characters.",
    "length_unit": lambda service: f"{service.get_length_unit_display()}.",
    "validity_kept": lambda service: (
        "They are dropped." if service.validity_kept else "They may arrive all the same."
    ),
    "smartlink_unit": lambda service: f"In {service.get_smartlink_unit_display().lower()}.",
}


def in_use(doubt: TenantDoubt, service: Service) -> str:
    """What Textdesk goes by today, as a sentence."""
    return _SAYS[doubt.column](service) if doubt.column else doubt.assumed
