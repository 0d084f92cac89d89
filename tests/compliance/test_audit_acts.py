"""The registry of acts and the code that records them agree, in both directions."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.views import catalogue, keywords, link_domains, policy_groups
from sms.admin.scoped import NOUNS as ADMIN_NOUNS
from sms.dispatch.settle import Settlement
from sms.models import audit_acts
from sms.models.audit_acts import ACTS
from tests.environment import ROOT

RECORDERS = {"audit", "record"}
# Recorded under a name that is put together at run time: by which code, and which names can come out of it.
MADE_UP = {
    "sms/sends/control.py": {
        f"{noun}.{verb}" for noun in ("send", "sender", "domain") for verb in ("paused", "resumed")
    }
    | {f"{noun}.stopped" for noun in ("service", "sender", "domain")},
    "sms/dispatch/settle.py": {f"messages.{verdict.value}" for verdict in Settlement},
    "portal/views/catalogue_base.py": {
        kind.act_of(verb)
        for kind in (
            *(catalogue.SENDER, policy_groups.GROUP, catalogue.SMARTLINK),
            *(link_domains.DOMAIN, keywords.KEYWORD),
        )
        for verb in ("added", "changed", "archived", "restored", "deleted")
    },
    "sms/admin/scoped.py": {
        f"{ADMIN_NOUNS.get(noun, noun)}.{verb}"
        for noun in (
            *("region", "service", "approval", "sender", "template", "smartlink"),
            *("policy group", "short-link domain", "user"),
        )
        for verb in ("added", "changed", "deleted")
    },
}


def _trees() -> Iterator[tuple[str, ast.Module]]:
    for folder in ("sms", "portal"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" not in path.parts and path.name != "audit_acts.py":
                yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def _literals() -> dict[str, set[str]]:
    """Every text of the code that looks like an act, with the files that hold it."""
    found: dict[str, set[str]] = {}
    for name, tree in _trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in ACTS:
                found.setdefault(node.value, set()).add(name)
    return found


def test_every_registered_act_is_recorded_by_some_code():
    recorded = set(_literals()) | set().union(*MADE_UP.values())
    assert set(ACTS) - recorded == set()


def test_every_name_that_code_puts_together_is_registered():
    assert set().union(*MADE_UP.values()) - set(ACTS) == set()
    for name in MADE_UP:
        assert (ROOT / name).exists()


def _recorded(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Literal acts that are given to a recorder."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if called not in RECORDERS:
            continue
        for argument in node.args:
            parts = [argument.body, argument.orelse] if isinstance(argument, ast.IfExp) else [argument]
            for part in parts:
                if isinstance(part, ast.Constant) and isinstance(part.value, str) and "." in part.value:
                    yield node.lineno, part.value


def test_no_act_outside_the_registry_is_recorded():
    outside = [
        f"{name}:{line}: {act}" for name, tree in _trees() for line, act in _recorded(tree) if act not in ACTS
    ]
    assert outside == []
    assert sum(len(list(_recorded(tree))) for _, tree in _trees()) > 30, "the look finds recorders"


def test_acts_fit_their_column_and_have_words():
    for act, words in ACTS.items():
        noun, _, verb = act.partition(".")
        assert noun, act
        assert verb, act
        assert len(act) <= 40, act
        assert words[0].isupper(), act
    assert len(set(ACTS.values())) == len(ACTS), "two acts with the same words cannot be told apart"


@pytest.mark.parametrize("made", ["send.created", "of.an.older.version"])
def test_an_act_without_words_stays_as_it_is(made):
    assert audit_acts.words_of(made) == ACTS.get(made, made)


def test_this_file_looks_at_the_code():
    assert Path(ROOT / "sms" / "models" / "audit_acts.py").exists()
