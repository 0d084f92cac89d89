"""What lets people in: second factors are encrypted, links lead to our own address, state is private, and refusals are one line."""

import ast
import json
import stat
import subprocess
import sys

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from cryptography.fernet import Fernet
from django.contrib import admin
from django.core import mail
from django.core.management import call_command
from django.test import Client

from portal.models import User
from sms.compliance import rotate_keys
from sms.compose.create import create
from sms.models.fields import keyring
from sms.notices import send_due
from tests.architecture import tree_of
from tests.environment import ROOT
from tests.support.approvals import a_careful_service, a_person, acting
from tests.support.logs import written_log
from tests.support.people import a_cast
from tests.support.processes import environment
from tests.support.sends import an_order

pytestmark = pytest.mark.django_db


@pytest.fixture
def person():
    return User.objects.create_user(
        "ada@example.test", "correct horse battery", is_superuser=True, is_staff=True
    )


def factors_of(person) -> str:
    return json.dumps(list(Authenticator.objects.filter(user=person).values_list("data", flat=True)))


def test_second_factors_are_stored_encrypted_and_still_work(person):
    secret = generate_totp_secret()
    TOTP.activate(person, secret)
    codes = RecoveryCodes.activate(person).generate_codes()
    stored = factors_of(person)
    assert secret not in stored
    assert all(code not in stored for code in codes)
    assert stored.count("gAAAA") == 2
    again = RecoveryCodes(Authenticator.objects.get(user=person, type="recovery_codes"))
    assert again.generate_codes() == codes


def test_another_field_key_takes_them_along(person, settings):
    RecoveryCodes.activate(person)
    TOTP.activate(person, generate_totp_secret())
    codes = RecoveryCodes.activate(person).generate_codes()
    old, new = settings.FIELD_KEYS[0], Fernet.generate_key().decode()
    try:
        assert rotate_keys.count([new, old]).old == 2
        renewed = sum(one[2] for one in rotate_keys.rotate([new, old]))
        assert renewed == 2
        assert rotate_keys.count([new, old]).old == 0
        keyring.load([new])
        assert RecoveryCodes.activate(person).generate_codes() == codes
    finally:
        keyring.load(settings.FIELD_KEYS)


def test_the_admin_has_no_pages_of_factors_and_addresses(person, client):
    assert not {"Authenticator", "EmailAddress"} & {one.__name__ for one in admin.site._registry}
    client.force_login(person)
    assert client.get("/admin/mfa/authenticator/").status_code == 404


@pytest.mark.parametrize("host", ["localhost:6666", "127.0.0.1", "testserver"])
def test_a_link_that_lets_people_in_leads_to_our_own_address_whatever_the_request_says(
    person, settings, host
):
    settings.PUBLIC_URL = "https://desk.example"
    answer = Client(headers={"host": host}).post("/accounts/password/reset/", {"email": person.email})
    assert answer.status_code == 302
    (letter,) = mail.outbox
    assert "https://desk.example/accounts/password/reset/key/" in letter.body
    assert host not in letter.body + letter.subject


def test_nobody_can_have_us_write_to_a_stranger(client):
    client.post("/accounts/password/reset/", {"email": "stranger@example.test"})
    assert mail.outbox == []


def test_a_mail_is_sent_whatever_line_breaks_are_in_a_name():
    service = a_careful_service()
    a_person("ann", service, "approver")
    name = "Spring\r\nBcc: eve@example.test +447700900123"
    create(an_order(service, 3, name=name), by=acting(a_person("bob", service, "composer")))
    mail.outbox.clear()
    assert send_due(public_url="https://desk.example") == 1
    (letter,) = mail.outbox
    assert "\n" not in letter.subject
    assert "447700900123" not in letter.subject + letter.body


def test_every_subject_is_made_one_line_or_is_written_in_the_code():
    subjects = []
    for path in (*ROOT.glob("portal/**/*.py"), *ROOT.glob("sms/**/*.py")):
        for call in ast.walk(tree_of(path)):
            match call:
                case ast.Call(func=ast.Name(id="EmailMessage" | "EmailMultiAlternatives" | "send_mail")):
                    named = [one.value for one in call.keywords if one.arg == "subject"]
                    subjects.append((path.name, (named or call.args)[0]))
    assert len(subjects) >= 5
    for name, subject in subjects:
        is_ours = isinstance(subject, ast.Call) and getattr(subject.func, "id", "") == "one_line"
        assert is_ours or isinstance(subject, ast.Constant), name


def test_a_mail_holds_nothing_of_a_text_whose_send_has_no_name():
    service = a_careful_service()
    a_person("ann", service, "approver")
    order = an_order(service, 3, name="", content="Your code is 482913")
    create(order, by=acting(a_person("bob", service, "composer")))
    send_due(public_url="https://desk.example")
    (letter,) = mail.outbox
    assert "Your code" not in letter.subject + letter.body


def test_a_refusal_is_one_line_with_who_and_where():
    cast = a_cast(waiting=True)
    with written_log("json") as lines:
        assert cast["composer"].get("/s/shop/settings/").status_code == 403
    (line,) = [json.loads(one) for one in lines.getvalue().splitlines() if "Forbidden" in one]
    assert line["person"] == cast.users["composer"].pk
    assert line["address"] == "127.0.0.1"
    assert "exception" not in line


def test_what_the_desk_makes_on_disk_is_its_owners_alone(tmp_path):
    """Under a umask that would let everybody read it."""
    folder = tmp_path / "state"
    command = f"umask 000; {sys.executable} manage.py migrate -v 0"
    (keys := tmp_path / "keys").mkdir()
    env = environment(keys, f"sqlite:///{folder / 'textdesk.sqlite3'}") | {"VAR_DIR": str(folder)}
    subprocess.run(["sh", "-c", command], env=env, check=True, timeout=300)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = [
        path for path in folder.rglob("*") if path.is_file() and path.name.startswith("textdesk.sqlite3")
    ]
    assert files
    assert all(not path.stat().st_mode & 0o077 for path in files)


def test_a_folder_that_others_can_read_is_a_deploy_warning(settings, tmp_path, capsys):
    settings.VAR_DIR = tmp_path
    tmp_path.chmod(0o755)
    call_command("check", deploy=True)
    assert "sms.W001" in capsys.readouterr().err
    tmp_path.chmod(0o700)
    call_command("check", deploy=True)
    assert "sms.W001" not in capsys.readouterr().err
