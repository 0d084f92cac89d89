"""The second reading of the provider's documents: its rules, a body for each that can be asked in one, and who answers what."""
