"""The only code that changes a message's state, and the counters that follow from it."""
