"""CiGri: campaigns of independent tasks over the idle cores of several clusters."""
