"""Keys, rows and pages in addresses: what is not understood counts as not given, on every page that reads one."""

import pytest

from tests.support.people import a_cast
from tests.support.sends import a_send

pytestmark = pytest.mark.django_db
ODD = ("x", "-1", "1.5", "9" * 30)
ADDRESSES = (
    "audit/?before=",
    "opt-outs/?before=",
    "messages/?before=",
    "sends/?before=",
    "reports/?by=send&before=",
    "reports/?page=",
    "senders/?page=",
    "audiences/?page=",
    "compose/?audience=",
    "compose/?at=",
    "drafts/{draft}/test/?row=",
    "drafts/{draft}/?at=",
    "sends/{send}/?after=",
)


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_odd_number_opens_the_page_as_if_it_were_not_there(address):
    cast = a_cast()
    send = a_send(cast.service)
    draft = cast.service.drafts.create(sender=send.sender, text="Hi", pasted="+447700900123")
    page = "/s/shop/" + address.format(draft=draft.pk, send=send.pk)
    for number in ODD:
        assert cast["admin"].get(page + number).status_code == 200, number


def test_a_key_is_where_the_next_page_begins():
    cast = a_cast()
    first, second = a_send(cast.service), a_send(cast.service)
    page = cast["admin"].get(f"/s/shop/sends/?before={second.pk}")
    assert [row.send for row in page.context["rows"]] == [first]
