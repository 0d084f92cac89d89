"""The background work on large audiences: reading a file, checking a draft, writing the messages of a send.

    run(stopped)        whatever waits, one after the other, until nothing does
    go_on(pk, …)        one of them for some seconds, for a page that wants to show something at once
    waits()             whether there is something to do that nobody is at
    forget()            rows of files that no draft and no send needs any more

Each is a `Preparation`, worked on under a lease and committed a block at a time with its cursor, so that it may be killed at any
moment: whoever comes next goes on there, and every row is there once. Any number of processes may run this at the same time, beside
dispatch. `manage.py prepare_audiences` is its process; the cluster and `manage.py dispatch` start one when something waits
(`sms.worker.tasks`).

    work      leases, blocks, what goes wrong        read     a file into an audience version
    expand    a send's messages                      check    the figures of a draft
"""

from sms.compose.background.work import delete_unused_versions, has_work, run, work_on

__all__ = ["delete_unused_versions", "has_work", "run", "work_on"]
