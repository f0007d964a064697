"""The certificate of the TCP port: served, renewed, and every way in which it can be wrong."""

import ssl
from pathlib import Path

import httpx
import pytest
import trustme
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from cigri.api import tls
from cigri.api.app import create_app
from cigri.api.options import TlsOptions
from cigri.api.sockets import serving
from cigri.errors import InvalidConfig
from tests.api.face import BEARER

AUTHORITY = trustme.CA()


def issue(directory: Path, name: str = "a") -> TlsOptions:
    """Write a certificate for this host, and its key."""
    made = AUTHORITY.issue_cert("127.0.0.1")
    certificate, key = directory / f"{name}.pem", directory / f"{name}.key"
    made.cert_chain_pems[0].write_to_path(certificate)
    made.private_key_pem.write_to_path(key)
    key.chmod(0o600)
    return TlsOptions(certificate=certificate, key=key)


@pytest.fixture
def options(tmp_path):
    return issue(tmp_path)


@pytest.fixture
def trusting(tmp_path):
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    return context


async def serial(port: int, trusting: ssl.SSLContext) -> int:
    """Return which certificate a new connection sees."""
    async with httpx.AsyncClient(verify=trusting) as client:
        answer = await client.get(f"https://127.0.0.1:{port}/campaigns", headers=BEARER)
        assert answer.status_code == 200
        stream = answer.extensions["network_stream"]
        return stream.get_extra_info("ssl_object").getpeercert()["serialNumber"]


async def test_the_port_speaks_tls_and_takes_a_renewed_certificate(
    campaigns, settings, tmp_path, options, trusting
):
    live = tls.context(options)
    app = create_app(campaigns, settings)
    async with serving(app, address=("127.0.0.1", 0), tls=live) as port:
        first = await serial(port, trusting)
        issue(tmp_path)
        tls.renew(live, options)
        second = await serial(port, trusting)
        options.key.write_text("broken")
        tls.renew(live, options)
        third = await serial(port, trusting)

        async with httpx.AsyncClient(verify=False) as plain:  # noqa: S501 - it gets no answer
            with pytest.raises(httpx.TransportError):
                await plain.get(f"http://127.0.0.1:{port}/")

    assert first != second == third


async def test_old_versions_are_not_spoken(options, trusting):
    assert tls.context(options).minimum_version == ssl.TLSVersion.TLSv1_2


def test_without_a_certificate_there_is_none():
    assert tls.context(TlsOptions()) is None


def mistake(options: TlsOptions) -> str:
    with pytest.raises(InvalidConfig) as caught:
        tls.context(options)
    return str(caught.value)


def test_a_missing_file_is_named(options):
    options.certificate.unlink()
    assert f"server.tls.certificate: cannot read {options.certificate}: No" in mistake(options)


def test_a_missing_key_is_named(options):
    options.key.unlink()
    assert f"server.tls.key: cannot read {options.key}: No such file" in mistake(options)


def test_a_key_that_everybody_can_read_is_refused(options):
    options.key.chmod(0o644)
    assert f"open to everybody (644) (chmod 600 {options.key})" in mistake(options)


def test_a_key_that_a_group_can_read_is_taken(options):
    options.key.chmod(0o640)
    assert tls.context(options) is not None


def test_the_key_of_another_certificate_is_told(options, tmp_path):
    other = issue(tmp_path, "b")
    wrong = TlsOptions(certificate=options.certificate, key=other.key)
    assert f"server.tls.key: {other.key} is not the key of {options.certificate}" in mistake(wrong)


@pytest.mark.parametrize("text", ["", "hello", "-----BEGIN CERTIFICATE-----\nx\n"])
def test_what_is_no_certificate_is_told(options, text):
    options.certificate.write_text(text)
    said = mistake(options)
    assert str(options.certificate) in said
    assert "server.tls" in said


def test_what_is_no_key_is_told(options):
    options.key.write_text("hello")
    assert f"server.tls.key: no private key in PEM form in {options.key}" in mistake(options)


def test_nobody_is_asked_for_the_password_of_a_key(options):
    made = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    options.key.write_bytes(made)
    assert f"{options.key} has a password" in mistake(options)
