"""A send's own words for the screen, without whole numbers of the people that it goes to. Called by pages and the API.

Programs write a text for one person, whose number may stand in it. A hotline is nobody's here, so it stays readable.
"""

from sms.models import Send
from sms.values.msisdn import BadNumber, parse
from sms.values.msisdn.mention import masked, numbers_like, starred


def without_recipients(words: str, send: Send) -> str:
    """The words with the middle of each recipient's number starred. Asks the database only where something looks like a number."""
    found = set[str]()
    for written in numbers_like(words):
        try:
            found.add(parse(written, country=send.service.default_country).e164)
        except BadNumber:
            continue
    if found and not send.messages.exists():  # they are in an archive, and nobody looks there for a list
        return masked(words)
    if found:
        known = send.messages.filter(msisdn__in=found).order_by().values_list("msisdn", flat=True)
        for number in set(known):
            words = starred(words, number)
    return words
