"""Every word of a page can be said in another language."""

from pathlib import Path

from tests.support.untranslated import untranslated

ROOT = Path(__file__).resolve().parents[1]
TEMPLATES = ROOT / "templates"


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
