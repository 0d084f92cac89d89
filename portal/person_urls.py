"""Addresses of a person's page, below the key that names the person."""

from django.urls import path

from portal.views import recipient

urlpatterns = [
    path("", recipient.person_page, name="person_page"),
    path("number/", recipient.RevealPerson.as_view(), name="person_reveal"),
    path("opt-out/", recipient.person_opt_out, name="person_opt_out"),
    path("write/", recipient.person_write, name="person_write"),
    path("consent/", recipient.person_consent, name="person_consent"),
]
