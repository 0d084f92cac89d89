"""The addresses below `/api/v1/`. None ends with a slash."""

from typing import Any

from django.urls import path, re_path
from rest_framework.request import Request
from rest_framework.routers import SimpleRouter

from sms.api.v1.audiences import AudienceRejects, Audiences, AudienceVersions
from sms.api.v1.callbacks import Callbacks, Endpoints
from sms.api.v1.caps import Caps
from sms.api.v1.catalogue import Domains, PolicyGroups, Senders, Templates
from sms.api.v1.events import Events
from sms.api.v1.inbound import InboundMessages
from sms.api.v1.me import Me
from sms.api.v1.messages import Messages
from sms.api.v1.opt_outs import OptOuts
from sms.api.v1.problems import ApiProblem
from sms.api.v1.reports import DayReports, SendReports
from sms.api.v1.resource import Collection, Resource
from sms.api.v1.send_report import SendReportFile
from sms.api.v1.sends import Rejects, SendMessages, SendRejects, Sends

LIST: dict[str, Any] = {"get": "list"}
RESOURCES: dict[str, type[Resource]] = {
    "sends": Sends,
    "messages": Messages,
    "audiences": Audiences,
    "templates": Templates,
    "senders": Senders,
    "policy-groups": PolicyGroups,
    "domains": Domains,
    "opt-outs": OptOuts,
    "inbound": InboundMessages,
    "callback-endpoints": Endpoints,
    "callbacks": Callbacks,
}


class Nothing(Collection):
    """Any other address below `/api/v1/`: 404 in the shape of every error, with or without a key."""

    schema = None  # type: ignore[assignment]
    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        slash = " Addresses here do not end with a slash." if request.path.endswith("/") else ""
        raise ApiProblem(404, "not_found", f"There is nothing at this address.{slash}")


router = SimpleRouter(trailing_slash=False, use_regex_path=False)
for address, resource in RESOURCES.items():
    router.register(address, resource, basename=address)
urlpatterns = [
    *router.urls,
    path("me", Me.as_view({"get": "retrieve"})),
    path("caps", Caps.as_view({"get": "retrieve"})),
    path("events", Events.as_view({"get": "follow"})),
    path("rejects", Rejects.as_view(LIST)),
    path("sends/<int:pk>/messages", SendMessages.as_view(LIST)),
    path("sends/<int:pk>/rejects", SendRejects.as_view(LIST)),
    path("sends/<int:pk>/report", SendReportFile.as_view(LIST)),
    path("audiences/<int:pk>/versions", AudienceVersions.as_view(LIST | {"post": "create"})),
    path("audiences/<int:pk>/rejects", AudienceRejects.as_view(LIST)),
    path("reports/sends", SendReports.as_view(LIST)),
    path("reports/days", DayReports.as_view(LIST)),
    re_path(r"", Nothing.as_view(LIST)),
]
