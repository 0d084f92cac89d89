"""The other limit for the ingest bench: Django with one view, no middleware and no database, which reads the body and says 200."""

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path

settings.configure(ROOT_URLCONF=__name__, SECRET_KEY="bench", ALLOWED_HOSTS=["*"], MIDDLEWARE=[])
django.setup()


def receipt(request: HttpRequest, token: str) -> HttpResponse:
    del token
    return HttpResponse(status=200 if request.body else 400)


urlpatterns = [path("receipts/<str:token>/", receipt)]
application = get_wsgi_application()
