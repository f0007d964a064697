"""The computation that `cigri demo` runs, and what becomes of its results."""
