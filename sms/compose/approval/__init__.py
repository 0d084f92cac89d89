"""Approval: which sends need another person's approval, what exactly an approval is bound to, and what ends it.

    rules        which of a service's rules apply to an order, and how many approvers they ask for
    parts        what an approval is bound to      fingerprint   the digests of that, read from the database
    requests     asking                            endings       an edit, another time, the clock, a cancellation
    release      letting an approved send go, and the comparison before each slice
    queries      lists of requests                 details       one request as its page shows it
    notices      to approvers and authors  snapshot      what people read, kept with the request

Called by `sms.compose`, `sms.dispatch`, `sms.sends`, `sms.worker.jobs`, pages and the API. A person's answer is in `sms.sends.answers`,
because a rejection cancels the send.
"""
