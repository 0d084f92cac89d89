"""What a service has to send with: its connection, senders, templates, policy groups, domains, prices and API keys."""
