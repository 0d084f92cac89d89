"""The website: what people see. Views and forms translate; the domain in `sms` decides."""
