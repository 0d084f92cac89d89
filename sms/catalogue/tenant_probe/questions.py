"""The questions of a tenant probe, in their order: what each is about, what it costs, and what a person is asked to look at."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person may have seen."""

    key: str
    words: "StrOrPromise"


@dataclass(frozen=True, slots=True)
class Question:
    """`messages` and `segments` are the most that it costs. `before` says what to do first, `look` what to look at afterwards.

    `needs` is the field of the run without which it cannot be asked.
    """

    key: str
    title: "StrOrPromise"
    why: "StrOrPromise"
    messages: int
    segments: int
    look: "StrOrPromise" = ""
    choices: tuple[Choice, ...] = ()
    before: "StrOrPromise" = ""
    needs: str = ""


CAME = Choice("came", _("Yes, it has arrived"))
NEVER = Choice("never", _("No, nothing has come for two minutes"))

PLAIN = Question(
    key="plain",
    title=_("Does a message arrive, and how is it reported?"),
    why=_(
        "One ordinary message. It shows whether numbers need a plus sign, what a reply and its receipts look like, and where they come."
    ),
    messages=1,
    segments=1,
    look=_(
        "Has “Textdesk check A” arrived on your phone? Wait a few seconds for its receipts before you answer."
    ),
    choices=(CAME, NEVER),
)
PAIR = Question(
    key="pair",
    title=_("Can one request carry personal messages?"),
    why=_(
        "Two messages to your phone in one request, each with a word of its own. Until this is answered, each travels alone."
    ),
    messages=2,
    segments=2,
    look=_("Two messages “Textdesk check B” arrive. What do they show after “Round” and “Curly”?"),
    choices=(
        Choice("round", _("Round: red in one and blue in the other. Curly: ${p1} in both")),
        Choice("curly", _("Round: $(p1) in both. Curly: red in one and blue in the other")),
        Choice("both", _("Red after both words in one message, blue after both words in the other")),
        Choice("neither", _("Round: $(p1). Curly: ${p1}. No colours at all")),
        Choice("other", _("Something else, or only one message")),
    ),
)
LINKS = Question(
    key="links",
    title=_("Which link options are mandatory?"),
    why=_(
        "The same message with few link options, then with more, until Webex Connect accepts it. Only the last one is sent."
    ),
    messages=1,
    segments=1,
    look=_("Has “Textdesk check C” arrived, with a short link in it?"),
    choices=(
        Choice("short", _("Yes, with a short link")),
        Choice("long", _("Yes, but the link is the long one, https://www.example.com/textdesk-check")),
        NEVER,
    ),
    needs="link_domain",
)
LENGTH = Question(
    key="length",
    title=_("May a text have more than 1,024 characters?"),
    why=_("One long message of 1,025 letters."),
    messages=1,
    segments=7,
    look=_("Has the long message “Textdesk check D” arrived, whole? It ends with “the end.”"),
    choices=(
        Choice("whole", _("Yes, up to “the end.”")),
        Choice("cut", _("Yes, but it is cut off")),
        NEVER,
    ),
)
EMOJI = Question(
    key="emoji",
    title=_("Does an emoji count as one character or as two?"),
    why=_(
        "One message of 513 emoji, which is below 1,024 or above, depending on how they are counted. Only where the limit is 1,024."
    ),
    messages=1,
    segments=16,
    look=_("Has the message full of emoji arrived?"),
    choices=(CAME, NEVER),
)
VALIDITY = Question(
    key="validity",
    title=_("Is a message dropped once its validity is over?"),
    why=_("One message that is valid for a minute, to a phone that is off. One-time codes rely on this."),
    messages=1,
    segments=1,
    before=_(
        "Switch your phone off, or to flight mode, before you send. Wait two minutes, then switch it on again."
    ),
    look=_("After you switched the phone on again: did “Textdesk check F” arrive?"),
    choices=(
        Choice("late", _("Yes, it came after I switched the phone on")),
        Choice("dropped", _("No, nothing has come for two minutes after I switched it on")),
    ),
)
SMARTLINK = Question(
    key="smartlink",
    title=_("Is the validity of a smartlink in minutes or in seconds?"),
    why=_("One message with a smartlink that is valid for 2."),
    messages=1,
    segments=1,
    look=_(
        "Wait until “Textdesk check G” is ten seconds old, then open its link. Do it within a minute. What happens?"
    ),
    choices=(
        Choice("opens", _("The link opens its page")),
        Choice("ended", _("It says that the link has ended, or opens the page for ended links")),
        NEVER,
    ),
    needs="smartlink",
)
THROTTLE = Question(
    key="throttle",
    title=_("How does Webex Connect say that we are too fast?"),
    why=_(
        "Empty requests for up to three seconds, faster than your rate. No message is sent. Other sends may have to wait for a moment."
    ),
    messages=0,
    segments=0,
)

QUESTIONS = {one.key: one for one in (PLAIN, PAIR, LINKS, LENGTH, EMOJI, VALIDITY, SMARTLINK, THROTTLE)}
MESSAGES = sum(one.messages for one in QUESTIONS.values())
SEGMENTS = sum(one.segments for one in QUESTIONS.values())
