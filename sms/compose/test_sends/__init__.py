"""Test sends: a draft sent to oneself or to a seed list."""
