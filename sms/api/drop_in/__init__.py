"""`/v2/messages`: Webex Connect's Send Message API, word for word, in front of `sms.compose`; and the two send APIs before it.

body      JSON → DropInRequest, its values read by `fields`, its smartlinks by `smartlinks`
errors    DropInRefused, and how the provider writes it
order     DropInRequest → Order, by the service's catalogue
replies   what an accepted request and a message look like
unused    what of a request nothing is done with, by name
notices   `textdesk` in answers: what is waited for, what is not known, what is unused
views     POST and GET
v2        what is its own in replies and refusals: a `dialect`, as sms_v1 and messaging_v1 are, served by older_views
"""
