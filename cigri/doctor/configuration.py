"""Checks of the configuration: every mistake, and what it names."""

import ssl
import time
from collections.abc import Iterator
from pathlib import Path

from cigri.api import tls
from cigri.config import Config, load
from cigri.doctor.finding import Finding, fail, ok, warn
from cigri.engine.admission import load_rules
from cigri.errors import CigriError, InvalidInput
from cigri.places import Places

SUBJECT = "configuration"
#: Days before its end at which a certificate should be renewed.
_RENEWAL = 14
_DAY = 86400.0


def check(file: Path | None, places: Places) -> tuple[Config | None, list[Finding]]:
    """Return the configuration, `None` if it has mistakes, and what was found."""
    try:
        config = load(file, places)
    except InvalidInput as error:
        where = f"correct {file}; cigri.toml.example explains every key"
        return None, [fail(SUBJECT, str(problem), where) for problem in error.problems]
    read = str(file) if file else "none: everything has its default"
    return config, [ok(SUBJECT, read), *_admission(config), *_certificate(config)]


def _admission(config: Config) -> Iterator[Finding]:
    path = config.admission.file
    if path is None:
        return
    try:
        load_rules(path, config.admission.contact)
    except CigriError as error:
        yield fail("admission", str(error), f"correct {path}: the server does not start")
    else:
        yield ok("admission", str(path))


def _certificate(config: Config) -> Iterator[Finding]:
    options = config.server.tls
    if options.certificate is None:
        return
    try:
        tls.context(options)
    except CigriError as error:
        yield fail("certificate", str(error), "correct [server.tls]: the server does not start")
        return
    days = (certificate_end(options.certificate) - time.time()) / _DAY
    text = f"{options.certificate}, for {days:.0f} days"
    if days < 0:
        yield fail("certificate", f"{options.certificate} has expired", _RENEW)
    elif days < _RENEWAL:
        yield warn("certificate", text, _RENEW)
    else:
        yield ok("certificate", text)


_RENEW = "renew it, then send the server SIGHUP: systemctl kill -s HUP cigri"


def certificate_end(certificate: Path) -> float:
    """
    Return until when a certificate is good, in seconds since 1970.

    Raises:
        OSError: It cannot be read, or is none.
    """
    # The one way in the standard library to read a certificate that nobody presents.
    told = ssl._ssl._test_decode_cert(str(certificate))  # type: ignore[attr-defined]  # noqa: SLF001
    return ssl.cert_time_to_seconds(told["notAfter"])
