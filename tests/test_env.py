"""Environment variables: a wrong one stops the start with a sentence that names it, what it holds and what it should hold."""

import os
import subprocess
import sys

import environ
import pytest

from portal.env import WrongVariable, env_bool, env_choice, env_int, env_list, env_parsed, env_str, env_url
from tests.environment import ROOT


def test_each_variable_can_be_a_file(monkeypatch, tmp_path):
    path = tmp_path / "secret"
    path.write_text("from a file\n")
    monkeypatch.setenv("THING_FILE", str(path))
    assert env_str("THING") == "from a file"
    monkeypatch.setenv("THING", "direct")
    with pytest.raises(WrongVariable, match="THING and THING_FILE are both set"):
        env_str("THING")


def test_an_unreadable_file_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("THING_FILE", str(tmp_path / "missing"))
    with pytest.raises(WrongVariable, match=r"THING_FILE points to .*missing"):
        env_str("THING")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\xff")
    monkeypatch.setenv("THING_FILE", str(tmp_path / "binary"))
    with pytest.raises(WrongVariable, match="not UTF-8"):
        env_str("THING")


@pytest.mark.parametrize(
    ("read", "value", "words"),
    [
        (lambda: env_bool("THING"), "maybe", "true or false"),
        (lambda: env_int("THING", 1, low=1, high=9), "ten", "from 1 to 9"),
        (lambda: env_int("THING", 1, low=1, high=9), "10", "from 1 to 9"),
        (lambda: env_choice("THING", "a", choices=("a", "b")), "c", "one of: a, b"),
        (lambda: env_url("THING"), "example.com", "begins with https:// or http://"),
        (lambda: env_url("THING"), "https://[", "begins with"),
    ],
)
def test_a_wrong_value_is_a_sentence(monkeypatch, read, value, words):
    monkeypatch.setenv("THING", value)
    with pytest.raises(WrongVariable) as caught:
        read()
    assert "THING" in str(caught.value)
    assert words in str(caught.value)
    assert value in str(caught.value)


@pytest.mark.parametrize(
    "value",
    ["http://user:hunter2@host", "hunter2@host", "https://hunter2@host:443"],
    ids=["user", "bare", "port"],
)
def test_an_address_with_a_password_is_refused_and_not_echoed(monkeypatch, value):
    monkeypatch.setenv("THING", value)
    with pytest.raises(WrongVariable, match="THING holds a user or a password") as caught:
        env_url("THING")
    assert "hunter2" not in str(caught.value)


READ = {
    "DATABASE_URL": environ.Env.db_url_config,
    "EMAIL_URL": environ.Env.email_url_config,
    "REDIS_URL": environ.Env.cache_url_config,
}


@pytest.mark.parametrize("sign", ["", *"/?#@:%[]"])
@pytest.mark.parametrize(
    "value",
    [
        "DATABASE_URL=postgres://desk:hunt{}er2@db.example:port/textdesk",
        "DATABASE_URL=postgres://desk:123{}er2@db.example:5432/textdesk",
        "DATABASE_URL=postgres://desk:123{}er2@db1.example:5432,db2.example:5433/textdesk",
        "EMAIL_URL=smtp+tls://desk:123{}er2@mail.example:587",
        "REDIS_URL=redis://:123{}er2@cache.example:6379/0",
    ],
)
def test_a_password_is_read_right_or_refused_without_showing_any_of_it(monkeypatch, value, sign):
    variable, _, url = value.format(sign).partition("=")
    monkeypatch.setenv(variable, url)
    try:
        read = env_parsed(variable, "", READ[variable], should="like this")
    except WrongVariable as caught:
        assert f"{variable} cannot be read" in str(caught)
        assert not any(part in str(caught) for part in ("er2", "hunt", "123"))
        assert sign or "port" in url
    else:
        assert read.get("HOST") in ("db1.example,db2.example", "db.example", None)
        password = read.get("PASSWORD") or read.get("EMAIL_HOST_PASSWORD")
        assert password == f"123{sign}er2" if variable != "REDIS_URL" else url in str(read["LOCATION"])


def test_an_empty_variable_is_unset_whichever_it_is(tmp_path):
    """Docker's --env-file, compose and systemd hand over what `.env.example` leaves empty."""
    lines = [line for line in (ROOT / ".env.example").read_text().splitlines() if line[:1] not in ("", "#")]
    given = dict(line.split("=", 1) for line in lines) | {"VAR_DIR": str(tmp_path)}
    for env in (given, dict.fromkeys(given, "") | {"VAR_DIR": str(tmp_path)}):
        left = {name: value for name, value in os.environ.items() if name not in given}
        command = [sys.executable, "manage.py", "check"]
        done = subprocess.run(command, cwd=ROOT, env=left | env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_lists_and_empty_values_have_their_defaults(monkeypatch):
    monkeypatch.setenv("THING", " a, ,b ")
    assert env_list("THING") == ["a", "b"]
    monkeypatch.setenv("THING", "")
    assert env_bool("THING", True) is True
    assert env_int("THING", 7) == 7
    assert env_url("THING") == ""
