"""Environment variables: a wrong one stops the start with a sentence that names it, what it holds and what it should hold."""

import pytest

from portal.env import WrongVariable, env_bool, env_choice, env_int, env_list, env_parsed, env_str, env_url


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
        (lambda: env_parsed("THING", "", int, should="a number"), "x", "a number"),
    ],
)
def test_a_wrong_value_is_a_sentence(monkeypatch, read, value, words):
    monkeypatch.setenv("THING", value)
    with pytest.raises(WrongVariable) as caught:
        read()
    assert "THING" in str(caught.value)
    assert words in str(caught.value)
    assert value in str(caught.value)


def test_a_password_in_an_address_is_not_echoed(monkeypatch):
    def refuse(value: str) -> str:
        raise ValueError("no")

    monkeypatch.setenv("THING", "postgres://user:hunter2@host/db")
    with pytest.raises(WrongVariable) as caught:
        env_parsed("THING", "", refuse, should="an address")
    assert "hunter2" not in str(caught.value)


def test_lists_and_empty_values_have_their_defaults(monkeypatch):
    monkeypatch.setenv("THING", " a, ,b ")
    assert env_list("THING") == ["a", "b"]
    monkeypatch.setenv("THING", "")
    assert env_bool("THING", True) is True
    assert env_int("THING", 7) == 7
    assert env_url("THING") == ""
