"""An OpenID Connect issuer as a process of its own: the server of django-oauth-toolkit in a project as small as can be.

`python -m tests.support.oidc_issuer PORT FOLDER` serves it. FOLDER/people.json says what it claims of whom, and is read at each sign-in:
`{"ada": {"email": …, "email_verified": true, "groups": […]}}`; the key `_skew` moves its clock by seconds.
"""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CLIENT, SECRET, PASSWORD = "textdesk", "a client's secret", "their own password"


@dataclass
class RunningIssuer:
    port: int
    folder: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/o"

    def knows(self, **people: dict[str, Any]) -> None:
        (self.folder / "people.json").write_text(json.dumps(people))


@contextmanager
def running(folder: Path, *, redirect: str) -> Iterator[RunningIssuer]:
    from tests.support.processes import free_port, until

    issuer = RunningIssuer(free_port(), folder)
    issuer.knows()
    command = [sys.executable, "-m", "tests.support.oidc_issuer", str(issuer.port), str(folder), redirect]
    env = {"PATH": os.environ.get("PATH", ""), "PYTHONUNBUFFERED": "1"}
    with (folder / "issuer.log").open("w") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=subprocess.STDOUT)
    try:
        until(lambda: process.poll() is not None or _answers(issuer), "the issuer answers")
        assert process.poll() is None, (folder / "issuer.log").read_text()
        yield issuer
    finally:
        process.terminate()
        process.wait(timeout=30)


def _answers(issuer: RunningIssuer) -> bool:
    try:
        with urllib.request.urlopen(f"{issuer.url}/.well-known/openid-configuration") as answer:
            return answer.status == 200
    except OSError:
        return False


SIGN_IN = """<!doctype html><title>Issuer</title><form method="post">{% csrf_token %}{{ form }}<button>Sign in there</button></form>"""
BASE = "<!doctype html><title>Issuer</title>{% block content %}{% endblock %}"  # theirs loads style over the network


def _serve(port: int, folder: Path, redirect: str) -> None:
    import django
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    from django.conf import settings

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    settings.configure(
        SECRET_KEY="issuer" * 10,
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF="tests.support.oidc_issuer_urls",
        DATABASES={
            "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(folder / "issuer.sqlite3")}
        },
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
            "oauth2_provider",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        SESSION_COOKIE_NAME="issuer_session",  # cookies of one host do not know ports
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": ["django.template.context_processors.request"],
                    "loaders": [
                        (
                            "django.template.loaders.locmem.Loader",
                            {"registration/login.html": SIGN_IN, "oauth2_provider/base.html": BASE},
                        ),
                        "django.template.loaders.app_directories.Loader",
                    ],
                },
            }
        ],
        USE_TZ=True,
        LOGIN_URL="/sign-in/",
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        PEOPLE_FILE=folder / "people.json",
        OAUTH2_PROVIDER={
            "OIDC_ENABLED": True,
            "OIDC_RSA_PRIVATE_KEY": pem.decode(),
            "OIDC_ISS_ENDPOINT": f"http://127.0.0.1:{port}/o",
            "OAUTH2_VALIDATOR_CLASS": "tests.support.oidc_issuer_urls.Claims",
            "SCOPES": {"openid": "", "profile": "", "email": "", "groups": ""},
            "PKCE_REQUIRED": True,
        },
    )
    settings.TEMPLATES[0].pop("APP_DIRS")
    django.setup()
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from oauth2_provider.models import Application

    call_command("migrate", verbosity=0)
    for name in ("ada", "bob", "eve"):
        User.objects.create_user(name, password=PASSWORD)
    Application.objects.create(
        name="Textdesk",
        client_id=CLIENT,
        client_secret=SECRET,
        client_type="confidential",
        authorization_grant_type="authorization-code",
        redirect_uris=redirect,
        algorithm="RS256",
    )
    call_command("runserver", f"127.0.0.1:{port}", "--noreload", "--skip-checks")


if __name__ == "__main__":
    sys.argv[0:1] = []
    _serve(int(sys.argv[0]), Path(sys.argv[1]), sys.argv[2])
