"""What a cluster answered, of which nothing is believed but what was asked for."""

import email.utils
import html
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple, TypeVar

import msgspec

Body = TypeVar("Body")

#: Bytes of a page that are looked at for what it says.
_MOST_READ = 16 * 1024
#: What of a page nobody sees, and its tags.
_HEAD = re.compile(r"<head\b.*?</head\s*>", re.IGNORECASE | re.DOTALL)
_UNSEEN = re.compile(r"<(style|script)\b.*?</\1\s*>|<[^>]*>", re.IGNORECASE | re.DOTALL)


class Reply(NamedTuple):
    """An answer, whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    #: Seconds until the answer began.
    waited: float

    @property
    def is_json(self) -> bool:
        """Return whether OAR itself answered, not the web server before it."""
        return self.headers.get("content-type", "").startswith("application/json")

    @property
    def is_file(self) -> bool:
        """Return whether the body is that of a user's file, which OAR says to be of any kind."""
        return self.headers.get("content-type", "").startswith("application/octet-stream")

    @property
    def sent_at(self) -> float:
        """Return the server's time at which it had the request, or 0 if it does not tell."""
        with suppress(KeyError, TypeError, ValueError, OverflowError):
            # The header is written when the answer begins; it has no fractions.
            return email.utils.parsedate_to_datetime(self.headers["date"]).timestamp()
        return 0.0

    @property
    def said(self) -> str:
        """Return what OAR says of an error, or what its web server says in its stead."""
        if self.is_json:
            return f": {self._complaint or self.start}"
        return f", from its web server: {self.start}" if self.start else ", from its web server"

    @property
    def start(self) -> str:
        """Return the beginning of the body, as a person would read it."""
        text = self.body[:_MOST_READ].decode("utf-8", "replace")
        return on_one_line(_readable(text) if "html" in self._kind else text[:1200])

    @property
    def _kind(self) -> str:
        return self.headers.get("content-type", "")

    @property
    def _complaint(self) -> str:
        """Return the words for a person in an error of OAR's."""
        try:
            told = decode(self.body, dict[str, object])
        except ValueError:
            return ""
        words = (told.get(name) for name in ("message", "title", "detail"))
        return next((on_one_line(text) for text in words if text and isinstance(text, str)), "")


def _readable(page: str) -> str:
    """Return what a person sees of a page of HTML: its title only if there is nothing else."""
    for text in (_HEAD.sub(" ", page), page):
        if seen := " ".join(_UNSEEN.sub(" ", text).split()):
            return html.unescape(seen)
    return ""


def on_one_line(text: str, most: int = 300) -> str:
    r"""
    Return the beginning of what somebody else wrote, with nothing that a terminal obeys.

    >>> on_one_line("no such\n\x1b[31mqueue")
    'no such [31mqueue'
    """
    text = "".join(c if c.isprintable() else " " for c in text[: 4 * most])
    return " ".join(text.split())[:most]


def decode(body: bytes, kind: type[Body]) -> Body:
    """
    Return what an answer says, which may not be the UTF-8 that it should be.

    Raises:
        ValueError: It is cut off, or something else.
    """
    return decode_with(msgspec.json.Decoder(kind, strict=False), body)


def decode_with(decoder: "msgspec.json.Decoder[Body]", body: bytes) -> Body:
    """Return what an answer says, as `decode`."""
    try:
        try:
            return decoder.decode(body)
        except UnicodeDecodeError:  # OAR gives some parameters as latin-1
            return decoder.decode(body.decode("latin-1").encode())
    except RecursionError as error:
        message = "lists in lists without end"
        raise ValueError(message) from error
