"""Benchmarks that print ratios: `python -m bench NAME`, one JSON line last."""
