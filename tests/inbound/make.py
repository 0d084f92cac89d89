"""Makes `labelled.csv`: clicks whose truth is known because each was constructed. `python -m tests.inbound.make` rewrites it.

A family below is one way in which a link is opened; its name stands in the column `how`, and `README.md` says what it stands for. The
truth is who opened the link, never what the rules say: several families are there because the rules must get them wrong. Addresses
of people's networks are from the blocks reserved for documentation, which no list names; all others lie in the named owner's blocks.
"""

import csv
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import NamedTuple

FILE = Path(__file__).with_name("labelled.csv")
HEAD = ("message", "posted", "delivered", "at", "url", "ip", "agent", "truth", "how")

OFFER, TERMS = "https://shop.example/offer", "https://shop.example/terms"
WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
BLINK = "AppleWebKit/537.36 (KHTML, like Gecko)"
HOSTED = cycle(("52.4.17.9", "34.90.12.8", "20.50.2.7", "95.217.4.40", "51.77.3.21", "167.99.8.5"))
SCANNERS = cycle(
    ("64.235.150.4", "67.231.152.9", "40.92.20.3", "104.47.9.11", "150.70.173.4", "67.219.246.98")
)
RELAYS = (
    "172.225.8.41",
    "104.28.45.12",
    "146.75.160.3",
    "2606:54c0:76a0:10::1f:22",
    "2a02:26f7:c0c0:4500::8",
)


class Row(NamedTuple):
    """One click: seconds since posting, URL, address, user agent."""

    at: float
    url: str
    ip: str
    agent: str
    truth: str


class Message(NamedTuple):
    """One message's clicks; `delivered` in seconds since posting, None where no Delivered receipt came."""

    how: str
    delivered: float | None
    rows: list[Row]


def homes() -> Iterator[str]:
    """Addresses of people: mobile networks and homes."""
    for number in cycle(range(1, 250)):
        yield f"203.0.113.{number}"
        yield f"198.51.100.{number}"
        yield f"2001:db8:{number:x}:7::{number:x}"


HOMES = homes()


def iphone(version: str, *, app: str = "", browser: str | None = None) -> str:
    """Safari of an iPhone, or a web view in an app."""
    end = (
        f"Version/{version.split('_', maxsplit=1)[0]}.0 Mobile/15E148 Safari/604.1"
        if browser is None
        else browser
    )
    return f"Mozilla/5.0 (iPhone; CPU iPhone OS {version} like Mac OS X) {WEBKIT} {end}{app}"


def android(device: str, *, release: str = "14", chrome: int = 138, app: str = "", view: bool = False) -> str:
    """Chrome of an Android phone, or a web view."""
    build, four = ("; wv", "Version/4.0 ") if view else ("", "")
    return f"Mozilla/5.0 (Linux; Android {release}; {device}{build}) {BLINK} {four}Chrome/{chrome}.0.0.0 Mobile Safari/537.36{app}"


def windows(chrome: int = 138, app: str = "") -> str:
    """Chrome of Windows."""
    return f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {BLINK} Chrome/{chrome}.0.0.0 Safari/537.36{app}"


def mac(version: str = "18.4") -> str:
    """Safari of a Mac, and of an iPad that asks for desktop pages, as iPads do."""
    return f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} Version/{version} Safari/605.1.15"


IPHONES = (
    "15_8",
    "16_1",
    "16_6",
    "17_0",
    "17_4_1",
    "17_5",
    "17_6_1",
    "18_0",
    "18_1",
    "18_3",
    "18_5",
    "26_0",
    "12_5",
    "14_8",
)
MAKERS = (
    "SM-S928B", "SM-A546B", "SM-A155F", "SM-G991B", "SM-F946B", "Pixel 9 Pro", "Pixel 7a", "Pixel 6", "2201117TG",
    "23049PCD8G", "M2101K6G", "CPH2581", "CPH2269", "V2250", "V2043", "VOG-L29", "ELE-L29", "NE2213", "CPH2447", "moto g54 5G",
    "motorola edge 40", "Nokia G42 5G", "Nokia 2.4", "XQ-DQ54", "RMX3771", "REA-NX9", "CUBOT P80", "CUBOT_X18_Plus",
    "TECNO KJ5", "Infinix X6831", "itel A665L", "FP5", "A065", "ZTE A7040", "ASUS_AI2302", "LM-G900", "HTC U23 pro", "W-P611-EEA",
    "N60 Pro", "Armor 24", "BV9300", "Cat S75", "Lenovo TB350FU", "T610K", "SH-54D", "KYV49", "SCG20", "Redmi Note 12",
)  # fmt: skip
OTHER_BROWSERS = (
    "Mozilla/5.0 (Android 14; Mobile; rv:139.0) Gecko/139.0 Firefox/139.0",
    "Mozilla/5.0 (Android 11; Mobile; rv:109.0) Gecko/115.0 Firefox/115.0",
    iphone("17_5", browser="FxiOS/139.0 Mobile/15E148 Safari/605.1.15"),
    iphone("18_0", browser="CriOS/138.0.7204.119 Mobile/15E148 Safari/604.1"),
    iphone("17_2", browser="EdgiOS/137.0.3296.92 Version/17.0 Mobile/15E148 Safari/604.1"),
    iphone("17_5", app=" OPT/5.4.1"),
    iphone("18_1", app=" Ddg/18.1"),
    iphone("17_6", browser="Version/17.6 YaBrowser/24.6.5.335 Mobile/15E148 Safari/604.1"),
    f"Mozilla/5.0 (Linux; Android 13; SAMSUNG SM-A536B) {BLINK} SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36",
    f"Mozilla/5.0 (Linux; Android 10; K) {BLINK} SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
    android("K", release="10", app=" EdgA/137.0.0.0"),
    android("K", release="10", app=" OPR/89.0.0.0"),
    android("K", release="10", app=" YaBrowser/25.4.1.100.00 SA/3"),
    android("ANE-LX1", release="9", chrome=114, app=" HuaweiBrowser/15.0.7.302"),
    android("M2007J20CG", release="12", chrome=112, app=" XiaoMi/MiuiBrowser/14.20.1-gn"),
    android("vivo 1906", release="11", chrome=87, app=" VivoBrowser/12.3.5.0"),
    android("CPH2185", release="11", chrome=115, app=" HeyTapBrowser/45.11.1.1"),
    android("K", release="10", app=" DuckDuckGo/5"),
    android("K", release="10", app=" Ecosia android@137.0.7151.89"),
    f"Mozilla/5.0 (Linux; Android 9; KFTRWI) {BLINK} Silk/126.4.1 like Chrome/126.0.6478.134 Safari/537.36",
    "Mozilla/5.0 (Linux; U; Android 8.1.0; en-US; vivo 1724) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0"
    " Chrome/57.0.2987.108 UCBrowser/12.13.2.1208 Mobile Safari/537.36",
    "Opera/9.80 (Android; Opera Mini/36.2.2254/191.256; U; en) Presto/2.12.423 Version/12.16",
    "Opera/9.80 (J2ME/MIDP; Opera Mini/7.1.32052/191.256; U; en) Presto/2.12.423 Version/12.16",
    "Mozilla/5.0 (Mobile; Nokia_8110_4G; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5",
    "Mozilla/5.0 (Mobile; LYF/F120B/LYF-F120B-001-02; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5",
    "Nokia225/2.0 (10.23.11) Profile/MIDP-2.1 Configuration/CLDC-1.1",
    "Mozilla/5.0 (Series40; Nokia311/07.36; Profile/MIDP-2.1) Gecko/20100401 S40OviBrowser/5.0.0.0.31",
    "Mozilla/5.0 (Windows Phone 10.0; Android 6.0.1; Microsoft; Lumia 950) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/52.0.2743.116 Mobile Safari/537.36 Edge/15.15254",
    "Mozilla/5.0 (BB10; Touch) AppleWebKit/537.35+ (KHTML, like Gecko) Version/10.3.3.3216 Mobile Safari/537.35+",
    "Mozilla/5.0 (Phone; OpenHarmony 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/114.0.0.0 Safari/537.36"
    " ArkWeb/4.1.6.1 Mobile HuaweiBrowser/5.0.4.300",
)
IN_APP = (
    iphone("17_5", browser="Mobile/15E148", app=" [FBAN/FBIOS;FBAV/470.0.0.38.108;FBBV/612345678;FBDV/iPhone14,5;FBMD/iPhone;"
    "FBSN/iOS;FBSV/17.5;FBSS/3;FBID/phone;FBLC/en_GB;FBOP/5]"),
    android("SM-A528B", view=True, app=" [FB_IAB/FB4A;FBAV/471.0.0.45.74;]"),
    android("Pixel 8", view=True, app=" [FB_IAB/Orca-Android;FBAV/462.0.0.39.108;]"),
    iphone("18_0", browser="Mobile/15E148", app=" Instagram 340.0.3.21.93 (iPhone15,3; iOS 18_0; en_GB; scale=3.00)"),
    android("SM-G998B", view=True, app=" Instagram 341.0.0.45.100 Android (34/14; 450dpi; 1080x2176; samsung; SM-G998B)"),
    iphone("17_6", browser="Mobile/15E148", app=" Snapchat/12.97.0.38 (like Safari/8618.3.11.10.5, panda)"),
    iphone("18_1", browser="Mobile/15E148", app=" musical_ly_36.2.0 JsSdk/2.0 NetType/WIFI Channel/App Store ByteLocale/en"),
    android("RMX3371", view=True, app=" trill_360204 JsSdk/1.0 NetType/4G AppName/musical_ly ByteLocale/en"),
    iphone("17_5", browser="Mobile/15E148", app=" Twitter for iPhone/10.48"),
    android("Pixel 7", view=True, app=" TwitterAndroid"),
    iphone("17_4", browser="Mobile/15E148", app=" [LinkedInApp]/9.29.7962"),
    iphone("17_3", browser="Mobile/15E148", app=" [Pinterest/iOS]"),
    android("SM-A346B", view=True, app=" [Pinterest/Android]"),
    iphone("16_6", browser="Mobile/15E148", app=" Safari Line/14.9.0"),
    android("SO-52C", view=True, app=" Line/14.10.0/IAB"),
    android("SM-S911N", view=True, app=";KAKAOTALK 2410830"),
    iphone("17_5", browser="Mobile/15E148", app=" MicroMessenger/8.0.50(0x18003232) NetType/4G Language/en"),
    iphone("18_2", browser="GSA/332.0.660461107 Mobile/15E148 Safari/604.1"),
    android("Pixel 6a", view=True, app=" GSA/15.34.32.28.arm64"),
    android("moto g84 5G", view=True, app=" Truecaller/14.2.8"),
    android("SM-A256B", view=True, app=" Viber/22.9.0.4"),
    android("NX729J", view=True),
)  # fmt: skip
PREVIEWS = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) Version/9.0.1 Safari/601.2.4"
    " facebookexternalhit/1.1 Facebot Twitterbot/1.0",
    "WhatsApp/2.23.20.0", "WhatsApp/2.24.9.78 A", "WhatsApp/2.24.10 i", "WhatsApp/2",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "facebookexternalhit/1.1;line-poker/1.0", "TelegramBot (like TwitterBot)",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", "Slack-ImgProxy (+https://api.slack.com/robots)",
    "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)", "Twitterbot/1.0",
    "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5 skype-url-preview@microsoft.com",
    "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
    "Snap URL Preview Service; bot; snapchat; https://developers.snap.com/robots", "kakaotalk-scrap/1.0",
    "Mozilla/5.0 (compatible; vkShare; +http://vk.com/dev/Share)", "Iframely/1.3.1 (+https://iframely.com/docs/about)",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko; Google Web Preview Analytics)"
    " Chrome/41.0.2272.118 Safari/537.36",
    "Mozilla/5.0 (compatible; Pinterestbot/1.0; +https://www.pinterest.com/bot.html)", "Mattermost-Bot/1.1",
    "Mozilla/5.0 (compatible; Embedly/0.2; +http://support.embed.ly/)", "meta-externalfetcher/1.1",
)  # fmt: skip
CRAWLERS = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.7151.68"
    " Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)"
    " Chrome/116.0.1938.76 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/13.1.1 Safari/605.1.15"
    " (Applebot/0.1; +http://www.apple.com/go/applebot)",
    "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
    "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)", "DuckDuckBot/1.1; (+http://duckduckgo.com/duckduckbot.html)",
    "Mozilla/5.0 (compatible; SemrushBot/7~bl; +http://www.semrush.com/bot.html)", "CCBot/2.0 (https://commoncrawl.org/faq/)",
    "Mozilla/5.0 (compatible; Yahoo! Slurp; http://help.yahoo.com/help/us/ysearch/slurp)", "ia_archiver",
    "Mozilla/5.0 (compatible; PetalBot;+https://webmaster.petalsearch.com/site/petalbot)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
    "AdsBot-Google (+http://www.google.com/adsbot.html)", "GoogleOther",
)  # fmt: skip
SECURITY = (
    "BarracudaCentral/1.0", "Mimecast-URL-Protect/1.0", "Mozilla/5.0 (compatible; proofpoint-url-defense)",
    "Mozilla/5.0 (compatible; NetcraftSurveyAgent/1.0; +info@netcraft.com)", "Google-Safety", "urlscan.io/1.0",
    "Mozilla/5.0 (compatible; LinkScanner/1.0; +https://scanner.example/bot)", "Cloudmark Authority", "VirusTotal",
    "Mozilla/5.0 (compatible; CensysInspect/1.1; +https://about.censys.io/)", "Mozilla/5.0 zgrab/0.x", "Sophos-URL-Check/2.4",
    "Expanse, a Palo Alto Networks company, searches across the global IPv4 space", "Kaspersky-Linkcheck/3",
)  # fmt: skip
HEADLESS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) HeadlessChrome/126.0.0.0",
    f"Mozilla/5.0 (X11; Linux x86_64) {BLINK} HeadlessChrome/137.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Unknown; Linux x86_64) AppleWebKit/538.1 (KHTML, like Gecko) PhantomJS/2.1.1 Safari/538.1",
    f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {BLINK} Chrome/120.0.0.0 Safari/537.36 Chrome-Lighthouse",
    f"Mozilla/5.0 (X11; Linux x86_64) {BLINK} Chrome/119.0.0.0 Safari/537.36 Puppeteer",
    "HtmlUnit/4.2 (Windows 10)",
)
TOOLS = (
    "curl/8.5.0", "curl/7.68.0", "Wget/1.21.4", "python-requests/2.32.3", "Python-urllib/3.12", "python-httpx/0.27.0",
    "Python/3.11 aiohttp/3.9.5", "Go-http-client/1.1", "Go-http-client/2.0", "Java/17.0.9", "Apache-HttpClient/4.5.14 (Java/11.0.22)",
    "axios/1.7.2", "node-fetch/1.0 (+https://github.com/bitinn/node-fetch)", "undici", "libwww-perl/6.68", "PostmanRuntime/7.39.0",
    "Ruby", "Faraday v2.9.0", "GuzzleHttp/7", "Mozilla/5.0 (Windows NT; Windows NT 10.0; en-GB) WindowsPowerShell/5.1.19041.4522",
    "Scrapy/2.11.2 (+https://scrapy.org)", "HTTPie/3.2.2", "AHC/2.1", "reqwest/0.12.4", "PHP/8.2.1",
)  # fmt: skip
APP_FETCHES = (
    "okhttp/4.12.0", "Dalvik/2.1.0 (Linux; U; Android 14; SM-S918B Build/UP1A.231005.007)",
    "MobileSafari/8618.2.12 CFNetwork/1498.700.2 Darwin/23.6.0",
    "com.apple.WebKit.Networking/8618.2.12 CFNetwork/1498 Darwin/23.6.0",
    "Dalvik/2.1.0 (Linux; U; Android 11; CPH2185 Build/RP1A.200720.011)",
    "SMSOrganizer/1.2 okhttp/5.0.0-alpha.11", "Chrome Privacy Preserving Prefetch Proxy",
    "MessagesExtension/1 CFNetwork/1410.0.3 Darwin/22.6.0",
)  # fmt: skip
OUTDATED = (
    "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.0)", "Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1; Trident/5.0)",
    "Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko",
    "Mozilla/5.0 (Windows NT 5.1; rv:36.0) Gecko/20100101 Firefox/36.0",
    f"Mozilla/5.0 (Windows NT 6.1; WOW64) {BLINK} Chrome/41.0.2227.1 Safari/537.36",
    f"Mozilla/5.0 (X11; Linux x86_64) {BLINK} Chrome/51.0.2704.103 Safari/537.36",
    f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_10_1) {BLINK} Chrome/37.0.2062.124 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; WOW64; rv:45.0) Gecko/20100101 Firefox/45.0",
)  # fmt: skip
COMPUTERS = (
    windows(), windows(136, " Edg/136.0.0.0"), windows(137, " OPR/122.0.0.0"),
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:139.0) Gecko/20100101 Firefox/139.0",
    f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {BLINK} Chrome/138.0.0.0 Safari/537.36",
    "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:138.0) Gecko/20100101 Firefox/138.0",
    f"Mozilla/5.0 (X11; Linux x86_64) {BLINK} Chrome/137.0.0.0 Safari/537.36", windows(109),
)  # fmt: skip


def one(
    how: str, at: float, agent: str, truth: str, *, ip: str = "", delivered: float | None = 4.0
) -> Message:
    """A message with a single click."""
    return Message(how, delivered, [Row(at, OFFER, ip or next(HOMES), agent, truth)])


def people() -> Iterator[Message]:
    """Clicks of persons; most minutes after delivery, as persons are."""
    waits = cycle((11.0, 26.0, 48.0, 95.0, 210.0, 640.0, 2400.0, 9000.0, 43000.0, 260000.0))
    for version in IPHONES:
        yield one("iphone", next(waits), iphone(version), "human")
    for number, device in enumerate(MAKERS):
        yield one(
            "android",
            next(waits),
            android(device, release=str(9 + number % 7), chrome=100 + number % 39),
            "human",
        )
    for _ in range(6):
        yield one("android_reduced", next(waits), android("K", release="10"), "human")
    for agent in OTHER_BROWSERS:
        yield one("other_browser", next(waits), agent, "human")
    for agent in IN_APP:
        yield one("in_app", next(waits), agent, "human")
    for version in ("16.6", "17.4", "18.4", "18.5"):
        yield one("ipad_or_mac", next(waits), mac(version), "human")
    for agent in COMPUTERS:
        yield one("computer", 4.0 + next(waits) + 25, agent, "human")
    for agent in COMPUTERS[:3]:
        yield one("computer_quick", 16.0, agent, "human")
    for ip in RELAYS:
        yield one("privacy_relay", next(waits), iphone("18_3"), "human", ip=ip)
    for ip in ("165.225.80.4", "136.226.50.9", "147.161.166.3"):
        yield one("company_proxy", 700.0, windows(), "human", ip=ip)
    for device in ("SM-A546B", "Pixel 8", "FP5"):
        yield one("phone_with_vpn", next(waits), android(device), "human", ip=next(HOSTED))
    yield one("computer_with_vpn", 500.0, windows(), "human", ip=next(HOSTED))
    for at in (6.1, 6.6, 6.9):
        yield one("quick_thumb", at, iphone("18_0"), "human")
    for at in (14.0, 31.0, 75.0):
        yield one("late_delivery_receipt", at, android("SM-A146B"), "human", delivered=at + 40)
    yield one("late_delivery_receipt", 8.0, iphone("17_5"), "human", delivered=60)
    for device in ("SM-G781B", "M2102J20SG", "V2111"):
        yield one("no_delivery_receipt", next(waits), android(device), "human", delivered=None)
    for agent in ("", "-"):
        yield one("agent_withheld", 90.0, agent, "human")
    yield one("agent_cut_off", 90.0, "Mozilla/5.0 (Linux; Android 13; SM-A236B)", "human")
    yield from several_by_people()


def several_by_people() -> Iterator[Message]:
    """Messages that persons opened more than once."""
    for gap in (5.0, 40.0, 3600.0):
        ip, agent = next(HOMES), iphone("18_1")
        yield Message(
            "came_back", 4.0, [Row(30 + gap * step, OFFER, ip, agent, "human") for step in range(3)]
        )
    for gap in (0.3, 0.9):
        ip, agent = next(HOMES), android("SM-S921B")
        yield Message(
            "double_tap", 4.0, [Row(50, OFFER, ip, agent, "human"), Row(50 + gap, OFFER, ip, agent, "human")]
        )
    for gap in (4.0, 19.0):
        ip, agent = next(HOMES), android("2312DRA50G")
        yield Message(
            "both_links", 4.0, [Row(25, OFFER, ip, agent, "human"), Row(25 + gap, TERMS, ip, agent, "human")]
        )
    yield Message("forwarded", 4.0, [
        Row(60, OFFER, next(HOMES), iphone("17_4"), "human"),
        Row(400, OFFER, next(HOMES), android("SM-A346B"), "human"),
        Row(404, OFFER, next(HOMES), android("CPH2525"), "human"),
        Row(9000, OFFER, next(HOMES), mac(), "human"),
    ])  # fmt: skip
    yield Message("relay_changes_address", 4.0, [
        Row(44, OFFER, RELAYS[0], iphone("18_2"), "human"), Row(52, OFFER, RELAYS[1], iphone("18_2"), "human"),
    ])  # fmt: skip


def machines() -> Iterator[Message]:
    """Clicks of programs that say so, or whose address or haste betrays them."""
    waits = cycle((5.0, 7.0, 12.0, 47.0, 300.0, 5000.0))
    for agent in PREVIEWS:
        yield one(
            "previewer",
            next(waits),
            agent,
            "machine",
            ip="2a03:2880:10ff:70::face:b00c" if "facebook" in agent else "",
        )
    for agent in CRAWLERS:
        yield one("crawler", 900.0, agent, "machine")
    for agent in SECURITY:
        yield one("declared_scanner", next(waits), agent, "machine", ip=next(HOSTED))
    for agent in HEADLESS:
        yield one("headless", next(waits), agent, "machine", ip=next(HOSTED))
    for agent in TOOLS:
        yield one("tool", next(waits), agent, "machine", ip=next(HOSTED))
    for agent in APP_FETCHES:
        yield one("app_fetch", 4.6, agent, "machine")
    for agent in OUTDATED:
        yield one("outdated_browser", 47.0, agent, "machine")
    for agent in ("Mozilla/5.0", "Mozilla/4.0"):
        yield one("bare_agent", 20.0, agent, "machine")
    for agent in ("", "Mozilla/5.0 (X11; Linux x86_64)", "InternalUrlValidator 2"):
        yield one("vague_scanner", 20.0, agent, "machine", ip="192.0.2.60")
    for _ in range(6):
        yield one("scanner_address", 47.0, windows(), "machine", ip=next(SCANNERS))
    for number in range(6):
        yield one("hosted_browser", 47.0 + number, windows(120 + number), "machine", ip=next(HOSTED))
    for at in (1.2, 2.4, 4.2, 4.7):
        yield one("at_once", at, windows(), "machine", ip="192.0.2.61")
    for at in (3.4, 5.0, 7.5):
        yield one("operator_filter", at, windows(116), "machine", ip="192.0.2.62", delivered=at + 3)
    for at in (1.0, 2.0):
        yield one("operator_filter", at, android("SM-G960F"), "machine", ip="192.0.2.62", delivered=6)
    yield from several_by_machines()


def several_by_machines() -> Iterator[Message]:
    """Messages that programs opened more than once, some with a person after them."""
    for agent in (windows(131), mac("17.1"), android("Pixel 4")):
        ip = "192.0.2.70"
        yield Message(
            "all_links", 4.0, [Row(47.0, OFFER, ip, agent, "machine"), Row(47.4, TERMS, ip, agent, "machine")]
        )
    for agent in (windows(131), COMPUTERS[6]):
        ip = "192.0.2.71"
        yield Message("all_links_and_again", 4.0, [
            Row(47.0, OFFER, ip, agent, "machine"), Row(47.2, TERMS, ip, agent, "machine"), Row(7300.0, OFFER, ip, agent, "machine"),
            Row(640.0, OFFER, next(HOMES), iphone("18_0"), "human"),
        ])  # fmt: skip
    for start in (12.0, 90.0):
        yield Message("many_addresses", 4.0, [
            Row(start + step * 0.4, OFFER, f"192.0.2.{80 + step}", (windows(), iphone("17_0"), android("SM-G960F"), mac())[step], "machine")
            for step in range(4)
        ])  # fmt: skip
    for agent in (windows(125), android("Nexus 5", release="6.0")):
        yield Message(
            "burst", 4.0, [Row(33 + step * 1.5, OFFER, "192.0.2.90", agent, "machine") for step in range(6)]
        )
    for device in ("SM-A546B", "Pixel 7", "M2101K6G", "CPH2269"):
        ip, agent = next(HOMES), android(device, view=True)
        yield Message(
            "phone_previews_then_owner",
            4.0,
            [Row(4.4, OFFER, ip, agent, "machine"), Row(70, OFFER, ip, agent, "human")],
        )
    for version in ("17_5", "18_0"):
        ip, agent = next(HOMES), iphone(version)
        yield Message(
            "preview_then_owner",
            4.0,
            [Row(5.0, OFFER, ip, PREVIEWS[0], "machine"), Row(33, OFFER, ip, agent, "human")],
        )


def disguised() -> Iterator[Message]:
    """Machines that look like persons: what no rule over receipts can tell, kept so that the figures stay honest."""
    for device in ("SM-G991U", "Pixel 5", "iPhone"):
        agent = iphone("16_6") if device == "iPhone" else android(device)
        yield one("disguised_hosted_phone", 35.0, agent, "machine", ip=next(HOSTED))
    for device in ("SM-G991U", "Pixel 5", "iPhone", "Mac"):
        agent = {"iPhone": iphone("16_6"), "Mac": mac()}.get(device) or android(device)
        yield one("disguised_at_home", 52.0, agent, "machine")
    for chrome in (128, 131, 134):
        yield one("disguised_computer", 47.0, windows(chrome), "machine", ip="192.0.2.99")
    yield one("disguised_computer", 12.0, windows(134), "machine", ip="192.0.2.99")


def rows() -> Iterator[tuple[object, ...]]:
    """Every line of the file."""
    number = 0
    for family in (people, machines, disguised):
        for message in family():
            number += 1
            for row in message.rows:
                delivered = "" if message.delivered is None else f"{message.delivered:g}"
                yield (
                    number,
                    0,
                    delivered,
                    f"{row.at:g}",
                    row.url,
                    row.ip,
                    row.agent,
                    row.truth,
                    message.how,
                )


def main() -> None:
    """Write the file."""
    with FILE.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(HEAD)
        writer.writerows(rows())


if __name__ == "__main__":
    main()
