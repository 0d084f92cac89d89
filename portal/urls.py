"""Every address on one screen."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView

from portal.views import (
    api_keys,
    callbacks,
    compose,
    control,
    health,
    home,
    messages,
    opt_outs,
    receipts,
    sends,
    settings,
    settle,
)
from sms.api.drop_in.views import MessagesView, MessageView
from sms.api.inbound import InboundView
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
    path("sends/<int:pk>/pause/", control.send_pause, name="send_pause"),
    path("sends/<int:pk>/resume/", control.send_resume, name="send_resume"),
    path("sends/<int:pk>/settle/", settle.send_settle, name="send_settle"),
    path("sends/<int:pk>/rejects.csv", sends.send_rejects, name="send_rejects"),
    path("messages/", messages.messages, name="messages"),
    path("messages/<int:pk>/", messages.message, name="message"),
    path("messages/<int:pk>/settle/", settle.message_settle, name="message_settle"),
    path("opt-outs/", opt_outs.opt_outs, name="opt_outs"),
    path("opt-outs/add/", opt_outs.opt_out_add, name="opt_out_add"),
    path("opt-outs/upload/", opt_outs.opt_out_upload, name="opt_out_upload"),
    path("opt-outs/<int:pk>/lift/", opt_outs.opt_out_lift, name="opt_out_lift"),
    path("inbound/<int:pk>/retry/", opt_outs.inbound_retry, name="inbound_retry"),
    path("receipts/", receipts.receipts_page, name="receipts_page"),
    path("receipts/retry/", receipts.receipts_retry, name="receipts_retry"),
    path("receipts/rotate/", receipts.receipts_rotate, name="receipts_rotate"),
    path("receipts/retire/", receipts.receipts_retire, name="receipts_retire"),
    path("receipts/replay/", receipts.receipts_replay, name="receipts_replay"),
    path("receipts/import/", receipts.receipts_import, name="receipts_import"),
    path("catalogue/", settings.catalogue, name="catalogue"),
    path("senders/<int:pk>/pause/", control.sender_pause, name="sender_pause"),
    path("senders/<int:pk>/resume/", control.sender_resume, name="sender_resume"),
    path("senders/<int:pk>/stop/", control.sender_stop, name="sender_stop"),
    path("domains/<int:pk>/pause/", control.domain_pause, name="domain_pause"),
    path("domains/<int:pk>/resume/", control.domain_resume, name="domain_resume"),
    path("domains/<int:pk>/stop/", control.domain_stop, name="domain_stop"),
    path("callbacks/", callbacks.callbacks_page, name="callbacks_page"),
    path("callbacks/add/", callbacks.callback_add, name="callback_add"),
    path("callbacks/<int:pk>/", callbacks.callback_endpoint, name="callback_endpoint"),
    path("callbacks/<int:pk>/change/", callbacks.callback_change, name="callback_change"),
    path("callbacks/<int:pk>/verify/", callbacks.callback_verify, name="callback_verify"),
    path("callbacks/<int:pk>/rotate/", callbacks.callback_rotate, name="callback_rotate"),
    path("callbacks/<int:pk>/retire/", callbacks.callback_retire, name="callback_retire"),
    path("callbacks/<int:pk>/pause/", callbacks.callback_pause, name="callback_pause"),
    path("callbacks/<int:pk>/resume/", callbacks.callback_resume, name="callback_resume"),
    path("callbacks/<int:pk>/remove/", callbacks.callback_remove, name="callback_remove"),
    path("callbacks/<int:pk>/replay/", callbacks.callback_replay, name="callback_replay"),
    path("callback-log/<int:pk>/", callbacks.callback_entry, name="callback_entry"),
    path("callback-log/<int:pk>/again/", callbacks.callback_again, name="callback_again"),
    path("api-keys/", api_keys.api_keys_page, name="api_keys"),
    path("api-keys/<int:pk>/revoke/", api_keys.api_key_revoke, name="api_key_revoke"),
    path("settings/", settings.connection, name="settings"),
    path("settings/test/", settings.test_message, name="settings_test"),
    path("settings/pause/", control.service_pause, name="settings_pause"),
    path("settings/resume/", control.service_resume, name="settings_resume"),
    path("settings/stop/", control.service_stop, name="settings_stop"),
]

urlpatterns = [
    path("", home.services, name="services"),
    path("setup/", settings.first_run, name="first_run"),
    path("services/new/", settings.service_new, name="service_new"),
    path("s/<slug:service>/", include(service)),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("api/v1/", include("sms.api.v1.urls")),
    path("api/schema/", SpectacularJSONAPIView.as_view(), name="api_schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="api_schema"), name="api_docs"),
    path("v2/messages", MessagesView.as_view(), name="v2_messages"),
    path("v2/messages/<str:message_id>", MessageView.as_view(), name="v2_message"),
    path("receipts/<str:token>/", ReceiptView.as_view(), name="receipts"),
    path("inbound/<str:token>/", InboundView.as_view(), name="inbound"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("favicon.ico", RedirectView.as_view(url="/static/favicon.svg", permanent=True)),
]
