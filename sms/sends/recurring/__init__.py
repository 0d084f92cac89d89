"""Sends that come again: a draft with a rhythm, of which each occurrence becomes an ordinary send.

    timetable   which occurrences come, in numbers and sentences     make       the job: makes what is near, notes what was missed
    start       from a draft to a recurring send; another content    control    pause, resume, skip one, end, another rhythm
    standing    approvals for the occurrences to come                holidays   the days of a service, read from a paste or a file
    telling     who is told when an occurrence could not be made

Called by the pages, the calendar and `sms.worker.jobs`.
"""
