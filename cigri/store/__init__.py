"""SQLite: the only SQL of CiGri, in named statements."""
