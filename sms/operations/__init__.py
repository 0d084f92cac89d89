"""What operators are shown and told: how this process is, what every process counts, what does not work, and mails about it.

own_facts   what only this process knows, which its heartbeat carries
totals      what every process counted, kept by host; figures that are worked out once a minute
processes   what the heartbeats say of every process and host
work        what waits: messages, receipts, callbacks, wake-ups, retention, backups
faults      what does not work at present, each with a short word
readiness   whether work could be done now: tried, for /readyz
telling     operators are told of a fault within a minute, and once when it is over
delivery    by which ways: mail, webhook, notices
"""
