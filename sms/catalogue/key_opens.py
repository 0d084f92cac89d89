"""What an API key opens, as the change that waits for a second admin says it. Stored, so it is English until a page retells it."""

from django.utils.translation import gettext_noop, override

from sms.models import ApiKey
from sms.words import KeptSentence

# Each alone or last, and with others behind it. The second is recognised first, since the first fits it, too.
# Translators: scopes are codes, purpose is “for people” or the like, others goes on with the list.
MAY = (
    KeptSentence(gettext_noop("may %(scopes)s; %(purpose)s; %(others)s")),
    KeptSentence(gettext_noop("may %(scopes)s; %(purpose)s")),
)
# Translators: others goes on with the list.
JWT = (
    KeptSentence(gettext_noop("stands for this service's JWT; %(others)s")),
    KeptSentence(gettext_noop("stands for this service's JWT")),
)
# Translators: others goes on with the list.
MINUTE = (
    KeptSentence(gettext_noop("up to %(n)s messages a minute; %(others)s")),
    KeptSentence(gettext_noop("up to %(n)s messages a minute")),
)
# Translators: others goes on with the list.
DAY = (
    KeptSentence(gettext_noop("up to %(n)s segments a day; %(others)s")),
    KeptSentence(gettext_noop("up to %(n)s segments a day")),
)
# Translators: others goes on with the list.
MONEY = (
    KeptSentence(gettext_noop("up to %(amount)s %(currency)s a day; %(others)s")),
    KeptSentence(gettext_noop("up to %(amount)s %(currency)s a day")),
)
# Translators: countries are codes, others goes on with the list.
COUNTRIES = (
    KeptSentence(gettext_noop("only to %(countries)s; %(others)s")),
    KeptSentence(gettext_noop("only to %(countries)s")),
)
NETWORKS = (KeptSentence(gettext_noop("only from %(networks)s")),)


def opens(key: ApiKey) -> str:
    with override("en"):
        purpose = str(key.get_purpose_display())
    parts = [
        (MAY, True, {"scopes": ", ".join(key.scopes), "purpose": purpose}),
        (JWT, key.takes_jwt, {}),
        (MINUTE, key.cap_minute, {"n": f"{key.cap_minute or 0:,}"}),
        (DAY, key.cap_day, {"n": f"{key.cap_day or 0:,}"}),
        (MONEY, key.cap_money, {"amount": f"{key.cap_money or 0:,}", "currency": key.service.cap_currency}),
        (COUNTRIES, key.countries, {"countries": key.countries}),
        (NETWORKS, key.networks, {"networks": ", ".join(key.networks)}),
    ]
    says = ""
    for sentences, holds, facts in reversed(parts):
        if holds:
            says = sentences[0](**facts, others=says) if says else sentences[-1](**facts)
    return says
