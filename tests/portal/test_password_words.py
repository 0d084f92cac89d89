"""Words that anybody would try at this desk make no password, at any way to a new one."""

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client

from portal import people
from tests.support.factors import PASSWORD
from tests.support.people import a_cast
from tests.support.sends import BY, a_service

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "password",
    [
        "textdesk-2026!",
        "T3xtd3sk T3xtd3sk",
        "Textdesk.Admin.1",
        "WebexConnect2026",
        "desk.bank.test-1",
        "SpringSale-12345",
        "spring_sale_2026",
        "S0mmeraktion-99!",
        "\uff34\uff45\uff58\uff54\uff44\uff45\uff53\uff4b\uff0d2026",
    ],
)
def test_words_of_this_desk_alone_are_refused(settings, password):
    settings.PUBLIC_HOST = "desk.bank.test"
    a_service(slug="spring", name="Spring Sale")
    a_service(slug="sommer", name="Sommeraktion")
    with pytest.raises(ValidationError, match="anybody would try here"):
        validate_password(password)


@pytest.mark.parametrize("password", [PASSWORD, "textdesk under a willow", "my spring was rather cold"])
def test_they_may_stand_among_others(password):
    a_service(slug="spring", name="Spring Sale")
    validate_password(password)


def test_each_way_to_a_new_password_asks():
    cast, bad = a_cast(), "textdesk-2026!"
    client = cast["composer"]
    answer = client.post(
        "/accounts/password/change/", {"oldpassword": PASSWORD, "password1": bad, "password2": bad}
    )
    assert "anybody would try here" in answer.text
    link = people.invite(cast.service, "eve@example.test", ["composer"], by=BY)
    answer = Client().post(f"/invitations/{people.token_of(link)}/", {"password": bad, "again": bad})
    assert "anybody would try here" in answer.text
