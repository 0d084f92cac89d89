"""From the sandbox to Webex Connect: what follows from the connection, and the steps before people rely on a service."""
