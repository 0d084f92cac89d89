"""What pages of saved audiences share: which version an address means."""

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from portal.forms.numbers import row_of
from sms.models import AudienceVersion, SavedAudience


def version_of(audience: SavedAudience, request: HttpRequest) -> AudienceVersion:
    for given in (request.POST, request.GET):
        if (number := row_of(given, "version")) is not None:
            return get_object_or_404(audience.versions, number=number)
    return get_object_or_404(audience.versions, pk=audience.current_id)
