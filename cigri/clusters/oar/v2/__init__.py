"""The REST interface of OAR 2.5."""
