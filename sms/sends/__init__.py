"""What becomes of a send once it is made: its plan, its progress, its controls."""
