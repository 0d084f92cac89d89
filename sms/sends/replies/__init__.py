"""The replies inbox: who of the team takes care of a conversation, and what is answered.

    inbox       lists, counts, how long the oldest waits
    thread      what was sent and what came, of one conversation
    handling    assigned, done, open again
    answer      an answer of a person or a program: a send of one
    canned      templates that can be an answer as they are, or filled from what is known
    automatic   answers of keywords, by a job

Where SMS come in is `sms.inbound.optouts`; the two meet in the tables of `sms.models.conversation`.
"""
