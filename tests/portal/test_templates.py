"""What templates refer to exists: a missing static file is a broken page in production only, so it is looked for here."""

import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders

TEMPLATES = sorted((Path(__file__).parents[2] / "templates").rglob("*.html"))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(path.parents[1])))
def test_static_files_named_in_a_template_exist(path):
    named = re.findall(r"""\{%\s*static\s+['"]([^'"]+)['"]""", path.read_text(encoding="utf-8"))
    assert [name for name in named if finders.find(name) is None] == []


# A file of its own inside a ZIP: no page of ours, so no policy of ours and no stylesheet to link to.
STAND_ALONE = {"disclosure/page.html"}


@pytest.mark.parametrize(
    "path",
    [path for path in TEMPLATES if str(path.relative_to(path.parents[1])) not in STAND_ALONE],
    ids=lambda path: str(path.relative_to(path.parents[1])),
)
def test_no_template_holds_inline_style_or_script(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(
        r"<style|\sstyle=|\son(click|load|error|change|input|submit|focus|blur|key\w+|mouse\w+|pointer\w+)=|javascript:",
        text,
    )
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)
