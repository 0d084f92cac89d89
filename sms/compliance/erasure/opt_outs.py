"""The person's refusals: they stay in force as digests, so that no message goes to the person again, and do not show whose they are."""

from django.db import transaction

from sms.compliance.erasure.naming import Subject
from sms.models import OptOut, Service
from sms.models.sql.opt_outs import lock_opt_outs
from sms.values.msisdn import country_of


def erase(subject: Subject) -> int:
    """Number to digest; evidence and reasons go. Dispatch and compose look for digests from this commit on."""
    service = subject.service
    with transaction.atomic():
        lock_opt_outs([service.pk])
        rows = OptOut.objects.filter(service=service, msisdn__in=subject.forms)
        here = rows.exclude(msisdn=subject.digest, evidence="", lifted_because="")
        if not here.exists():
            return 0
        Service.objects.filter(pk=service.pk).update(opt_outs_hidden=True)
        country = country_of(subject.e164)
        return here.update(msisdn=subject.digest, evidence="", lifted_because="", country=country)


def left(subject: Subject) -> int:
    return OptOut.objects.filter(service=subject.service, msisdn=subject.e164).count()
