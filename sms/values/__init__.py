"""Pure values and rules about them, which every other room may use."""
