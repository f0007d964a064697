"""By what a cluster of OAR is told who asks, and by what it proves to be the one it should be."""

import ssl

import httpx

from cigri.clusters.options import OarOptions
from cigri.errors import ClusterUnreachable, Fault


def misread(user: str) -> str:
    """Return why a login cannot be used on a cluster of OAR."""
    return (
        f"OAR would take {user} for somebody else: it reads logins of letters, digits and _ alone;"
        " map it to the login there with `users_mapping`"
    )


def tls_context(options: OarOptions) -> ssl.SSLContext:
    """
    Return how TLS is spoken.

    Raises:
        ClusterUnreachable: A file of it cannot be used.
    """
    ca, certificate = options.ca_certificate, options.client_certificate
    using = f"ca_certificate {ca}"
    try:
        context = ssl.create_default_context(cafile=str(ca) if ca else None)
        using = f"client_certificate {certificate} with client_key {options.client_key}"
        if certificate is not None:
            # Without a password that nobody is there to type.
            context.load_cert_chain(certificate, options.client_key, password=str)
    except OSError as error:
        raise ClusterUnreachable(
            f"{using} cannot be used for {options.url}: {error}", fault=Fault.TLS
        ) from error
    # Where only a part of the web server asks for certificates, it does so after the handshake.
    context.post_handshake_auth = True
    if not options.verify_tls:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def basic_auth(options: OarOptions) -> httpx.BasicAuth | None:
    """
    Return the login of CiGri's own at the cluster's web server, if it has one.

    Raises:
        ClusterUnreachable: Its password cannot be read.
    """
    if options.basic_user is None or options.password_file is None:
        return None
    try:
        password = options.password_file.read_text().strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ClusterUnreachable(
            f"password_file {options.password_file} cannot be used for {options.url}: {error}",
            fault=Fault.DENIED,
        ) from error
    return httpx.BasicAuth(options.basic_user, password)


def is_tls(error: BaseException | None) -> bool:
    """Return whether *error* comes of the encryption of a connection."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False
