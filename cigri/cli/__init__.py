"""The command line: speaks HTTP with a server, through `cigri.client`.

A person waits for one answer at a time, so commands are plain functions.
"""
