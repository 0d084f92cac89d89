"""The provider's Contact Policy API: its groups, and whether a number may be written to. Called by `sms.catalogue.policy_groups`.

Numbers go in bodies, never in addresses, which servers and proxies log: so consent is asked by the counters call with the frequency cap
left out, which counts nothing.
"""

from collections.abc import Callable
from typing import Literal
from urllib.parse import quote

import msgspec

from sms.webex.client import ApiReply
from sms.webex.errors import ProviderError, RequestRefused, ServicePaused, UnreadableBody
from sms.words import KeptSentence, gettext_noop

LONGEST_LIST = 1000  # groups; more are left out
UNREADABLE_LIST = KeptSentence(gettext_noop("The list of groups cannot be read: %(error)s."))
Answer = Literal["agreed", "not_agreed", "not_in_group", "expired", "unreachable", "bad_group"]
_ANSWERS: dict[str, Answer] = {
    "20001": "agreed",
    "20006": "agreed",
    "20010": "agreed",
    "20002": "not_agreed",
    "20003": "not_in_group",
    "20004": "unreachable",
    "20005": "bad_group",
    "20008": "bad_group",
    "20012": "expired",
}


class ProviderGroup(msgspec.Struct, frozen=True, rename="camel"):
    """A group as the provider lists it. The documents do not show the list's body, so all but the id may be missing."""

    group_id: str
    name: str = ""
    description: str = ""
    group_default: str = ""
    status: str = ""


class _Counted(msgspec.Struct, frozen=True):
    code: str = ""


class TenantPolicy:
    """One tenant's Contact Policy. `exchange` does (method, path, body) and gives (status, body)."""

    def __init__(self, exchange: Callable[[str, str, bytes], ApiReply]) -> None:
        self._exchange = exchange

    def groups(self) -> list[ProviderGroup]:
        """All of the tenant; raises a ProviderError, or Unreadable."""
        answer = self._asked("GET", "/v1/groups", b"")
        if answer.status != 200:
            raise RequestRefused("contact_policy", answer.status)
        try:
            found = msgspec.json.decode(answer.body, type=list[ProviderGroup])
        except msgspec.MsgspecError as problem:
            raise UnreadableBody(UNREADABLE_LIST(error=type(problem).__name__)) from problem
        return found[:LONGEST_LIST]

    def consent(self, group_id: str, e164: str) -> Answer:
        """Whether the group lets this number be written to; raises a ProviderError, or Unreadable."""
        asked = {
            "channel": "text",
            "address": e164,
            "channelCheckConsent": True,
            "channelApplyFrequencyCap": False,
        }
        path = f"/v1/groups/{quote(group_id, safe='')}/counters"
        answer = self._asked("POST", path, msgspec.json.encode([asked]))
        if answer.status == 404:
            return "bad_group"
        try:
            codes = msgspec.json.decode(answer.body, type=list[_Counted])
        except msgspec.MsgspecError as problem:
            raise UnreadableBody(gettext_noop("The answer about consent cannot be read.")) from problem
        if len(codes) != 1 or codes[0].code not in _ANSWERS:
            raise UnreadableBody(gettext_noop("The answer about consent has no code that is known."))
        return _ANSWERS[codes[0].code]

    def _asked(self, method: str, path: str, body: bytes) -> ApiReply:
        answer = self._exchange(method, path, body)
        if answer.status in (401, 403):
            raise ServicePaused("unauthorised", answer.status)
        if answer.status >= 500 or 300 <= answer.status < 400:
            raise ProviderError("trouble", answer.status)
        return answer
