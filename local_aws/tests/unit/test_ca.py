"""The local certificate authority: what it issues is accepted by a TLS client that trusts it, and by no other name."""

from __future__ import annotations

import datetime
import socket
import ssl
import stat
import threading
from pathlib import Path

import pytest
from cryptography import x509

from local_aws.ca import Authority


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def handshake(authority: Authority, folder: Path, names: list[str], asked: str) -> None:
    """One TLS handshake over a socket pair, verified against the authority and the name `asked`."""
    chain, key = authority.issue(names)
    (folder / "leaf.pem").write_text(chain + key)
    server_context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server_context.load_cert_chain(folder / "leaf.pem")
    client_context = ssl.create_default_context(cafile=str(authority.certificate_path))
    left, right = socket.socketpair()
    left.settimeout(5)
    right.settimeout(5)

    def serve() -> None:
        try:
            server_context.wrap_socket(left, server_side=True).close()
        except ssl.SSLError:
            left.close()  # the client refused; its own error is what the test looks at

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        client_context.wrap_socket(right, server_hostname=asked).close()
    finally:
        right.close()
        thread.join(5)


@pytest.mark.parametrize("asked", ["site.berth.localhost", "www.example.com", "logs.us-east-1.amazonaws.com"])
def test_a_client_that_trusts_the_authority_accepts_each_name(authority: Authority, tmp_path: Path, asked: str) -> None:
    names = ["site.berth.localhost", "www.example.com", "*.us-east-1.amazonaws.com"]
    handshake(authority, tmp_path, names, asked)


@pytest.mark.parametrize("asked", ["other.localhost", "a.b.us-east-1.amazonaws.com"])
def test_another_name_is_refused(authority: Authority, tmp_path: Path, asked: str) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="not valid for"):
        handshake(authority, tmp_path, ["site.berth.localhost", "*.us-east-1.amazonaws.com"], asked)


def test_a_client_without_the_authority_refuses(authority: Authority, tmp_path: Path) -> None:
    other = Authority(tmp_path / "other")
    chain, key = authority.issue(["x.localhost"])
    assert x509.load_pem_x509_certificates(chain.encode())[1].fingerprint is not None
    assert "PRIVATE KEY" in key
    leaf, root = x509.load_pem_x509_certificates(chain.encode())
    leaf.verify_directly_issued_by(root)
    stranger = x509.load_pem_x509_certificate(other.certificate_path.read_bytes())
    with pytest.raises(Exception, match=r"^$"):  # cryptography's InvalidSignature has no text
        leaf.verify_directly_issued_by(stranger)


def test_the_authority_stays_the_same(authority: Authority, tmp_path: Path) -> None:
    before = authority.certificate_path.read_bytes()
    assert Authority(tmp_path).certificate_path.read_bytes() == before


def test_keys_are_for_their_owner_alone(authority: Authority) -> None:
    key = authority.certificate_path.with_name("ca.key")
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_validity_and_long_names(authority: Authority) -> None:
    long = "a" * 60 + ".a-rather-long-name.us-east-1.rds.amazonaws.com"
    chain, _ = authority.issue([long])
    leaf, root = x509.load_pem_x509_certificates(chain.encode())
    now = datetime.datetime.now(datetime.UTC)
    assert 360 < (leaf.not_valid_after_utc - now).days < 366
    assert 3640 < (root.not_valid_after_utc - now).days < 3651
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [long]


def test_no_name_is_an_error(authority: Authority) -> None:
    with pytest.raises(ValueError, match="at least one DNS name"):
        authority.issue([])
