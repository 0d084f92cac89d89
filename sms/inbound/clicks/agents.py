"""What a user agent says of the client that fetches: names of previewers, crawlers, scanners and tools, and the shapes of browsers.

A name in these lists is the machine's own word, so the lists err on one side only: a machine that pretends to be a browser is not
caught here. Raise `sms.inbound.clicks.verdicts.RULES` with every change.
"""

import re
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

import msgspec


class Agent(StrEnum):
    """What fetches, by its own word. The last six are browsers or say too little."""

    PREVIEW = "preview"  # makes the little picture of a link in a chat
    CRAWLER = "crawler"  # reads the web for a search engine or an archive
    SCANNER = "scanner"  # looks for malware and phishing
    HEADLESS = "headless"  # a browser without a screen
    TOOL = "tool"  # a program or library
    APP = "app"  # an app's own fetching, behind its user's back
    OUTDATED = "outdated"  # a desktop browser that has been gone for years
    BARE = "bare"  # only "Mozilla/5.0"
    PHONE = "phone"
    MAC = "mac"  # a Mac, or an iPad, which says the same
    DESKTOP = "desktop"
    INCOMPLETE = "incomplete"  # the beginning of a browser's agent only
    MISSING = "missing"
    UNKNOWN = "unknown"


class _Names(msgspec.Struct, frozen=True):
    """What betrays one kind: the text's beginnings, parts anywhere, and a pattern where a part needs more."""

    agent: Agent
    begins: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    pattern: str = ""

    def match(self, text: str) -> bool:
        if text.startswith(self.begins) or any(part in text for part in self.parts):
            return True
        return bool(self.pattern and re.search(self.pattern, text))


_DECLARED = msgspec.toml.decode(
    Path(__file__).with_name("agents.toml").read_bytes(), type=dict[str, list[_Names]]
)["declared"]

_ENGINE = re.compile(r"AppleWebKit/|Gecko/|Presto/|Trident/|KHTML|MSIE \d")
_PHONE = re.compile(
    r"iPhone|iPad|iPod|Android|Windows Phone|IEMobile|BlackBerry|BB10|KAIOS|Tizen|HarmonyOS|OpenHarmony|Symbian|Sailfish"
    r"|Mobile[;/ ]|webOS"
)
_SIMPLE_PHONE = re.compile(
    r"Opera Mini|Opera Mobi|UCWEB|MIDP|Series[46]0|^Nokia|^SAMSUNG-|^LG-|^SonyEricsson"
)
_DESKTOP = re.compile(r"Windows NT|X11|CrOS|Linux x86_64|Linux i686|Ubuntu|Fedora")
_OUTDATED = re.compile(
    r"MSIE|Trident/|Windows NT (?:5|6\.0)|Windows 9|Chrome/[1-6]?\d\.|Firefox/[1-5]?\d\.|Konqueror"
)
_BARE = re.compile(r"Mozilla/\d\.\d\s*", re.IGNORECASE)


@lru_cache(maxsize=4096)
def agent_of(text: str) -> Agent:
    """What a user agent says it is. Total: every text has an answer."""
    text = text.strip()[:1000]
    if not text or text == "-" or text.lower() in {"null", "none", "unknown", "undefined"}:
        return Agent.MISSING
    low = text.lower()
    for names in _DECLARED:
        if names.match(low):
            return names.agent
    if _BARE.fullmatch(text):
        return Agent.BARE
    return _browser(text)


def _browser(text: str) -> Agent:
    if _SIMPLE_PHONE.search(text):
        return Agent.PHONE
    phone, mac, desktop = _PHONE.search(text), "Macintosh" in text, _DESKTOP.search(text)
    if not (phone or mac or desktop):
        return Agent.UNKNOWN
    if not _ENGINE.search(text):
        return Agent.INCOMPLETE
    if phone:
        return Agent.PHONE
    if _OUTDATED.search(text):
        return Agent.OUTDATED
    return Agent.MAC if mac else Agent.DESKTOP
