"""The cycles: read, decide, write the intent, act, record."""
