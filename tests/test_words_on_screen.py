"""What people read: pages, mails and errors keep to the words of a busy office. Names, comments and docstrings are not read here."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# each with what to say instead
AVOIDED = {
    r"\b(no|some|every)body\b": "people, a person, everyone; or say who",
    r"\bwho(so)?ever\b": "people who …",
    r"\bby (it|them)sel(f|ves)\b": "automatically; alone",
    r"\banew\b": "again",
    r"\bmend(s|ed|ing)?\b": "fix",
    r"\byour yes\b|\b\d of \d yes\b|\bthe last yes\b": "approval",
    r"\bdoor:": "through: website, API, …",
    r"\bbecame no message": "were not sent",
    r"\bpace and doubt\b": "speed and retries",
    r"\bso long after\b": "after a while",
    r"\bfrom the (shelf|basket)\b": "say what it is",
    r"\bcomposed and committed\b|\blet go with\b|\bdraft begun\b": "created, released, started a draft",
    r"\bposted; waiting for receipts\b|\bevery message is settled\b": "handed over; still unanswered",
    r"\bin any way of writing\b": "any format works",
    r"\bnothing that a report can be by\b": "there is no report by …",
    r"\b(is|stands) nothing against\b|\bnothing against it\b": "looks like …",
}
TEMPLATES = [*(ROOT / "templates").rglob("*.html"), *(ROOT / "templates").rglob("*.txt")]
MODULES = [path for folder in ("portal", "sms") for path in (ROOT / folder).rglob("*.py")]
SCRIPTS = sorted((ROOT / "static" / "js").glob("*.js"))


def _shown_of_template(text: str) -> Iterator[tuple[int, str]]:
    """Without comments, conditions and attributes, but with the attributes that are read out."""
    for number, line in enumerate(re.sub(r"\{#.*?#\}|\{% (el)?if .*?%\}", "", text).splitlines(), 1):
        yield (
            number,
            re.sub(r"(?<![\w-])(?!aria-label|alt|label|placeholder|text|title)[\w-]+=\"[^\"]*\"", "", line),
        )


def _shown_of_module(text: str) -> Iterator[tuple[int, str]]:
    tree = ast.parse(text)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and ast.get_docstring(node) is not None
    }  # type: ignore[attr-defined]
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in docstrings
            and " " in node.value
        ):
            yield node.lineno, node.value


def _shown_of_script(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        yield number, " ".join(re.findall(r"\"[^\"]* [^\"]*\"|`[^`]* [^`]*`", line.partition(" //")[0]))


READERS = [
    *((path, _shown_of_template) for path in TEMPLATES),
    *((path, _shown_of_module) for path in MODULES if "migrations" not in path.parts),
    *((path, _shown_of_script) for path in SCRIPTS),
]


def test_no_page_mail_or_error_speaks_the_old_dialect():
    any_of = re.compile("|".join(AVOIDED), re.IGNORECASE)
    found = [
        f"{path.relative_to(ROOT)}:{number}: {shown.strip()[:100]} (say: {instead})"
        for path, read in READERS
        if any_of.search(text := path.read_text(encoding="utf-8"))
        for number, shown in read(text)
        if any_of.search(shown)
        for words, instead in AVOIDED.items()
        if re.search(words, shown, re.IGNORECASE)
    ]
    assert found == []


def test_what_is_shown_is_found_and_the_rest_is_not():
    template = '{# nobody #}<p class="nobody" aria-label="for nobody">Nobody\n</p>'
    assert [words.count("obody") for _, words in _shown_of_template(template)] == [2, 0]
    module = '"""Nobody here."""\nname = "nobody"\nsays = f"Nobody can reply to {name}."  # nobody\n'
    assert [words for _, words in _shown_of_module(module)] == ["Nobody can reply to "]
