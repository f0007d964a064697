"""The certificate of the TCP port: loaded at start, and again when it was renewed."""

import ssl
import stat
from pathlib import Path

import structlog

from cigri.api.options import TlsOptions
from cigri.errors import InvalidConfig

log = structlog.get_logger()

_CERTIFICATE = "server.tls.certificate"
_KEY = "server.tls.key"


def context(options: TlsOptions) -> ssl.SSLContext | None:
    """
    Return what speaks TLS as *options* say, `None` when they say nothing.

    Raises:
        InvalidConfig: A file is missing, is not what it should be, or everybody can read the key.
    """
    if options.certificate is None or options.key is None:
        return None
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    _load(made, options.certificate, options.key)
    return made


def renew(live: ssl.SSLContext, options: TlsOptions) -> None:
    """Let new connections see the certificate as it is now, or the old one if it is broken."""
    try:
        # Elsewhere first: half a change would leave a certificate without its key.
        context(options)
        if options.certificate is not None and options.key is not None:
            _load(live, options.certificate, options.key)
    except InvalidConfig as error:
        log.error("certificate.not_renewed", reason=str(error))  # noqa: TRY400 - no bug of ours
        return
    log.info("certificate.renewed", file=str(options.certificate))


def _load(into: ssl.SSLContext, certificate: Path, key: Path) -> None:
    _check(certificate, _CERTIFICATE)
    _check(key, _KEY)
    mode = stat.S_IMODE(key.stat().st_mode)
    if mode & (stat.S_IROTH | stat.S_IWOTH):
        raise InvalidConfig.at(_KEY, f"{key} is open to everybody ({mode:o})", f"chmod 600 {key}")
    try:
        # Without a function it would ask on the terminal.
        into.load_cert_chain(certificate, key, password=lambda: _refuse_password(key))
    except ssl.SSLError as error:
        raise InvalidConfig.at(*_explained(error, certificate, key)) from error


def _check(path: Path, pointer: str) -> None:
    try:
        path.read_bytes()
    except OSError as error:
        raise InvalidConfig.at(pointer, f"cannot read {path}: {error.strerror}") from error


def _refuse_password(key: Path) -> str:
    raise InvalidConfig.at(
        _KEY,
        f"{key} has a password, which nobody is there to give",
        f"openssl pkey -in {key} -out NEW",
    )


def _explained(error: ssl.SSLError, certificate: Path, key: Path) -> tuple[str, str, str | None]:
    """Return where the mistake is, what it is, and what to do."""
    if error.reason == "KEY_VALUES_MISMATCH":
        return _KEY, f"{key} is not the key of {certificate}", None
    if b"-----BEGIN CERTIFICATE-----" not in certificate.read_bytes():
        return _CERTIFICATE, f"no certificate in PEM form in {certificate}", None
    if b"PRIVATE KEY-----" not in key.read_bytes():
        return _KEY, f"no private key in PEM form in {key}", None
    return "server.tls", f"cannot use {certificate} with {key}: {error.reason or error}", None
