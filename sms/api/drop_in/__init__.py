"""`/v2/messages`: Webex Connect's Send Message API, word for word, in front of `sms.compose`.

body      JSON → DropInRequest (`requests`), its values read by `fields`
errors    DropInRefused, and how the provider writes it
order     DropInRequest → Order, by the service's catalogue
replies   what an accepted request and a message look like
views     POST and GET
"""
