"""The addresses below `/api/v1/`. None ends with a slash."""

from typing import Any

from django.urls import path, re_path
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from sms.api.v1 import drop_in_schema  # noqa: F401 - decorates the views of /v2/messages
from sms.api.v1.audience_versions import AudienceRejects, AudienceVersions
from sms.api.v1.audiences import Audiences
from sms.api.v1.callbacks import Callbacks, Endpoints
from sms.api.v1.catalogue import Domains, PolicyGroups, Senders, Templates
from sms.api.v1.messages import Messages
from sms.api.v1.opt_outs import OptOuts
from sms.api.v1.problems import ApiProblem
from sms.api.v1.reports import DayReports, SendReports
from sms.api.v1.resource import Resource
from sms.api.v1.sends import SendMessages, SendRejects, Sends

LIST: dict[str, Any] = {"get": "list"}
ONE: dict[str, Any] = {"get": "retrieve"}
CHANGE: dict[str, Any] = {"patch": "partial_update"}
REMOVE: dict[str, Any] = {"delete": "destroy"}


class Nothing(Resource):
    """Any other address below `/api/v1/`: 404 in the shape of every error, with or without a key."""

    schema = None  # type: ignore[assignment]
    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        slash = request.path.endswith("/")
        raise ApiProblem(
            404,
            "not_found",
            "There is nothing at this address."
            + (" Addresses here do not end with a slash." if slash else ""),
        )

    @extend_schema(exclude=True)
    def nothing(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Never reached."""
        raise NotImplementedError


def _does(action: str) -> dict[str, Any]:
    return {"post": action}


urlpatterns = [
    path("sends", Sends.as_view(LIST | _does("create"))),
    path("sends/<int:pk>", Sends.as_view(ONE | CHANGE)),
    path("sends/<int:pk>/cancel", Sends.as_view(_does("cancel"))),
    path("sends/<int:pk>/stop", Sends.as_view(_does("stop"))),
    path("sends/<int:pk>/pause", Sends.as_view(_does("pause"))),
    path("sends/<int:pk>/resume", Sends.as_view(_does("resume"))),
    path("sends/<int:pk>/messages", SendMessages.as_view(LIST)),
    path("sends/<int:pk>/rejects", SendRejects.as_view(LIST)),
    path("messages", Messages.as_view(LIST)),
    path("messages/search", Messages.as_view(_does("search"))),
    path("messages/<int:pk>", Messages.as_view(ONE)),
    path("audiences", Audiences.as_view(LIST | _does("create"))),
    path("audiences/<int:pk>", Audiences.as_view(ONE | CHANGE | REMOVE)),
    path("audiences/<int:pk>/archive", Audiences.as_view(_does("archive"))),
    path("audiences/<int:pk>/bring-back", Audiences.as_view(_does("bring_back"))),
    path("audiences/<int:pk>/versions", AudienceVersions.as_view(LIST | _does("create"))),
    path("audiences/<int:pk>/rejects", AudienceRejects.as_view(LIST)),
    path("templates", Templates.as_view(LIST)),
    path("templates/<int:pk>", Templates.as_view(ONE)),
    path("senders", Senders.as_view(LIST)),
    path("senders/<int:pk>", Senders.as_view(ONE)),
    path("policy-groups", PolicyGroups.as_view(LIST)),
    path("policy-groups/<int:pk>", PolicyGroups.as_view(ONE)),
    path("domains", Domains.as_view(LIST)),
    path("domains/<int:pk>", Domains.as_view(ONE)),
    path("opt-outs", OptOuts.as_view(LIST | _does("create"))),
    path("opt-outs/search", OptOuts.as_view(_does("search"))),
    path("opt-outs/lift", OptOuts.as_view(_does("lift"))),
    path("opt-outs/<int:pk>", OptOuts.as_view(ONE)),
    path("callback-endpoints", Endpoints.as_view(LIST | _does("create"))),
    path(
        "callback-endpoints/<int:pk>",
        Endpoints.as_view(ONE | CHANGE | REMOVE),
    ),
    path("callback-endpoints/<int:pk>/verify", Endpoints.as_view(_does("verify"))),
    path("callback-endpoints/<int:pk>/rotate-secret", Endpoints.as_view(_does("rotate"))),
    path("callback-endpoints/<int:pk>/pause", Endpoints.as_view(_does("pause"))),
    path("callback-endpoints/<int:pk>/resume", Endpoints.as_view(_does("resume"))),
    path("callback-endpoints/<int:pk>/replay", Endpoints.as_view(_does("replay"))),
    path("callbacks", Callbacks.as_view(LIST)),
    path("callbacks/<int:pk>", Callbacks.as_view(ONE)),
    path("callbacks/<int:pk>/replay", Callbacks.as_view(_does("replay"))),
    path("reports/sends", SendReports.as_view(LIST)),
    path("reports/days", DayReports.as_view(LIST)),
    re_path(r"", Nothing.as_view({"get": "nothing"})),
]
