"""Notices: what a person is told, in the portal and by e-mail. Any room below calls `tell` in the transaction of what it tells.

    tell      the one way to a notice: who may be told, what each of them chose, once for each event
    people    whom: those with a role in a service, superusers
    held      who is told of a hold
    visible   which notices a person may read, and how many are unread
    reading   reading them, and choosing how to be told
    digest    when the daily mail of a person is due
    mails     the job that mails them: at once, or together once a day
    refusals  mail that was refused, and where it is kept; `bounces` reads what came back later

A notice names a page by the name of its address; the portal knows where that is.
"""

from sms.notices.held import tell_held
from sms.notices.mails import forget, send_due
from sms.notices.people import holding, superusers
from sms.notices.reading import follow_choices, mark_read, try_again
from sms.notices.tell import no_longer, tell
from sms.notices.visible import unread, visible_to
