"""Benchmarks: each measures beside a floor of the same run; `python -m bench` prints one table."""
