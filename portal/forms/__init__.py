"""Forms: they translate what was typed, and decide nothing that the domain decides."""
