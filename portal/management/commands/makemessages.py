"""`manage.py makemessages`: Django's, for the catalogues of this product, with the names and sentences that no line of code says."""

from importlib import import_module
from typing import Any

from django.core.management.commands import makemessages

from portal import field_names
from portal.languages import LANGUAGES
from portal.settings import BASE_DIR
from sms.sends.outcomes.table import OUTCOMES
from sms.words import ENGLISH

CATALOGUES = BASE_DIR / "portal" / "locale"
FOLDERS = ("portal", "sms", "static", "templates")


class Command(makemessages.Command):
    msgmerge_options = [*makemessages.Command.msgmerge_options, "--no-fuzzy-matching"]  # noqa: RUF012 - as Django has them

    def handle(self, *args: Any, **options: Any) -> None:
        given = [code for code, _ in LANGUAGES if code != ENGLISH]
        others = [f"./{one.name}" for one in BASE_DIR.iterdir() if one.is_dir() and one.name not in FOLDERS]
        common = options | {
            "locale": options["locale"] or given,
            "all": False,
            "add_location": "file",
            "no_obsolete": True,
            "no_wrap": True,
        }
        CATALOGUES.mkdir(exist_ok=True)
        named = BASE_DIR / "portal" / "names_to_translate.py"
        import_module("portal.urls")  # whose forms have fields of models
        said = [*field_names.names(), *(one.sentence for one in OUTCOMES.values())]
        named.write_text("".join(f"gettext_noop({text!r})\n" for text in said), encoding="utf-8")
        try:
            super().handle(
                *args,
                **common
                | {"domain": "django", "extensions": ["html", "txt", "py"], "ignore_patterns": others},
            )
        finally:
            named.unlink()
        super().handle(
            *args, **common | {"domain": "djangojs", "extensions": ["js"], "ignore_patterns": others}
        )
