"""Benchmarks: tables of figures, taken on this machine beside other programs that do the same."""
