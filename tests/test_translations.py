"""Every word of a page can be said in another language."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.support.untranslated import untranslated

ROOT = Path(__file__).resolve().parents[1]
TEMPLATES = ROOT / "templates"
MARKS = {
    "_",
    "gettext",
    "gettext_lazy",
    "gettext_noop",
    "ngettext",
    "ngettext_lazy",
    "pgettext",
    "pgettext_lazy",
    "npgettext",
}


def test_no_text_of_a_template_is_unmarked():
    paths = [path for path in sorted(TEMPLATES.rglob("*")) if path.suffix in (".html", ".txt")]
    assert len(paths) > 200
    left = [
        f"{path.relative_to(TEMPLATES).as_posix()}:{at}: {words}"
        for path in paths
        for at, words in untranslated(path)
    ]
    assert left == []


def test_unmarked_text_is_noticed(tmp_path):
    page = tmp_path / "page.html"
    page.write_text(
        """{% load i18n %}<h1>{% translate "Sends" %}</h1><p title="{% translate "Why" %}">{{ name }}</p>
        <p>Plain</p><p title="Why">{{ count }}</p><code>pip</code>
        {% blocktranslate count n=n %}{{ n }} row{% plural %}{{ n }} rows{% endblocktranslate %}
        {% include "x.html" with title="On hold" %}{% include "x.html" with title=_("On hold") icon="pause" only %}
        {{ name|default:"none" }}{{ name|default:_("none") }}{{ at|date:"j F" }}{{ n|pluralize }}"""
    )
    assert untranslated(page) == [
        (2, "Plain"),
        (2, "title=Why"),
        (4, 'include "x.html" with title="On hold"'),
        (5, 'name|default:"none"'),
        (5, "n|pluralize"),
    ]


def test_what_gathers_texts_sees_each_of_them():
    """It does not look into f-strings, and a text that holds a value would be another each time."""
    hidden = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for room in ("portal", "sms")
        for path in sorted((ROOT / room).rglob("*.py"))
        for call in hidden_calls(path.read_text(encoding="utf-8"))
    ]
    assert hidden == []


def test_hidden_texts_are_noticed():
    source = 'says = f"{_(\'Open\')}: {_(word)}"\nother = gettext(f"{n} rows")\nfine = _("Open")'
    assert [call.lineno for call in hidden_calls(source)] == [1, 2]


def hidden_calls(source: str) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            inside = (one for one in ast.walk(node) if one is not node)
            yield from (one for one in inside if _marks(one) and isinstance(one.args[0], ast.Constant))
        elif _marks(node) and isinstance(node.args[0], ast.JoinedStr):
            yield node


def _marks(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in MARKS
        and bool(node.args)
    )
