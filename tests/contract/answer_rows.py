"""Rows of what partners are answered at our own `/v2/messages`, and of the provider's codes."""

from sms.webex.codes import CODES
from tests.contract import answered
from tests.contract.answered import Answered
from tests.contract.asked import LEFT_OUT, Asked, to
from tests.contract.coded import AsReceipt, AsReply
from tests.contract.rows import Part, Row, row

ANSWERS = Part(
    "Answers to partners",
    ("answer", "when", "source", "examples"),
    (
        row(
            "201",
            "the send is committed; one object, for the first destination",
            "seed, Sample Response Body",
            Answered(
                "the smallest request",
                answered.plain,
                201,
                holds=("requestTimestamp", "messageId", "correlationId", "status"),
            ),
        ),
        row(
            "400 7000",
            "the body is no JSON object",
            "seed, Sample Response Body",
            Answered("`{`", answered.no_json, 400, "7000"),
        ),
        row(
            "400 7003",
            "a mandatory parameter is missing, or a placeholder has no value",
            "later",
            Asked({"content": {"type": "text"}}, "7003 content.text", "7003 content.text"),
        ),
        row(
            "400 7004",
            "a parameter has a value that it may not have",
            "later",
            Asked({"requestedReceipts": "FAILED"}, "7004 requestedReceipts", "7004 requestedReceipts"),
        ),
        row(
            "400 7009",
            "more than 1000 destinations, counted as numbers",
            "later",
            Asked({"to": [{"msisdn": ["+447700900001"] * 501}] * 2}, "7009", "7009"),
        ),
        row(
            "400 7101", "a sender that the service does not have", "later", Asked({"from": "NOBODY"}, "7101")
        ),
        row(
            "400 7107",
            "a text over the service's limit",
            "later",
            Asked(
                {"to": to(substitutions={"a": "x" * 1025}), "content": {"type": "text", "text": "$(a)"}},
                "7107",
            ),
        ),
        row(
            "400 7108",
            "a template that the service does not have",
            "later",
            Asked({"template": {"id": "NOBODY"}, "content": LEFT_OUT}, "7108", "7108"),
        ),
        row(
            "400 7126",
            "a type of content other than text and unicode",
            "later",
            Asked({"content": {"type": "x", "text": "x"}}, "7126", "7126"),
        ),
        row(
            "400 7127",
            "the key may not be used from this address",
            "later",
            Answered(
                "a key for 192.0.2.0/24",
                lambda world: answered.plain(world, networks=["192.0.2.0/24"]),
                400,
                "7127",
            ),
        ),
        row(
            "401",
            "no key, or one that opens nothing; without a body",
            'seed, "No response body"',
            Answered("another key", answered.without_key, 401),
        ),
        row(
            "403 7001",
            "the key may not do this",
            "later",
            Answered("a key that reads", lambda world: answered.plain(world, scopes=["read"]), 403, "7001"),
        ),
        row(
            "404",
            "no such message; without a body",
            "later",
            Answered("`GET` of another's id", answered.unknown_message, 404),
        ),
        row("405", "another verb; without a body", "later", Answered("`PUT`", answered.other_verb, 405)),
        row(
            "409 7004",
            "`clientReference` was used before",
            "ours",
            Answered("the same `clientReference` again", answered.reference_again, 409, "7004"),
        ),
        row(
            "422 7004",
            "`Idempotency-Key` was used with another body; with the same, the first answer comes again",
            "ours",
            Answered("the same key and body", answered.again, 201, holds=("messageId",)),
            Answered(
                "the same key, another body", lambda world: answered.again(world, other=True), 422, "7004"
            ),
        ),
        row(
            "429 7020",
            "more requests than the key has a minute",
            "later",
            Answered(
                "the second with a key for one a minute",
                answered.over_the_rate,
                429,
                "7020",
                holds=("Retry-After",),
            ),
        ),
        row(
            "`GET /v2/messages/{messageId}`",
            "the message as the provider shows it",
            "later",
            Answered(
                "the id of an accepted message",
                answered.read_back,
                200,
                holds=("messageId", "correlationId", "status", "content", "numSegments"),
            ),
        ),
    ),
    before="What `POST /v2/messages` and `GET /v2/messages/{messageId}` of Textdesk answer. Refusals are 400 with `code` and `message`, as "
    "the provider's are.",
)


def _row(code: str) -> Row:
    known = CODES[code]
    return row(f"`{code}`", known.kind, known.meaning, known.advice, AsReply(code), AsReceipt(code))


CODE_ROWS = Part(
    "Codes",
    ("code", "kind", "meaning", "what a person can do", "as a reply, and as a receipt"),
    tuple(map(_row, CODES)),
    before="Every code of the provider's documents, as a reply of 400 to a request of ours and in a receipt for a posted message. Source: "
    "later.",
)
