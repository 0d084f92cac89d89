"""Every address on one screen."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from portal.views import compose, health, home, messages, sends, settings
from sms.api.receipts import ReceiptView

admin.autodiscover()
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

service = [
    path("", home.home, name="home"),
    path("compose/", compose.compose, name="compose"),
    path("drafts/<int:pk>/", compose.draft, name="draft"),
    path("drafts/<int:pk>/review/", compose.draft_review, name="draft_review"),
    path("drafts/<int:pk>/rejects.csv", compose.draft_rejects, name="draft_rejects"),
    path("drafts/<int:pk>/discard/", compose.draft_discard, name="draft_discard"),
    path("sends/", sends.sends, name="sends"),
    path("sends/<int:pk>/", sends.send, name="send"),
    path("sends/<int:pk>/progress/", sends.send_progress, name="send_progress"),
    path("sends/<int:pk>/cancel/", sends.send_cancel, name="send_cancel"),
    path("sends/<int:pk>/rejects.csv", sends.send_rejects, name="send_rejects"),
    path("messages/", messages.messages, name="messages"),
    path("messages/<int:pk>/", messages.message, name="message"),
    path("catalogue/", settings.catalogue, name="catalogue"),
    path("settings/", settings.connection, name="settings"),
    path("settings/test/", settings.test_message, name="settings_test"),
    path("settings/resume/", settings.resume, name="settings_resume"),
]

urlpatterns = [
    path("", home.services, name="services"),
    path("setup/", settings.first_run, name="first_run"),
    path("services/new/", settings.service_new, name="service_new"),
    path("s/<slug:service>/", include(service)),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("receipts/<str:token>/", ReceiptView.as_view(), name="receipts"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("favicon.ico", RedirectView.as_view(url="/static/favicon.svg", permanent=True)),
]
