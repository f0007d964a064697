"""What the failures of work on users' files mean for a cluster made of them."""

import contextlib
import errno
from collections.abc import Iterator

from cigri.clusters.identity import Account
from cigri.errors import ClusterUnreachable, SubmissionUnknown


class BrokenFiles(Exception):
    """What an ordinary user made of their files keeps tasks of theirs from running."""


#: Failures that the host has, whomever the files belong to.
_OF_THE_HOST = frozenset(
    {errno.ENOSPC, errno.EIO, errno.EROFS, errno.ENOMEM}
    | {errno.ENFILE, errno.EMFILE, errno.EAGAIN}
)


@contextlib.contextmanager
def unknown() -> Iterator[None]:
    """Translate a failure after which some groups may be there."""
    try:
        yield
    except OSError as error:
        raise SubmissionUnknown(str(error)) from error


@contextlib.contextmanager
def nothing_happened(owner: Account) -> Iterator[None]:
    """
    Translate the failures of work on the files of *owner*: they leave nothing that counts.

    Raises:
        ClusterUnreachable: Nobody can be served now.
        BrokenFiles: Only this user cannot be served.
    """
    try:
        yield
    except OSError as error:
        full = error.errno == errno.ENOSPC
        reason = "the disk is full" if full else error.strerror or str(error)
        where = f": {error.filename}" if error.filename else ""
        message = f"{reason}{where}"
        if owner.is_own or error.errno in _OF_THE_HOST:
            raise ClusterUnreachable(message) from error
        raise BrokenFiles(message) from error
