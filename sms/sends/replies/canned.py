"""Templates that can be an answer: those without placeholders, and those whose placeholders the message filled that is answered."""

from dataclasses import dataclass

from sms.models import Message, Service, TemplateVersion, VersionState
from sms.values import text
from sms.values.msisdn.mention import starred

MOST = 50


@dataclass(frozen=True, slots=True)
class CannedAnswer:
    """`key` is that of the template."""

    key: int
    name: str
    text: str


def canned_answers(service: Service, *, message: Message | None) -> list[CannedAnswer]:
    """`message` is the one that is answered, where it is known."""
    rows = TemplateVersion.objects.filter(
        template__service=service,
        template__active=True,
        state=VersionState.PUBLISHED,
        language="",
        provider_template_id="",
    )
    found = (
        CannedAnswer(one.template_id, one.template.name, filled_text(one, message) or "")
        for one in rows.select_related("template").order_by("template__name")[:MOST]
    )
    # who answers reads it whole while they write, and would read the number of this person
    number = message.msisdn if message else ""
    return [one for one in found if one.text and starred(one.text, number) == one.text]


def filled_text(version: TemplateVersion, message: Message | None) -> str | None:
    """Its text, with the values of that message; None where a placeholder has none."""
    needed = {text.match_key(name) for name in text.placeholders(version.text)}
    if not needed:
        return version.text
    given = message.substitutions.items() if message else ()
    known = {text.match_key(name): value for name, value in given if value}
    return text.render(version.text, substitutions=known) if needed <= known.keys() else None
