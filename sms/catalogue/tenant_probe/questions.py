"""The questions of a tenant probe, in their order: what each is about, what it costs, and what a person is asked to look at."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person may have seen."""

    key: str
    words: str


@dataclass(frozen=True, slots=True)
class Question:
    """`messages` and `segments` are the most that it costs. `before` says what to do first, `look` what to look at afterwards.

    `needs` is the field of the run without which it cannot be asked.
    """

    key: str
    title: str
    why: str
    messages: int
    segments: int
    look: str = ""
    choices: tuple[Choice, ...] = ()
    before: str = ""
    needs: str = ""


CAME = Choice("came", "Yes, it has arrived")
NEVER = Choice("never", "No, nothing has come for two minutes")

PLAIN = Question(
    key="plain",
    title="Does a message arrive, and how is it reported?",
    why="One ordinary message. It shows whether numbers need a plus sign, what a reply and its receipts look like, and where they come.",
    messages=1,
    segments=1,
    look="Has “Textdesk check A” arrived on your phone? Wait a few seconds for its receipts before you answer.",
    choices=(CAME, NEVER),
)
PAIR = Question(
    key="pair",
    title="Can one request carry personal messages?",
    why="Two messages to your phone in one request, each with a word of its own. Until this is answered, each travels alone.",
    messages=2,
    segments=2,
    look="Two messages “Textdesk check B” arrive. What do they show after “Round” and “Curly”?",
    choices=(
        Choice("round", "Round: red in one and blue in the other. Curly: ${p1} in both"),
        Choice("curly", "Round: $(p1) in both. Curly: red in one and blue in the other"),
        Choice("both", "Red after both words in one message, blue after both words in the other"),
        Choice("neither", "Round: $(p1). Curly: ${p1}. No colours at all"),
        Choice("other", "Something else, or only one message"),
    ),
)
LINKS = Question(
    key="links",
    title="Which link options are mandatory?",
    why="The same message with few link options, then with more, until Webex Connect accepts it. Only the last one is sent.",
    messages=1,
    segments=1,
    look="Has “Textdesk check C” arrived, with a short link in it?",
    choices=(
        Choice("short", "Yes, with a short link"),
        Choice("long", "Yes, but the link is the long one, https://www.example.com/textdesk-check"),
        NEVER,
    ),
    needs="link_domain",
)
LENGTH = Question(
    key="length",
    title="May a text have more than 1,024 characters?",
    why="One long message of 1,025 letters.",
    messages=1,
    segments=7,
    look="Has the long message “Textdesk check D” arrived, whole? It ends with “the end.”",
    choices=(
        Choice("whole", "Yes, up to “the end.”"),
        Choice("cut", "Yes, but it is cut off"),
        NEVER,
    ),
)
EMOJI = Question(
    key="emoji",
    title="Does an emoji count as one character or as two?",
    why="One message of 513 emoji, which is below 1,024 or above, depending on how they are counted. Only where the limit is 1,024.",
    messages=1,
    segments=16,
    look="Has the message full of emoji arrived?",
    choices=(CAME, NEVER),
)
VALIDITY = Question(
    key="validity",
    title="Is a message dropped once its validity is over?",
    why="One message that is valid for a minute, to a phone that is off. One-time codes rely on this.",
    messages=1,
    segments=1,
    before="Switch your phone off, or to flight mode, before you send. Wait two minutes, then switch it on again.",
    look="After you switched the phone on again: did “Textdesk check F” arrive?",
    choices=(
        Choice("late", "Yes, it came after I switched the phone on"),
        Choice("dropped", "No, nothing has come for two minutes after I switched it on"),
    ),
)
SMARTLINK = Question(
    key="smartlink",
    title="Is the validity of a smartlink in minutes or in seconds?",
    why="One message with a smartlink that is valid for 2.",
    messages=1,
    segments=1,
    look="Wait until “Textdesk check G” is ten seconds old, then open its link. Do it within a minute. What happens?",
    choices=(
        Choice("opens", "The link opens its page"),
        Choice("ended", "It says that the link has ended, or opens the page for ended links"),
        NEVER,
    ),
    needs="smartlink",
)
THROTTLE = Question(
    key="throttle",
    title="How does Webex Connect say that we are too fast?",
    why="Empty requests for up to three seconds, faster than your rate. No message is sent. Other sends may have to wait for a moment.",
    messages=0,
    segments=0,
)

QUESTIONS = {one.key: one for one in (PLAIN, PAIR, LINKS, LENGTH, EMOJI, VALIDITY, SMARTLINK, THROTTLE)}
MESSAGES = sum(one.messages for one in QUESTIONS.values())
SEGMENTS = sum(one.segments for one in QUESTIONS.values())
