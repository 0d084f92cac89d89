"""In which shape one of the provider's three send APIs takes a request, refuses it, and answers: what a view is given.

All three are read by `body`, become the same order, and get the same receipts.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from django.http import HttpResponse

from sms.api.drop_in.body import DropInRequest
from sms.api.drop_in.errors import DropInRefused, invalid
from sms.api.drop_in.fields import Block
from sms.api.drop_in.replies import AcceptedRequest
from sms.api.drop_in.unused import Notice, notice
from sms.models import Message

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Dialect:
    """`names` has a parameter's name here by its name at `/v2/messages`, `as_v2` turns a whole body into one for there.

    Answers have what `notices` add as their field `textdesk`; `shown` is given it.
    """

    as_v2: Callable[[Block], Block]
    accepted: Callable[[AcceptedRequest, DropInRequest], HttpResponse]
    shown: Callable[[Message, str, Block], bytes]
    answer: Callable[[DropInRefused], HttpResponse]
    names: Mapping[str, str] = field(default_factory=dict)
    names_unused: bool = (
        False  # in its reply, as its clients read it; the others refuse what would not be used
    )
    tells_text: bool = True  # in a read-back

    def unused(self, notices: list[Notice]) -> list[Notice]:
        """Of parts of a request that are not used; raises DropInRefused where a reply does not name them."""
        if notices and not self.names_unused:
            raise invalid(notices[0]["field"], notices[0]["detail"])
        return notices

    def named(self, notices: Iterable[Notice]) -> list[Notice]:
        """With their fields as the partner calls them."""
        return [notice(self.names.get(one["field"], one["field"]), one["detail"]) for one in notices]

    def refusal(self, refused: DropInRefused) -> HttpResponse:
        """With the headers that it has, and the parameter as the partner calls it. Some are answered with 200, so it is marked."""
        name, colon, why = refused.name.partition(":")
        answer = self.answer(refused.about(self.names.get(name, name) + colon + why))
        for header, value in refused.headers.items():
            answer.headers[header] = value
        answer.exception = True  # type: ignore[attr-defined]  # as DRF marks its own
        return answer
