"""What can be done with a saved audience: archive it, make it a seed list, delete it, erase the rows of a version."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.functional import cached_property

from portal.access import WRITE, actor, service_page
from portal.views.audience_base import version_of
from portal.views.confirm_base import Confirmation, ConfirmView
from sms.audiences import errors, saved
from sms.models import AudienceVersion, SavedAudience, Service


@service_page("compose", WRITE)
def audience_archive(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    found = get_object_or_404(SavedAudience, service=service, pk=pk)
    try:
        if found.archived_at:
            saved.bring_back(found, by=actor(request))
            messages.success(request, f"“{found.name}” can be chosen again.")
        else:
            saved.archive(found, by=actor(request))
            messages.success(
                request, f"“{found.name}” is archived. Its history stays, and it can be brought back."
            )
    except errors.SavedError as problem:
        messages.error(request, str(problem))
    return redirect("audience", service=service.slug, pk=pk)


@service_page("compose", WRITE)
def audience_seed_list(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    found = get_object_or_404(SavedAudience, service=service, pk=pk)
    try:
        saved.mark(found, seed_list=not found.seed_list, by=actor(request))
    except errors.SavedError as problem:
        messages.error(request, str(problem))
    else:
        messages.success(
            request,
            "An audience like any other again."
            if found.seed_list
            else "It is a seed list now: tests of drafts can go to its people.",
        )
    return redirect("audience", service=service.slug, pk=found.pk)


class DeleteAudience(ConfirmView):
    act = "configure"
    model = SavedAudience
    back, back_to_thing = "audience", True

    def confirmation(self) -> Confirmation:
        return Confirmation(
            title=f"Delete “{self.thing.name}”?",
            says=(
                "All its versions go, with their numbers, for good.",
                "An audience that a send used stays; archive that one.",
            ),
            button="Delete it",
        )

    def confirmed(self, form: Any) -> HttpResponse | None:
        try:
            saved.delete(self.thing, by=actor(self.request))
        except errors.SavedError as problem:
            messages.error(self.request, str(problem))
            return None
        messages.success(self.request, f"“{self.thing.name}” is deleted.")
        return redirect("audiences", self.service.slug)


class EraseAudienceVersion(ConfirmView):
    """The people of one version, for good; how many they were stays."""

    act = "configure"
    model = SavedAudience
    back, back_to_thing = "audience", True

    @cached_property
    def version(self) -> AudienceVersion:
        return version_of(self.thing, self.request)

    def confirmation(self) -> Confirmation:
        return Confirmation(
            title=f"Erase the rows of version {self.version.number}?",
            says=(
                f"{self.version.recipients:,} numbers and what stands beside them are deleted for good.",
                "The history keeps the file's name, the figures and the sends that used it.",
            ),
            button="Erase the rows",
        )

    def confirmed(self, form: Any) -> None:
        rows = f"The rows of version {self.version.number}"
        try:
            if saved.erase(self.version, by=actor(self.request)):
                messages.success(self.request, f"{rows} are erased.")
            else:
                messages.info(self.request, f"{rows} were erased already.")
        except errors.SavedError as problem:
            messages.error(self.request, str(problem))
