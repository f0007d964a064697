"""A fake of OAR 2.5.9 and its REST interface: a cluster in memory, its oddities and its faults."""
