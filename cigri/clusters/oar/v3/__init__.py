"""The REST interface of OAR 3."""
