"""Benchmarks: `make bench` runs each module, which prints one JSON line with its figure, the limit measured beside it, and the ratio."""
