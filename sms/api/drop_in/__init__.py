"""`/v2/messages`: Webex Connect's Send Message API, word for word, in front of `sms.compose`.

body      JSON → Asked, or Refused with the provider's code        errors    Refused and how the provider writes it
order     Asked → Order, by the service's catalogue        replies   what an accepted request and a message look like
views     POST and GET
"""
