"""The limit for the API bench: a DRF view that reads a body, inserts one row and says 201. No middleware, key, rule or audit."""

import uuid
from typing import Any

from django.conf import settings
from django.urls import path

from portal.wsgi import application as _portal  # sets Django up
from portal.wsgi import machines

settings.ROOT_URLCONF = __name__

from rest_framework.permissions import AllowAny  # noqa: E402 - needs Django
from rest_framework.request import Request  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402

from sms.models import AuditEvent  # noqa: E402

del _portal


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
application = machines
