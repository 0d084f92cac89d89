"""Pages leave compressed, but none that shows a secret.

Who can make a browser fetch a page with words of theirs in it, and see how long the answer is, learns bit by bit what else the page holds
(BREACH). Django's compression adds a random length, which makes that dear and not impossible, so what holds a secret stays as it is. The
token of forms is written anew in each answer, and tells nothing. Static files are compressed once, by WhiteNoise.
"""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

from portal.secret_routes import opens_something

# they show an address that opens something by itself; keys and secrets that are shown once are answers to POST
SHOW_SECRETS = {"settings", "opt_outs", "going_live", "receipts_page", "people", "tenant_probe", "first_run"}


class CompressedPages(GZipMiddleware):
    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if not response.streaming and _is_plain_page(request, response):
            return super().process_response(request, response)
        return response


def _is_plain_page(request: HttpRequest, response: HttpResponseBase) -> bool:
    found = request.resolver_match
    if (
        found is None
        or request.method != "GET"
        or not response.headers.get("Content-Type", "").startswith("text/html")
    ):
        return False
    own = request.path.startswith("/accounts/")  # second factors, links of mails
    return not own and found.url_name not in SHOW_SECRETS and not opens_something(found.route)
