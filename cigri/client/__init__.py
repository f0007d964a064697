"""Whoever asks a server: the command line by `Client`, Python programs by `cigri.connect`.

What is said to a server stands once, in `asking`.  `Client` gives back the bodies of the REST API
as they are (`bodies`); `sync` and `aio` make objects of them.  What goes wrong is raised as one of
`cigri.errors`.
"""

from cigri.client.client import Client

__all__ = ["Client"]
