"""Benchmarks: what is measured, against what, and how to run it is in README.md."""
