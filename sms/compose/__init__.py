"""Compose: from what a person or a program asks for to a committed send. The one door; there is no other.

    order     what is asked for           checks    what is wrong with it, and what would come of it
    lines     rows into messages to be    create    the send: small ones with all their messages in one transaction, large ones PREPARING
    survey    the figures of all rows     naming    sends that nobody named
    lengths   of texts whose links change

Called by the compose page, the admin's form, the API and `manage.py send`. Nothing here talks to the provider.
"""
