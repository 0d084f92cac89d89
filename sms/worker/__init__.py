"""Which jobs run when, in which process, and how it is seen to be alive."""
