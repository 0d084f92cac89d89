"""What a user agent says of the client that fetches: names of previewers, crawlers, scanners and tools, and the shapes of browsers.

A name in these lists is the machine's own word, so the lists err on one side only: a machine that pretends to be a browser is not
caught here. Raise `sms.inbound.clicks.verdicts.RULES` with every change.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache


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


@dataclass(frozen=True, slots=True)
class _Names:
    """What betrays one kind, in lower case: the text's beginnings, parts anywhere, and a pattern where a part needs more."""

    agent: Agent
    begins: tuple[str, ...]
    parts: tuple[str, ...]
    pattern: re.Pattern[str] | None = None

    def match(self, text: str) -> bool:
        if text.startswith(self.begins) or any(part in text for part in self.parts):
            return True
        return self.pattern is not None and self.pattern.search(text) is not None


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# The first match counts. Names that are also parts of browsers, apps or phones are not in these lists.
_DECLARED = (
    _Names(
        Agent.PREVIEW,
        ("whatsapp/", "pinterest/0."),
        (
            *_words(
                "facebookexternalhit facebookcatalog facebot meta-externalfetcher line-poker kakaotalk-scrap telegrambot"
                " slackbot slack-imgproxy discordbot skypeuripreview twitterbot linkedinbot pinterestbot redditbot vkshare"
                " mattermost-bot bingpreview microsoftpreview googleimageproxy linkpreview link-preview iframely embedly"
                " flipboardproxy applenewsbot google-pagerenderer"
            ),
            "url preview",
            "web preview",
            "link preview",
        ),
    ),
    _Names(
        Agent.SCANNER,
        (),
        (
            *_words(
                "barracuda mimecast proofpoint fireeye trendmicro symantec bluecoat forcepoint websense cloudmark fortiguard"
                " netcraft phish virustotal urlscan safebrowsing safelinks safe-links google-safety kaspersky bitdefender"
                " sophos mcafee f-secure paloalto expanse censys shodan zgrab masscan checkmarknetwork linkscanner"
                " link-scanner linkchecker link-checker linkcheck urlscanner url-scanner url-check malware zvelo ias_crawler"
                " adaptivemobile spamhaus abusix"
            ),
            "trend micro",
            "palo alto",
        ),
    ),
    _Names(
        Agent.HEADLESS,
        (),
        _words("headless phantomjs puppeteer playwright selenium webdriver lighthouse slimerjs htmlunit"),
    ),
    _Names(
        Agent.TOOL,
        _words("curl/ wget java/ node ruby php ahc/ symfony hackney"),
        (
            *_words(
                "libcurl pycurl python- python/ aiohttp httpx/ go-http-client commons-httpclient apache-http libwww lwp:: postman"
                " insomnia httpie axios node-fetch undici superagent faraday guzzlehttp winhttp powershell restsharp reqwest"
                " scrapy mechanize rest-client"
            ),
            "got (",
        ),
    ),
    _Names(
        Agent.APP,
        _words("dalvik/ networkingextension"),
        (*_words("okhttp cfnetwork/ com.apple.webkit nsurlsession"), "prefetch proxy"),
    ),
    _Names(
        Agent.CRAWLER,
        (),
        _words(
            "crawl spider slurp archiver +http: +https: mediapartners feedfetcher google-read-aloud apis-google googleother"
            " google-inspectiontool duckduckgo-favicons"
        ),
        # Cubot makes phones; old browsers said "compatible" too
        re.compile(r"(?<!cu)bots?(?![a-z0-9_])|compatible; (?!msie|konqueror|windows phone|opera)"),
    ),
)

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
