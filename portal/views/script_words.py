"""What scripts say, in another language than English (`static/js/words.js`)."""

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe
from django.views.i18n import JavaScriptCatalog

from portal.languages import LANGUAGES
from sms.words import in_language

_catalog = JavaScriptCatalog.as_view(packages=["portal"])


@login_not_required
@require_safe
@cache_control(private=True, max_age=600)
def script_words(request: HttpRequest, language: str) -> HttpResponseBase:
    if language not in dict(LANGUAGES):
        raise Http404
    with in_language(language):
        return _catalog(request)
