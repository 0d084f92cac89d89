"""The blocks of a request that stand on their own: links, smartlinks and the contact policy."""

import re
from typing import Any, NamedTuple

from sms.webex.sandbox.fields import block, flag, needed, string, whole
from sms.webex.sandbox.refusals import SandboxRefused, invalid, missing
from sms.webex.sandbox.settings import Settings
from sms.webex.sandbox.switches import Switches

_DOMAIN = re.compile(r"(?:https?://)?([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?)/?")
_TAG = re.compile(r"[A-Za-z0-9_-]{1,50}")
_SMART = re.compile(r"\{\{smartlink_([0-9]+)\}\}")


class SandboxPolicyOptions(NamedTuple):
    """A contact policy to apply; ``fault`` is the code that it fails with before anything is looked up."""

    group: str
    consent: bool
    cap: bool
    fault: str = ""


class SandboxLinkOptions(NamedTuple):
    domain: str = ""  # with https:// or http://
    shorten: bool = False
    track: bool = False
    fallback: bool = False
    tags: tuple[str, ...] = ()


def smartlinks_of(data: dict[str, Any], text: str, settings: Settings) -> tuple[dict[str, float], str]:
    """The smartlinks to put in with their seconds, and the code that the message fails with."""
    given, switches = data.get("smartlinks"), settings.switches
    # The table of parameters types it an object, the sample is a list of objects.
    entries = [given] if isinstance(given, dict) else [] if given is None else given
    if not isinstance(entries, list):
        raise invalid("smartlinks")
    mentioned = set(_SMART.findall(text))
    listed: dict[str, float] = {}
    fault = ""
    for entry in entries:
        block(entry, "smartlinks", switches)
        link, validity = str(_count(entry, "smartlinkId")), _count(entry, "validity")
        if link not in mentioned and switches.unused_smartlink == "7004":
            raise invalid("smartlinks")  # they "need to be mentioned in the SMS text field"
        if link in settings.smartlinks:
            listed[link] = validity * (60 if switches.smartlink_validity == "minutes" else 1)
        elif switches.unknown_smartlink == "reply":
            raise invalid("smartlinks.smartlinkId")
        elif switches.unknown_smartlink == "receipt":
            fault = "7004"
    if switches.unlisted_smartlink == "7004" and mentioned - listed.keys():
        raise invalid("smartlinks")
    return {link: seconds for link, seconds in listed.items() if link in mentioned}, fault


def _count(entry: dict[str, Any], name: str) -> int:
    """A whole number above 0."""
    called = f"smartlinks.{name}"
    if entry.get(name) in (None, ""):
        raise missing(called)
    count = whole(entry[name], called)
    if count < 1:
        raise invalid(called)
    return count


def links_of(data: dict[str, Any], settings: Settings) -> SandboxLinkOptions:
    switches = settings.switches
    options = block(data["options"], "options", switches)
    shorten, track = flag(options, "shortenLinks"), flag(options, "trackClicks")
    domain = _domain(options, settings)
    tags = []
    for name in ("tag1", "tag2"):
        tag = string(options, name, f"options.{name}")
        if tag and not _TAG.fullmatch(tag):
            raise invalid(f"options.{name}")
        if not tag and switches.options_tags == "required":
            raise missing(f"options.{name}")
        tags += [tag] if tag else []
    if switches.fallback_flag == "required" and options.get("allowFallbackURL") in (None, ""):
        raise missing("options.allowFallbackURL")
    return SandboxLinkOptions(domain, shorten, track, flag(options, "allowFallbackURL"), tuple(tags))


def _domain(options: dict[str, Any], settings: Settings) -> str:
    """Mandatory "only when 'options' object is used"; the seed writes it with a scheme, other pages without."""
    switches, called = settings.switches, "options.domain"
    if options.get("domain") in (None, "") and switches.no_domain == "7004":
        raise invalid(called)
    domain = needed(options, "domain", called)
    match = _DOMAIN.fullmatch(domain)
    if match is None or (switches.unknown_domain == "7004" and match[1].lower() not in settings.domains):
        raise invalid(called)
    return domain.rstrip("/") if "://" in domain else f"https://{match[1]}"


def policy_of(data: dict[str, Any], switches: Switches) -> SandboxPolicyOptions | None:
    """What ``contactPolicy`` asks for, or None where that is nothing."""
    policy = block(data["contactPolicy"], "contactPolicy", switches)
    group = string(policy, "contactPolicyGroup")
    consent, cap = flag(policy, "channelCheckConsent"), flag(policy, "channelApplyFrequencyCap")
    if not (consent or cap):  # "at least one … should be set to true"
        if switches.policy_no_flag == "ignore":
            return None
        if switches.policy_no_flag == "7004":
            raise invalid("contactPolicy")
        return SandboxPolicyOptions(group, consent, cap, "9001")
    if not group and switches.policy_no_group != "9001":  # "required if any of the following … set to true"
        words = {"7003": "Mandatory parameter missing", "7004": "Invalid parameter"}
        code = switches.policy_no_group
        raise SandboxRefused(code, words[code], "contactPolicyGroup")
    return SandboxPolicyOptions(group, consent, cap, "" if group else "9001")
