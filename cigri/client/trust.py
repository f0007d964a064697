"""Which token goes to which server, and how a server proves that it is the one that was named."""

import ipaddress
import os
import ssl
from pathlib import Path

import httpx

from cigri import errors, places
from cigri.places import Address

#: Names a file with the certificates that are believed instead of the host's.
CA_FILE = "CIGRI_CA_FILE"


def headers(address: Address) -> dict[str, str]:
    """
    Return what proves to the server at *address* who asks.

    Nobody but the server hears a token: it goes to this host, or through TLS; and the token of
    your own server goes to no other host, which could use it.

    Raises:
        NotAuthenticated: There is a file for the token, and no token in it.
    """
    if address.socket is not None:
        return {}
    named = bool(os.environ.get("CIGRI_TOKEN_FILE"))
    if is_this_host(address) or (named and address.url.startswith("https:")):
        return _authorization()
    return {}


def verification(address: Address) -> ssl.SSLContext | bool:
    """
    Return how the certificate of *address* is verified, which it always is.

    Raises:
        CigriError: The file of CIGRI_CA_FILE cannot be used.
    """
    if address.socket is not None or not address.url.startswith("https:"):
        return False  # there is none, and reading all of the host's would take a moment
    file = os.environ.get(CA_FILE)
    try:
        made = ssl.create_default_context(cafile=file or None)
    except (OSError, ssl.SSLError) as error:
        reason = "no certificate in it" if isinstance(error, ssl.SSLError) else error.strerror
        raise errors.CigriError(f"cannot use {CA_FILE}={file}: {reason}") from error
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    return made


def is_this_host(address: Address) -> bool:
    """Tell whether nobody but this host can hear what is sent to *address*."""
    host = httpx.URL(address.url).host
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def repair() -> str:
    """Return what to try when a server does not take the token, or got none."""
    path = _token_file()
    if not path.exists():
        return f"name the file with your token in CIGRI_TOKEN_FILE: there is no {path}"
    return (
        f"start the server again if another one has written {path} since, or name the file with "
        "your token in CIGRI_TOKEN_FILE; one is only sent to this host, or to https://"
    )


def advice(error: httpx.TransportError) -> str | None:
    """Return what to try when *error* has kept a connection from being made, if that is known."""
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return f"name the file with the certificate of its authority in {CA_FILE}"
    return None


def _token_file() -> Path:
    return places.token_file(os.environ, os.getuid())


def _authorization() -> dict[str, str]:
    path = _token_file()
    try:
        token = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return {}  # the server says what it wants
    except (OSError, ValueError) as error:
        raise errors.NotAuthenticated(f"the token cannot be read: {error}") from error
    if len(token.split()) != 1:
        raise errors.NotAuthenticated(f"there is no token in {path}").trying(repair())
    return {"Authorization": f"Bearer {token}"}
