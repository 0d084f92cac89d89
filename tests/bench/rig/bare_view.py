"""The limit for the API bench: a DRF view that reads a body, inserts one row and says 201. No key, rule or audit.

Of the middleware it keeps what `/v2/` passes.
"""

import os
import uuid
from typing import Any

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.urls import path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
django.setup()
settings.ROOT_URLCONF = __name__
settings.MIDDLEWARE = ["portal.machines.MachinesFirst"]
application = get_wsgi_application()

from rest_framework.permissions import AllowAny  # noqa: E402 - needs Django
from rest_framework.request import Request  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402

from sms.models import AuditEvent  # noqa: E402


class Bare(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)

    def post(self, request: Request) -> Response:
        AuditEvent.objects.create(act="bench", actor_kind="key", actor_label=str(len(request.data["to"])))
        return Response({"messageId": str(uuid.uuid4()), "status": "queued"}, status=201)

    def get(self, request: Request) -> Response:
        del request
        return Response({})


urlpatterns: list[Any] = [path("v2/messages", Bare.as_view()), path("healthz", Bare.as_view())]
