"""What is answered where a view broke off."""

import sys

from django.http import HttpRequest, HttpResponse
from django.views.defaults import server_error

from portal.body_limits import AWAY, OCCUPIED, limit_of
from sms.models.sql.availability import database
from sms.models.sql.trouble import is_away, may_work_again, waited_in_vain


def broke_off(request: HttpRequest) -> HttpResponse:
    """503 for the database's trouble, in the words of the address; 500 for ours."""
    problem = sys.exc_info()[1]
    if not isinstance(problem, Exception) or not may_work_again(problem):
        return server_error(request)
    if waited_in_vain(problem) or not is_away(problem):
        return limit_of(request.META).refuse(request.META, 503, OCCUPIED)
    database.report(problem)
    return limit_of(request.META).refuse(request.META, 503, AWAY)
