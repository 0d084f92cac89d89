"""Saved audiences, drafts to them, and recurring sends that start at a chosen moment."""

from datetime import UTC, date, datetime, time

from portal.models import User
from sms.audiences import packing, saved
from sms.audiences.files import Limits
from sms.models import Draft, RecurringSend, SavedAudience, Service
from sms.sends.recurring import start
from tests.support.approvals import a_person, acting

MONDAY = date(2027, 3, 1)
START = datetime(2027, 2, 26, 12, 0, tzinfo=UTC)  # the Friday before


def rows(count: int) -> packing.Packed:
    text = "\n".join(f"+44771{index:07d}" for index in range(count))
    return packing.pack_pasted(text, country="GB", limits=Limits())


def a_list(service: Service, count: int = 3, *, user: User, name: str = "Members") -> SavedAudience:
    return saved.create(service, rows(count), name=name, by=acting(user))


def a_draft_to(audience: SavedAudience, *, user: User, **changes) -> Draft:
    fields = {
        "text": "Training tonight at 19:00",
        "sender": audience.service.senders.first(),
        "name": "Training",
    }
    made = Draft.objects.create(
        service=audience.service, audience=audience, created_by=user, revision=1, **fields | changes
    )
    made.editors.add(user)
    return made


def a_recurring_send(
    service: Service, *, user: User | None = None, count: int = 3, now: datetime = START, **changes
) -> RecurringSend:
    """Every Monday at 09:00 from the first of March 2027, made four hours before, in the name of a composer."""
    user = user or a_person("composer", service, "composer")
    content = changes.pop("draft", None) or a_draft_to(a_list(service, count, user=user), user=user)
    fields = {
        "name": "Training",
        "every": "weekly",
        "days": "0",
        "at": time(9),
        "starts_on": MONDAY,
    } | changes
    wanted = RecurringSend(service=service, **fields)
    return start.start(content, wanted, by=acting(user), now=now)
