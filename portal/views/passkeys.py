"""allauth's pages of passkeys, with what they do not know of: that the last factor may have to stay."""

from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.webauthn.views import AddWebAuthnView, EditWebAuthnView, RemoveWebAuthnView
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse_lazy
from django.utils.translation import gettext as _

from portal import passkeys


class AddPasskey(AddWebAuthnView):
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not passkeys.are_possible():
            says = _(
                "Passkeys need the desk at an https address with a name (PUBLIC_URL). Use an authenticator app meanwhile."
            )
            messages.error(request, says)
            return redirect("mfa_index")
        answer: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return answer

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """allauth's own leaves the form out that was refused."""
        return super().get_context_data(**kwargs) | {"form": kwargs.get("form") or self.get_form()}


class RemovePasskey(RemoveWebAuthnView):
    success_url = reverse_lazy("mfa_index")

    def form_valid(self, form: Any) -> HttpResponse:
        adapter = get_adapter()
        if not adapter.can_delete_authenticator(self.get_object()):
            messages.error(self.request, adapter.error_messages["cannot_delete_authenticator"])
            return redirect("mfa_index")
        answer: HttpResponse = super().form_valid(form)
        return answer


class RenamePasskey(EditWebAuthnView):
    success_url = reverse_lazy("mfa_index")
