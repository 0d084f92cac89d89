"""The blocks of a request that stand on their own: links, smartlinks and the contact policy."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from sms.webex.sandbox.fields import flag, known, string
from sms.webex.sandbox.refusals import invalid, missing
from sms.webex.sandbox.settings import Settings
from sms.webex.sandbox.switches import Switches

_DOMAIN = re.compile(r"(?:https?://)?([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?)/?")
_TAG = re.compile(r"[A-Za-z0-9_-]{1,50}")
_SMART = re.compile(r"\{\{smartlink_([0-9]+)\}\}")
_COUNT = re.compile(r"[0-9]{1,9}")


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
    entries = [given] if isinstance(given, dict) else given or []
    if not isinstance(entries, list):
        raise invalid("smartlinks")
    in_text = set(_SMART.findall(text))
    listed: dict[str, float] = {}
    fault = ""
    for entry in entries:
        if not isinstance(entry, dict):
            raise invalid("smartlinks")
        known(entry, "smartlinks", switches)
        for name in ("smartlinkId", "validity"):
            if entry.get(name) in (None, ""):
                raise missing(f"smartlinks.{name}")
        link, validity = _count(entry, "smartlinkId"), _count(entry, "validity")
        if link not in in_text and switches.unused_smartlink == "7004":
            raise invalid("smartlinks")
        if link in settings.smartlinks:
            listed[link] = int(validity) * (60 if switches.smartlink_validity == "minutes" else 1)
        elif switches.unknown_smartlink == "reply":
            raise invalid("smartlinks.smartlinkId")
        elif switches.unknown_smartlink == "receipt":
            fault = "7004"
    if switches.unlisted_smartlink == "7004" and in_text - listed.keys():
        raise invalid("smartlinks")
    return {link: seconds for link, seconds in listed.items() if link in in_text}, fault


def _count(entry: dict[str, Any], name: str) -> str:
    """A whole number above 0, written as number or text."""
    value = entry[name]
    digits = str(value)
    if isinstance(value, bool | float) or not _COUNT.fullmatch(digits) or int(digits) < 1:
        raise invalid(f"smartlinks.{name}")
    return digits


def links_of(data: dict[str, Any], settings: Settings) -> SandboxLinkOptions:
    options, switches = data["options"], settings.switches
    if not isinstance(options, dict):
        raise invalid("options")
    known(options, "options", switches)
    domain = options.get("domain")
    match = _DOMAIN.fullmatch(domain) if isinstance(domain, str) else None
    if not isinstance(domain, str) or match is None:
        raise invalid("options.domain")
    if switches.unknown_domain == "7004" and match[1].lower() not in settings.domains:
        raise invalid("options.domain")
    tags = []
    for name in ("tag1", "tag2"):
        tag = string(options, name)
        if tag and not _TAG.fullmatch(tag):
            raise invalid(f"options.{name}")
        if not tag and switches.options_tags == "required":
            raise missing(f"options.{name}")
        tags += [tag] if tag else []
    if switches.fallback_flag == "required" and options.get("allowFallbackURL") in (None, ""):
        raise missing("options.allowFallbackURL")
    whole = domain.rstrip("/") if "://" in domain else f"https://{match[1]}"
    shorten, track = flag(options, "shortenLinks"), flag(options, "trackClicks")
    return SandboxLinkOptions(whole, shorten, track, flag(options, "allowFallbackURL"), tuple(tags))


def policy_of(data: dict[str, Any], switches: Switches) -> SandboxPolicyOptions | None:
    """What ``contactPolicy`` asks for, or None where that is nothing."""
    policy = data["contactPolicy"]
    if not isinstance(policy, dict):
        raise invalid("contactPolicy")
    known(policy, "contactPolicy", switches)
    consent, cap = flag(policy, "channelCheckConsent"), flag(policy, "channelApplyFrequencyCap")
    group = string(policy, "contactPolicyGroup")
    if not (consent or cap):
        if switches.policy_no_flag == "ignore":
            return None
        if switches.policy_no_flag == "7004":
            raise invalid("contactPolicy")
        return SandboxPolicyOptions(group, consent, cap, "9001")
    if not group and switches.policy_no_group == "7004":
        raise invalid("contactPolicyGroup")
    return SandboxPolicyOptions(group, consent, cap, "" if group else "9001")
