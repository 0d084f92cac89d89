"""Spend caps of a service: what it, a key, a country and a number may get in one day, and which countries are written to at all.

    rules       what the settings say           wants      what an order asks for
    counting    reserved, given back, moved     standing   what is used and left, for pages and the API
    notices     near and reached: told once     changes    the one way to change them

`sms.compose.spending` reserves for a send in the transaction that makes it.
"""
