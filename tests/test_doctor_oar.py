"""`cigri doctor` on what is configured of clusters of OAR."""

import datetime as dt

import pytest
import trustme

from cigri.clusters.oar import OarDriver
from cigri.clusters.options import Oar2Options, Oar3Options
from cigri.doctor import oar_options
from cigri.doctor.finding import Level

URL = "https://oar.example.org/oarapi"


def told(tmp_path, options):
    return {
        finding.text: finding for finding in oar_options.check("dahu", options, tmp_path / "dahu")
    }


def certificate(tmp_path, days):
    end = dt.datetime.now(dt.UTC) + dt.timedelta(days=days)
    issued = trustme.CA().issue_cert("cigri.example.org", not_after=end, not_before=None)
    path = tmp_path / "cigri.pem"
    issued.cert_chain_pems[0].write_to_path(path)
    return path


def test_a_cluster_in_order_is_told_nothing_of(tmp_path):
    (tmp_path / "key").write_text("secret")
    (tmp_path / "key").chmod(0o640)
    options = Oar2Options(
        url=URL,
        client_certificate=certificate(tmp_path, 90),
        client_key=tmp_path / "key",
        users=("ann",),
    )

    assert told(tmp_path, options) == {}


def test_a_certificate_that_is_not_looked_at_is_told_every_time(tmp_path):
    (found,) = told(tmp_path, Oar2Options(url=URL, verify_tls=False)).values()

    assert found.level is Level.WARN
    assert "whoever answers as oar.example.org is believed" in found.text


def test_a_secret_that_others_can_read_is_told(tmp_path):
    (tmp_path / "password").write_text("secret")
    (tmp_path / "password").chmod(0o644)
    options = Oar2Options(
        url=URL, auth="basic", basic_user="cigri", password_file=tmp_path / "password"
    )

    (text,) = told(tmp_path, options)

    assert text == (
        f"others on this host can read {tmp_path}/password: chmod 600 {tmp_path}/password"
    )


def test_a_file_that_is_missing_is_told(tmp_path):
    options = Oar2Options(url=URL, ca_certificate=tmp_path / "ca.crt")

    (found,) = told(tmp_path, options).values()

    assert found.level is Level.FAIL
    assert found.text == f"ca_certificate: {tmp_path}/ca.crt cannot be read"


@pytest.mark.parametrize(
    ("days", "level", "words"), [(5, Level.WARN, "for 5 days"), (-5, Level.FAIL, "has expired")]
)
def test_a_certificate_of_ours_ends(tmp_path, days, level, words):
    options = Oar2Options(url=URL, client_certificate=certificate(tmp_path, days + 0.1))

    (found,) = told(tmp_path, options).values()

    assert found.level is level
    assert words in found.text


def test_what_is_no_certificate_is_told(tmp_path):
    (tmp_path / "c").write_text("no certificate")

    (text,) = told(tmp_path, Oar2Options(url=URL, client_certificate=tmp_path / "c"))

    assert text == f"{tmp_path}/c holds no certificate"


def test_logins_that_oar_would_misread_are_told(tmp_path):
    options = Oar2Options(
        url=URL,
        users=("alice-evil", "jean-pierre"),
        normal_users=("bob",),
        users_mapping={"jean-pierre": "jp"},
    )

    (text,) = told(tmp_path, options)

    assert text.startswith("OAR would take alice-evil for alice")


def test_tokens_are_counted_and_guarded(tmp_path):
    options = Oar3Options(url=URL)
    kept = OarDriver(tmp_path / "dahu", options).credentials
    assert kept is not None

    (none,) = told(tmp_path, options).values()
    kept.put("ann", "abc")
    (one,) = told(tmp_path, options).values()
    (tmp_path / "dahu" / "tokens").chmod(0o755)
    (open_,) = told(tmp_path, options).values()

    assert (none.level, none.repair) == (Level.WARN, "cigri token cluster add dahu")
    assert (one.level, one.text) == (Level.OK, "1 token of users")
    assert (open_.level, open_.repair) == (Level.FAIL, f"chmod 700 {tmp_path}/dahu/tokens")
