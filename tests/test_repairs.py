"""What `cigri doctor` advises when a cluster of OAR is ill: the command that brings it back."""

import pytest

from cigri.doctor.repairs import of_oar, of_waiting

URL = "https://oar.example.org:6669/oarapi"


@pytest.mark.parametrize(
    ("said", "code", "command"),
    [
        ("cannot be reached: refused", "CONNECTION_REFUSED", "systemctl start apache2"),
        ("answered 500: Cannot connect to the database", None, "systemctl start postgresql"),
        ("[ERROR] Cannot connect to executor", "POST_TIMEOUT", "systemctl start oar-server"),
        ("Could not connect to the socket", None, "systemctl start oar-server"),
        (
            "exit value = 255; the node node1 is Suspected",
            "NODE_FAILED",
            "oarnodesetting -s Alive -h node1",
        ),
        ("something else", "NODE_FAILED", "oarnodesetting -s Alive -h NODE"),
        ("answered 500, from its web server", None, "tail /var/log/apache2/error.log"),
        ("did not answer within 30 s", "TIMEOUT", "systemctl status apache2"),
        ("unable to verify", "SSL_ERROR", "openssl s_client -connect oar.example.org:6669"),
        ("takes us for cigri where we ask for bob", None, "believe `identity_header`"),
        ("certificate has expired", "SSL_ERROR", "renew the certificate"),
        ("does not let CiGri in (401)", "PERMISSION_DENIED", "oar-restful-api.conf"),
        ("let CiGri in (401, from its web server)", "PERMISSION_DENIED", "the password"),
        ("answered 404, from its web server", "CLUSTER_API_BAD_ANSWER", "curl"),
        ("[SSL: TLSV1_ALERT_UNKNOWN_CA] tlsv1 alert", "SSL_ERROR", "client_certificate"),
        ("[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED]", "SSL_ERROR", "SSLCACertificateFile"),
        ("No required SSL certificate was sent", "CLUSTER_API_BAD_ANSWER", "client_key"),
        ("[SSL: WRONG_VERSION_NUMBER] wrong version number", "SSL_ERROR", "write http://"),
        ("speaking plain HTTP to an SSL-enabled", "CLUSTER_API_BAD_ANSWER", "write https://"),
        ("half an answer", "CLUSTER_API_BAD_ANSWER", f"curl {URL}/version.json"),
        ("[Errno -2] Name or service not known", "CONNECTION_REFUSED", "getent hosts"),
        ("it is 90 s ahead", "CLOCK_SKEW", "systemctl start chrony"),
    ],
)
def test_each_illness_has_its_command(said: str, code: str | None, command: str) -> None:
    advised = of_oar("dahu", URL, said, code)

    assert advised is not None
    assert command in advised
    assert "{" not in advised


def test_what_nobody_knows_is_not_guessed() -> None:
    assert of_oar("dahu", URL, "it is Tuesday", "JOB_LOST") is None


def test_a_job_that_waits_is_named_with_where_to_look() -> None:
    assert "oarstat -fj 12" in of_waiting(URL, "12")
    assert "on oar.example.org" in of_waiting(URL, "12")
