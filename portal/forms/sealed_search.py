"""What somebody looks for, of a page whose address says it sealed: it is posted, and the page opens anew at an address without a number."""

from urllib.parse import urlencode

from django.http import HttpRequest

from portal.forms.texts import text_of
from sms.models import Service
from sms.values.sealed_words import LONGEST, LONGEST_SEALED, seal, unseal


def is_typed(request: HttpRequest) -> bool:
    """Whether the words came as they are, so that the page has to open at another address: an old bookmark has them in its own."""
    return request.method == "POST" or "q" in request.GET


def words_of(request: HttpRequest, service: Service) -> str:
    """As typed. What is not sealed by this service counts as not given."""
    if is_typed(request):
        return text_of(request.POST if request.method == "POST" else request.GET, "q", most=LONGEST).strip()
    return unseal(text_of(request.GET, "for", most=LONGEST_SEALED), key=service.number_key)


def address_of_words(page: str, words: str, service: Service) -> str:
    """Where `page`, an address of the service, finds these words."""
    return f"{page}?{urlencode({'for': seal(words, key=service.number_key)})}" if words else page
