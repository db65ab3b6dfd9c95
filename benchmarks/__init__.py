"""Measured comparisons; each writes records to `benchmarks/results/`. Run one by ``python -m benchmarks.<name>``."""
