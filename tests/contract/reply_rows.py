"""Rows of signing in, calling, and the provider's replies."""

from sms.models import AuthKind
from sms.webex.client import DEADLINE, LONGEST_REPLY
from sms.webex.codes import PAUSING, THROTTLING
from tests.contract.region import Host, Record
from tests.contract.replied import ACCEPTED, CLOSED, CUT, DRIPPING, SILENT, Raw, Replied
from tests.contract.rows import Part, row

JWT = {
    "auth_kind": AuthKind.JWT,
    "jwt_service_id": "SVC-TEST-0001",
    "jwt_secret": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
}
PAUSED = ", and the service is paused"


def refusal(code: str, words: str = "Invalid parameter - sendAt") -> dict[str, str]:
    return {"code": code, "message": words}


def accepted(**fields: object) -> Raw:
    return Raw(201, ACCEPTED.body | fields)


CALLING = Part(
    "Signing in and calling",
    ("field", "set by a person", "what we send", "what the sandbox does", "source", "examples"),
    (
        row(
            "address",
            "Set-up, region or base URL",
            "`POST <base>/v2/messages`",
            "answers it on its own port",
            "seed, API Endpoint",
            Replied(ACCEPTED, "queued as m-1", (r"^POST /v2/messages HTTP/1\.1",)),
        ),
        row(
            "header `key`",
            "Set-up, service key",
            "the key as it is",
            "401 without body for a wrong one",
            "seed, Authentication",
            Replied(ACCEPTED, "queued as m-1", ("^key: a-key",)),
        ),
        row(
            "header `Authorization`",
            "Set-up, service ID and service secret",
            "`Bearer` and a JWT (HS256, `iss`, `iat`), renewed after 50 of its 60 minutes",
            "checks signature, issuer and age; then ignores `key`",
            "later",
            Replied(ACCEPTED, "queued as m-1", (r"^Authorization: Bearer eyJ[\w-]+\.[\w-]+\.[\w-]+",), JWT),
        ),
        row(
            "JWT, renewal",
            "–",
            "a new one after a 401",
            "refuses one older than 60 minutes",
            "later",
            Replied(Raw(401), f"waits (http_401){PAUSED}", service=JWT),
        ),
        row(
            "total time",
            "–",
            f"{DEADLINE:.0f} s over connecting, writing, headers and body",
            "`timeout` and `slow` faults",
            "ours",
            Replied(DRIPPING, "unconfirmed (timeout)"),
        ),
        row(
            "size of the reply",
            "–",
            f"at most {LONGEST_REPLY // 1024} KB are read",
            "`malformed` fault",
            "ours",
            Replied(Raw(201, "x" * (LONGEST_REPLY + 1)), "unconfirmed (too_large)"),
        ),
        row(
            "redirects",
            "–",
            "never followed",
            "–",
            "ours",
            Replied(Raw(302, headers={"Location": "https://else.example/"}), "failed (redirect)"),
        ),
        row(
            "regions",
            "Set-up, region",
            "the host of one of eight",
            "–",
            "seed, CNAME table; hosts: later",
            *(
                Host(key, f"api.{key}.webexconnect.io")
                for key in ("ca", "eu", "uk", "us", "us1", "in", "au", "sg")
            ),
        ),
        row(
            "short-link DNS",
            "the admin, Short-link domains and Regions",
            "nothing; Catalogue shows the CNAME or A record to make",
            "–",
            "seed, CNAME table",
            Record("AWS Canada", "CNAME", "star-1176184099.ca-central-1.elb.amazonaws.com"),
            Record("AWS Ireland", "CNAME", "star-1747495833.eu-west-1.elb.amazonaws.com"),
            Record("AWS London", "CNAME", "star-1656037958.eu-west-2.elb.amazonaws.com"),
            Record("AWS Oregon", "CNAME", "star-1571873968.us-west-2.elb.amazonaws.com"),
            Record("Azure (US)", "A", "52.138.107.55"),
            Record("AWS Mumbai", "CNAME", "star-64546195.ap-south-1.elb.amazonaws.com"),
            Record("AWS Sydney", "CNAME", "star-131871454.ap-southeast-2.elb.amazonaws.com"),
            Record("AWS Singapore", "CNAME", "star-581943434.ap-southeast-1.elb.amazonaws.com"),
        ),
    ),
    after="The API host of Singapore is documented nowhere; ours is a guess by pattern and marked as one (`Region.host_documented`).",
)

REPLY = Part(
    "Reply",
    ("field", "set by a person", "what we make of it", "what the sandbox does", "source", "examples"),
    (
        row(
            "2xx with `messageId`, `status` queued",
            "–",
            "accepted",
            "201",
            "seed, Sample Response Body",
            *(Replied(Raw(status, ACCEPTED.body), "queued as m-1") for status in (200, 201, 202)),
            Replied(accepted(status="rejected"), "failed (rejected)"),
        ),
        row(
            "2xx as a list, or with a list inside",
            "–",
            "accepted, first id leads",
            "one object; later numbers get `_1`, `_2`; switches make it a list, or the ids equal or unlike",
            "not documented",
            Replied(Raw(201, [ACCEPTED.body]), "queued as m-1"),
            Replied(Raw(201, {"messages": [ACCEPTED.body]}), "queued as m-1"),
        ),
        row(
            "`requestTimestamp`",
            "–",
            "a moment with its offset",
            "its clock, with `Z`, by switch with an offset",
            "seed, Sample Response Body",
            Replied(accepted(requestTimestamp="2024-09-05T00:03:01.708-04:00"), "queued as m-1"),
            Replied(accepted(requestTimestamp=5), "queued as m-1"),
        ),
        row(
            "`correlationId`",
            "–",
            "kept as text",
            "echoed",
            "seed, Sample Response Body",
            Replied(accepted(correlationId="12345"), "queued as m-1"),
            Replied(accepted(correlationId=12345), "queued as m-1"),
        ),
        row(
            "2xx without a readable id",
            "–",
            "Unconfirmed",
            "`malformed` fault",
            "ours",
            Replied(Raw(201, "OK"), "unconfirmed (unreadable)"),
            Replied(Raw(201, {"status": "queued"}), "unconfirmed (unreadable)"),
        ),
        row(
            "400 with `code` and `message`",
            "–",
            "Refused",
            "for every rule above",
            "seed, Sample Response Body",
            Replied(Raw(400, refusal("7000", "Invalid JSON")), "failed (7000)"),
            Replied(Raw(400, refusal("7004")), "failed (7004)"),
        ),
        row(
            "400 about the account",
            "–",
            f"ServicePaused: {', '.join(sorted(PAUSING))}",
            "7127 (by switch 7010) outside `--allow-ip`",
            "later",
            *(
                Replied(Raw(400, refusal(code, "Account")), f"waits ({code}){PAUSED}")
                for code in sorted(PAUSING)
            ),
        ),
        row(
            "400 above the rate, or 429",
            "–",
            f"Throttled: {', '.join(sorted(THROTTLING))}, and 429",
            "429 above its rate, by switch 7020",
            "later",
            *(Replied(Raw(400, refusal(code, "Rate")), f"waits ({code})") for code in sorted(THROTTLING)),
            Replied(Raw(429), "waits (http_429)"),
        ),
        row(
            "`Retry-After`",
            "–",
            "seconds or a date, 0 to 900 s",
            "by switch, in seconds or as a date",
            "not documented",
            Replied(Raw(429, headers={"Retry-After": "7"}), "waits (http_429)"),
            Replied(Raw(429, headers={"Retry-After": "Tue, 01 Jan 2999 00:00:00 GMT"}), "waits (http_429)"),
            Replied(Raw(429, headers={"Retry-After": "0"}), "waits (http_429)"),
            Replied(Raw(429, headers={"Retry-After": "soon"}), "waits (http_429)"),
        ),
        row(
            "401, 403, 404, 405",
            "–",
            "ServicePaused",
            "401 without body; 403 above `--quota`; 404 and 405 for other addresses and verbs",
            'seed, "No response body"; later',
            *(Replied(Raw(status), f"waits (http_{status}){PAUSED}") for status in (401, 403, 404, 405)),
        ),
        row(
            "409 and other 4xx",
            "–",
            "Refused",
            "–",
            "later",
            *(Replied(Raw(status), f"failed (http_{status})") for status in (400, 409, 413, 422)),
        ),
        row(
            "3xx",
            "–",
            "Refused",
            "–",
            "ours",
            *(Replied(Raw(status), "failed (redirect)") for status in (301, 307)),
        ),
        row(
            "5xx, 408",
            "–",
            "Unconfirmed",
            "`http_500` fault",
            "later",
            *(Replied(Raw(status), f"unconfirmed (http_{status})") for status in (408, 500, 502, 503, 504)),
        ),
        row("no connection", "–", "NotSent", "–", "ours", Replied(CLOSED, "waits (connect)")),
        row(
            "no answer, broken answer",
            "–",
            "Unconfirmed",
            "009, `timeout` fault",
            "ours",
            Replied(SILENT, "unconfirmed (timeout)"),
            Replied(CUT, "unconfirmed (cut_off)"),
        ),
    ),
    before="What the class means: *NotSent*, *Throttled* and *ServicePaused* put the message back; *Refused* fails it; *Unconfirmed*\n"
    "waits for a receipt, a policy or a person, because the message may have been sent. Textdesk posts nothing twice unless a policy\n"
    "or a person decides so. An example is what a provider on a socket says to the smallest request, and what the message is then.",
)
