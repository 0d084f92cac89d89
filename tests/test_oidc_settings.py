"""The OIDC_* variables: right together, or a sentence that stops the start and shows no secret."""

import subprocess
import sys

import pytest

from portal.env import WrongVariable
from portal.sso import settings as sso
from tests.environment import ROOT
from tests.support.processes import environment

ISSUER = "https://id.example/realms/desk"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ((ISSUER, "", ""), "OIDC_ISSUER is set, and OIDC_CLIENT_ID and OIDC_CLIENT_SECRET are not"),
        ((ISSUER, "desk", ""), "OIDC_ISSUER is set, and OIDC_CLIENT_SECRET is not"),
        (("", "desk", "hush"), "OIDC_CLIENT_ID is set, and OIDC_ISSUER is not"),
        (("", "", "hush"), "OIDC_CLIENT_SECRET is set, and OIDC_ISSUER and OIDC_CLIENT_ID are not"),
        (
            ("http://id.example", "desk", "hush"),
            "OIDC_ISSUER is 'http://id.example'; it should begin with https://",
        ),
        (("http://127.0.0.1.example", "desk", "hush"), "should begin with https://"),
        (("http://localhost.example", "desk", "hush"), "should begin with https://"),
        ((f"{ISSUER}/.well-known/openid-configuration", "desk", "hush"), "the issuer alone"),
        ((f"{ISSUER}?tenant=1", "desk", "hush"), "the issuer alone"),
        ((f"{ISSUER}#top", "desk", "hush"), "the issuer alone"),
    ],
)
def test_a_wrong_combination_is_a_sentence(given, words):
    with pytest.raises(WrongVariable) as caught:
        sso.checked(*given, debug=False)
    assert words in str(caught.value)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    "issuer", ["http://127.0.0.1:9000/o", "http://localhost/o", "http://[::1]:9000", ISSUER]
)
def test_plain_http_is_for_this_machine(issuer):
    sso.checked(issuer, "desk", "hush", debug=False)
    sso.checked("http://id.example", "desk", "hush", debug=True)
    sso.checked("", "", "", debug=False)


def test_the_secret_can_be_a_file_and_a_wrong_start_names_the_variable(tmp_path, var_dir):
    (secret := tmp_path / "secret").write_text("hush-hush\n")
    env = environment(var_dir, f"sqlite:///{var_dir / 'desk.sqlite3'}")
    env |= {
        "OIDC_ISSUER": "http://id.example",
        "OIDC_CLIENT_ID": "desk",
        "OIDC_CLIENT_SECRET_FILE": str(secret),
    }
    command = [sys.executable, "manage.py", "check"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode != 0
    assert "OIDC_ISSUER" in done.stderr
    assert "hush-hush" not in done.stderr + done.stdout
    done = subprocess.run(
        command, cwd=ROOT, env=env | {"OIDC_ISSUER": ISSUER}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
