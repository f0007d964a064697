"""What brings an ill cluster back: a command for each illness that is told of."""

import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit


class _Illness(NamedTuple):
    """What is said of an illness, and what to do on the cluster."""

    said: re.Pattern[str]
    repair: str


_NODES = "`oarnodes` tells which are ill; once one is well: oarnodesetting -s Alive -h {node}"

#: What OAR and its web server say in their own words; the first that is said is told.
_SAID = (
    _Illness(
        re.compile(r"cannot connect to (the )?database|install_driver|DBI connect", re.IGNORECASE),
        "on {host}, start OAR's database: systemctl start postgresql"
        " (DB_HOSTNAME in /etc/oar/oar.conf tells where it is)",
    ),
    _Illness(
        re.compile(r"cannot connect to executor|could not connect to the socket", re.IGNORECASE),
        "on {host}, start OAR's server: systemctl start oar-server",
    ),
    _Illness(
        re.compile(r"oarexec|is Suspected|no node|no resource", re.IGNORECASE),
        f"start sshd on the nodes; {_NODES}",
    ),
    _Illness(
        re.compile(r"answered 5\d\d, from its web server"),
        "on {host}, see why its web server cannot run OAR's API: tail /var/log/apache2/error.log",
    ),
    _Illness(
        re.compile(r"wrong version number", re.IGNORECASE),
        "write http:// in `url` of [clusters.{cluster}], or the port where HTTPS is spoken",
    ),
    _Illness(
        re.compile(r"plain HTTP to an? (SSL|HTTPS)", re.IGNORECASE),
        "write https:// in `url` of [clusters.{cluster}]",
    ),
    _Illness(
        re.compile(r"alert|client certificate|SSL certificate was sent", re.IGNORECASE),
        "give client_certificate and client_key of [clusters.{cluster}], of an authority that"
        " {host} believes: SSLCACertificateFile of its web server",
    ),
    _Illness(
        re.compile(r"\btakes us for "),
        "on {host}, let its web server believe `identity_header` at {url}: docs/oar.md shows"
        " how, and that /oarapi-priv as it is shipped does not",
    ),
    _Illness(
        re.compile(r"certificate has expired"),
        "renew the certificate: openssl s_client -connect {address} </dev/null shows it",
    ),
    _Illness(
        re.compile(r"name or service not known|name resolution|No address", re.IGNORECASE),
        "correct `url` in [clusters.{cluster}], or the name service: getent hosts {host}",
    ),
)

#: What to do about the events of clusters of OAR that say nothing more.
_OF_EVENTS: Mapping[str, str] = {
    "CONNECTION_REFUSED": "on {host}, start the web server of OAR's API: systemctl start apache2",
    "TIMEOUT": "on {host}, see what keeps it: systemctl status apache2 oar-server postgresql",
    "SSL_ERROR": "compare ca_certificate and client_certificate of [clusters.{cluster}] with"
    " those of openssl s_client -connect {address} </dev/null",
    "PERMISSION_DENIED": "see `auth`, `identity_header`, the certificates or the password of"
    " [clusters.{cluster}], and on {host} /etc/oar/apache2/oar-restful-api.conf",
    "CLUSTER_API_SERVER_ERROR": "on {host}: tail /var/log/oar.log /var/log/apache2/error.log",
    "CLUSTER_API_BAD_ANSWER": "see whether `url` of [clusters.{cluster}] is that of OAR's API:"
    " curl {url}/version.json",
    "NODE_FAILED": f"start sshd on the nodes; {_NODES}",
    "CLOCK_SKEW": "on {host} and here, let the clocks be set: systemctl start chrony",
}


def of_oar(cluster: str, url: str, said: str, code: str | None = None) -> str | None:
    """
    Return what brings a cluster of OAR back, `None` when nobody knows.

    Args:
        cluster: How the configuration calls it.
        url: The address of its API, "" where that is not known.
        said: What was said of the illness.
        code: The event that tells of it.
    """
    found = next((illness.repair for illness in _SAID if illness.said.search(said)), None)
    repair = found or _OF_EVENTS.get(code or "")
    if repair is None:
        return None
    parts = urlsplit(url)
    host = parts.hostname or "the cluster"
    port = parts.port or (443 if parts.scheme == "https" else 80)
    node = re.search(r"node (\S+?) is Suspected", said)
    return repair.format(
        cluster=cluster,
        url=url,
        host=host,
        address=f"{host}:{port}",
        node=node[1] if node else "NODE",
    )


def of_waiting(url: str, job: str) -> str:
    """Return what to look at when OAR has *job* and does not start it."""
    host = urlsplit(url).hostname or "the cluster"
    return (
        f"on {host}, if OAR's server does not run: systemctl start oar-server;"
        f" else `oarstat -fj {job}` tells what the job waits for"
    )
