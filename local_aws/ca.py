"""The certificate authority of an embedded AWS: it stands in for ACM, for RDS's authority and for Amazon's own.

Hosts trust it from their launch on; a person's browser may, by `<state>/ca/ca.pem`. Every embedded AWS has its own, and
`down` removes it, so a key that got out is worth nothing after that.
"""

from __future__ import annotations

import datetime
import os
import threading
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from local_aws.cloud import Cloud

AUTHORITY_DAYS = 3650
LEAF_DAYS = 365
COMMON_NAME_LENGTH = 64  # RFC 5280, ub-common-name

_lock = threading.Lock()


class Authority:
    """A certificate authority in `<state_dir>/ca/`, made on first use.

    Args:
        state_dir: the state folder of an embedded AWS.
    """

    def __init__(self, state_dir: Path) -> None:
        self._folder = state_dir / "ca"
        with _lock:  # the parts' threads may ask for it at the same time
            if not self._key_path.exists() or not self.certificate_path.exists():
                self._create()
            self._key = _load_key(self._key_path)
            self._certificate = x509.load_pem_x509_certificate(self.certificate_path.read_bytes())

    @property
    def certificate_path(self) -> Path:
        """The authority's certificate, PEM."""
        return self._folder / "ca.pem"

    @property
    def _key_path(self) -> Path:
        return self._folder / "ca.key"

    def issue(self, names: list[str]) -> tuple[str, str]:
        """A server certificate for `names`.

        Args:
            names: DNS names, a wildcard as the whole first label allowed; the first becomes the common name.
        Returns:
            The chain (leaf, then authority) and the leaf's private key, both PEM.
        Raises:
            ValueError: no name was given.
        """
        if not names:
            raise ValueError("A certificate needs at least one DNS name.")
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            _builder(names[0], LEAF_DAYS)
            .issuer_name(self._certificate.subject)
            .public_key(key.public_key())
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in dict.fromkeys(names)]), False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
            .add_extension(_key_usage(authority=False), True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), False)
            .sign(self._key, hashes.SHA256())
        )
        return _pem(certificate) + _pem(self._certificate), _key_pem(key)

    def _create(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder("Berth local CA", AUTHORITY_DAYS)
        certificate = (
            builder.issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Berth local CA")]))
            .public_key(key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
            .add_extension(_key_usage(authority=True), True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .sign(key, hashes.SHA256())
        )
        write_private(self._key_path, _key_pem(key))
        self.certificate_path.write_text(_pem(certificate))


def authority(cloud: Cloud) -> Authority:
    """The authority of `cloud`."""
    return Authority(cloud.config.state)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, from its first byte on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as output:
        os.fchmod(descriptor, 0o600)  # the file may have been there with another mode
        output.write(text)


def _builder(name: str, days: int) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:COMMON_NAME_LENGTH])]))
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))  # clocks of containers and virtual machines differ
        .not_valid_after(now + datetime.timedelta(days=days))
    )


def _key_usage(authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError(f"{path} is not an EC key. Remove its folder; a new authority is made then.")
    return key


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
