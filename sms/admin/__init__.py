"""The Django admin: the catalogue to edit, messages, receipts and audit to read, and an *add send* form.

A staff member sees the services they are admin of; a superuser sees all. django-q2's own pages are unregistered: its rows are
pickles, and a page that runs them is a page that runs anything.

    scoped      whose rows one sees, and the audit of every change
    catalogue   regions, services, senders, templates, policy groups, short-link domains
    sending     sends, with *add send*
    records     what happened, to read; opt-outs, with one to add
"""

import contextlib

import django_q.admin  # registers its pages now, in any order of discovery, so that they can be taken away
from django.contrib import admin
from django.contrib.admin.exceptions import NotRegistered
from django.utils.translation import gettext_lazy as _
from django_q.models import Failure, OrmQ, Schedule, Success

from sms.admin import catalogue, records, sending  # register their pages

for queue_model in (Failure, OrmQ, Schedule, Success):
    with contextlib.suppress(NotRegistered):
        admin.site.unregister(queue_model)

admin.site.site_header = "Textdesk"
admin.site.site_title = _("Textdesk admin")
admin.site.index_title = _("Catalogue and records")
