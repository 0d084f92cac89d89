"""The languages of pages and mails, and which of them a person reads."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers

from sms.words import ENGLISH

LANGUAGES = [
    (ENGLISH, "English"),
    ("fr", "Français"),
    ("es", "Español"),
    ("de", "Deutsch"),
    ("ar", "العربية"),
]
DOCUMENTATION = "/api/"
BEGUN = ("de", "ar")  # what they lack is in English, so a person chooses them and no browser does


def of_reader(request: HttpRequest) -> str:
    """What the person chose, else what their browser asks for. The partners' documentation is English."""
    if request.path.startswith(DOCUMENTATION):
        return ENGLISH
    user: Any = getattr(request, "user", None)
    chosen = getattr(user, "language", "")
    if chosen in dict(LANGUAGES):
        return str(chosen)
    asked = translation.get_language_from_request(request)
    return ENGLISH if asked in BEGUN else asked


class ReadersLanguage:
    """Pages are in the language of who reads them. What machines call is answered before, in English (`portal.machines`)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with translation.override(of_reader(request)):
            response = self.get_response(request)
        patch_vary_headers(response, ("Accept-Language",))
        return response
