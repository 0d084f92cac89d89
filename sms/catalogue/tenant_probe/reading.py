"""What the replies and receipts of a question, and what a person saw, say about the tenant."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_noop

from sms.catalogue.tenant_probe.bodies import LINK_VARIANTS
from sms.catalogue.tenant_probe.posting import REFUSED
from sms.models import NUMBER, ProbePost, ProbeReceipt, ProbeStep
from sms.webex.errors import UnreadableBody
from sms.webex.receipts import Notification, parse_receipt
from sms.words import KeptSentence

TOO_LONG, BAD_NUMBER, DELIVERED = "7107", "7102", "7500"
NOTHING = KeptSentence(gettext_noop("%(why)s Nothing was learned, and nothing is changed."))


@dataclass(frozen=True, slots=True)
class Reading:
    """`found` by doubt. `says` is a sentence, in English since it is stored. `again`: the question goes on with its next request."""

    says: str
    found: dict[str, str] = field(default_factory=dict)
    again: bool = False


def read(step: ProbeStep) -> Reading:
    """Of a step with its posts and their receipts."""
    posts = list(step.posts.all())
    taken = next((post for post in reversed(posts) if post.accepted is not False), None)
    return _READERS[step.question](step.choice, posts, taken)


def _nothing(says: str) -> Reading:
    return Reading(NOTHING(why=says))


def _plain(choice: str, posts: Sequence[ProbePost], taken: ProbePost | None) -> Reading:
    if taken is None:
        return _nothing(_refusal(posts))
    notes = notes_of(taken)
    if taken.variant == "digits" and _bad_number(taken):
        return Reading(
            gettext_noop("The number was not taken without +. Send again: it goes with + then."), again=True
        )
    if choice != "came":
        return _nothing(gettext_noop("The message did not arrive."))
    found = {"accepted_as": str(taken.status)}
    if taken.variant == "digits":
        found["plus"] = "optional"
    elif any(_bad_number(post) for post in posts if post.variant == "digits"):
        found["plus"] = "required"
    stamp = str(_entry(taken).get("requestTimestamp") or "")
    if stamp:
        found["reply_time"] = "utc" if stamp.endswith("Z") else "offset"
    if not notes:
        return Reading(gettext_noop("The message arrived, but no receipt has come yet."), found)
    one, note = notes[0]
    at = _raw_time(one)
    if at:
        found["receipt_time"] = "Z" if at.endswith("Z") else at[-6:]
    found["receipt_number"] = "plus" if f"+{NUMBER}" in one.raw else "digits"
    if note.provider_id and _entry(taken).get("messageId"):
        found["ids_match"] = "yes" if note.provider_id == _entry(taken)["messageId"] else "no"
    receipts = list(taken.receipts.all())
    beside = [receipt for receipt in receipts if not receipt.webhook]
    if beside:
        found["notify_signed"] = "yes" if all(receipt.signed for receipt in beside) else "no"
    places = {receipt.webhook for receipt in receipts}
    found["both_fire"] = "both" if len(places) == 2 else "webhook" if places == {True} else "notify_url"
    return Reading(gettext_noop("The message arrived, and its receipts were read."), found)


_SEEN = {
    "round": {"inline_values": "fill", "placeholder": "parentheses"},
    "curly": {"inline_values": "fill", "placeholder": "braces"},
    "both": {"inline_values": "fill", "placeholder": "both"},
    "neither": {"inline_values": "templates"},
    # what nobody can explain is never relied on
    "other": {"inline_values": "templates"},
}


def _pair(choice: str, posts: Sequence[ProbePost], taken: ProbePost | None) -> Reading:
    if taken is None:
        return _nothing(_refusal(posts))
    found = dict(_SEEN[choice])
    said = _json(taken.reply)
    if isinstance(said, list):
        found["reply_to_many"] = "list"
    elif isinstance(said, dict):
        inside = any(isinstance(value, list) for value in said.values())
        found["reply_to_many"] = "object_with_list" if inside else "object"
    ids = {receipt.place: note.provider_id for receipt, note in notes_of(taken) if note.provider_id}
    if ids:
        found["own_receipts"] = "yes" if ids.keys() >= {0, 1} else "no"
    if ids.keys() >= {0, 1}:
        first, second = ids[0], ids[1]
        found["ids_of_many"] = "same" if first == second else "suffix" if second == f"{first}_1" else "own"
    if not ids:
        return Reading(gettext_noop("No receipt has come, so only the texts were compared."), found)
    if found["own_receipts"] == "no":
        return Reading(gettext_noop("Only one of the two messages had a receipt."), found)
    return Reading(gettext_noop("Both messages had receipts, and their texts were compared."), found)


def _links(choice: str, posts: Sequence[ProbePost], taken: ProbePost | None) -> Reading:
    if taken is None or taken.accepted is None:
        return _nothing(_refusal(posts))
    given = LINK_VARIANTS[taken.variant]
    found = {
        doubt: "required" if option in given else "optional"
        for doubt, option in (("options_tags", "tag1"), ("fallback_flag", "allow_fallback_url"))
    }
    says = {
        "short": gettext_noop("It arrived with a short link."),
        "long": gettext_noop(
            "It arrived with the long link. Ask Webex Connect whether link shortening is enabled."
        ),
        "never": gettext_noop("It was accepted, and did not arrive."),
    }[choice]
    return Reading(says, found)


def _length(choice: str, posts: Sequence[ProbePost], taken: ProbePost | None) -> Reading:
    if _too_long(posts):
        return Reading(gettext_noop("The long text was refused with 7107."), {"text_limit": "1024"})
    if taken is not None and choice == "whole":
        return Reading(gettext_noop("The long text arrived whole."), {"text_limit": "4000"})
    if taken is not None and choice == "cut":
        return Reading(gettext_noop("The long text arrived cut off."), {"text_limit": "1024"})
    return _nothing(_refusal(posts) if taken is None else gettext_noop("The message did not arrive."))


def _emoji(choice: str, posts: Sequence[ProbePost], taken: ProbePost | None) -> Reading:
    if _too_long(posts):
        return Reading(gettext_noop("513 emoji were too many."), {"length_unit": "utf16"})
    if taken is not None and choice == "came":
        return Reading(gettext_noop("513 emoji arrived."), {"length_unit": "characters"})
    return _nothing(_refusal(posts) if taken is None else gettext_noop("The message did not arrive."))


def _validity(choice: str, posts: Sequence[ProbePost], taken: ProbePost | None) -> Reading:
    if taken is None:
        return _nothing(_refusal(posts))
    delivered = any(note.code == DELIVERED for _, note in notes_of(taken))
    if choice == "late":
        return Reading(gettext_noop("It arrived after its validity."), {"validity_kept": "no"})
    if delivered:
        return _nothing(gettext_noop("You saw no message, but a receipt says that it was delivered."))
    return Reading(gettext_noop("It was dropped."), {"validity_kept": "yes"})


def _smartlink(choice: str, posts: Sequence[ProbePost], taken: ProbePost | None) -> Reading:
    if taken is None:
        return _nothing(_refusal(posts))
    if choice == "never":
        return _nothing(gettext_noop("The message did not arrive."))
    if choice == "opens":
        return Reading(gettext_noop("The link was valid for 2 minutes."), {"smartlink_validity": "minutes"})
    return Reading(gettext_noop("The link was valid for 2 seconds."), {"smartlink_validity": "seconds"})


def _throttle(_choice: str, posts: Sequence[ProbePost], _taken: ProbePost | None) -> Reading:
    if posts and posts[-1].code in ("429", "7020"):
        return Reading(
            gettext_noop("A request was refused for being too fast."), {"throttle_as": posts[-1].code}
        )
    return _nothing(gettext_noop("No request was refused for being too fast."))


_READERS: dict[str, Callable[[str, Sequence[ProbePost], ProbePost | None], Reading]] = {
    "plain": _plain,
    "pair": _pair,
    "links": _links,
    "length": _length,
    "emoji": _emoji,
    "validity": _validity,
    "smartlink": _smartlink,
    "throttle": _throttle,
}


def notes_of(post: ProbePost) -> list[tuple[ProbeReceipt, Notification]]:
    """Its receipts that can be read."""
    notes = []
    for receipt in post.receipts.all():
        try:
            notes.append((receipt, parse_receipt(receipt.raw.encode())))
        except UnreadableBody:
            continue
    return notes


def _bad_number(post: ProbePost) -> bool:
    return post.code == BAD_NUMBER or any(note.code == BAD_NUMBER for _, note in notes_of(post))


def _too_long(posts: Sequence[ProbePost]) -> bool:
    return any(
        post.code == TOO_LONG or any(note.code == TOO_LONG for _, note in notes_of(post)) for post in posts
    )


def _refusal(posts: Sequence[ProbePost]) -> str:
    if not posts:
        return gettext_noop("Nothing was sent.")
    if posts[-1].accepted is None:
        return gettext_noop("We cannot tell whether the message was sent: no answer came.")
    return REFUSED(code=posts[-1].code)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _entry(post: ProbePost) -> dict[str, Any]:
    said = _json(post.reply)
    return said if isinstance(said, dict) else {}


def _raw_time(receipt: ProbeReceipt) -> str:
    said = _json(receipt.raw)
    try:
        return str(said["deliveryInfoNotification"]["deliveryInfo"]["timeStamp"])
    except (KeyError, TypeError):
        return ""
