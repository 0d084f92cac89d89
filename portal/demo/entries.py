"""What the demo is made of: its service, its people, and the entries of its catalogue that no tenant has."""

from typing import Any

from portal.models import Role
from sms.models import SenderKind

SLUG = "demo"
PEOPLE = (Role.COMPOSER, Role.APPROVER, Role.ADMIN, Role.AUDITOR)
ADDRESSES = tuple(f"{role}@demo.test" for role in PEOPLE)
NAMES = {
    Role.COMPOSER: ("Grace", "Mensah"),
    Role.APPROVER: ("Omar", "Haddad"),
    Role.ADMIN: ("Julia", "Novak"),
    Role.AUDITOR: ("Peter", "Lindqvist"),
}
POLICY_GROUP, DOMAIN = "demo-marketing", "go.demo.test"
SENDERS = (
    ("TEXTDESK", SenderKind.ALPHANUMERIC, True),
    ("72345", SenderKind.SHORT_CODE, False),
    ("447700900000", SenderKind.LONG_CODE, False),
)
# from which nothing was sent yet, so that its first send waits for an approval
NEW_SENDER = ("OPENDAY", SenderKind.ALPHANUMERIC, False)
RATE = 200  # destinations a second, as if contracted
PRICES = """country,sender kind,price,currency
GB,,0.032,GBP
GB,short_code,0.041,GBP
FR,,0.058,GBP
DE,,0.071,GBP
"""
CAP_NUMBER = 1_000  # messages a day: who tries things out has one number, and nobody gets them; the usual cap once it is live
TEMPLATES = (
    ("order_shipped", "Hi $(name), order $(order) is on its way."),
    ("appointment", "Hi $(name), see you on $(date) at $(time). To cancel, text C to 72345."),
    (
        "flash_sale",
        "Hi $(name), 20% off until midnight: https://shop.example/sale To opt out, text STOP to 72345.",
    ),
)
# what the appointment template asks people to text, how the conversation is labelled, and the answer
KEYWORD = ("C", "cancelled", "Your appointment is cancelled. To make another one, call us.")


def is_demo(user: Any) -> bool:
    """Whether it is one of the people whose password `up --demo` prints."""
    return str(getattr(user, "email", "")).lower() in ADDRESSES
