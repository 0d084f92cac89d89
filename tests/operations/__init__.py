"""What operators are shown and told."""
