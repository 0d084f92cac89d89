"""The background work on large audiences: reading a file, checking a draft, writing the messages of a send.

    work      leases, blocks, failures               read     a file into an audience version
    expand    a send's messages                      check    the figures of a draft

Each is a `Preparation`, worked on under a lease and committed a block at a time with its cursor, so that it may be killed at any moment:
the next worker continues there, and every row is there once. Any number of processes may run this at the same time, beside dispatch.
`manage.py prepare_audiences` is its process; the cluster and `manage.py dispatch` start one when something waits (`sms.worker.tasks`).
"""

from sms.compose.background.work import delete_unused_versions, has_work, run, work_on
