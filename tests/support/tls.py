"""TLS in front of a plain server, with a certificate authority made for the test."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from workers.embedded.loopback import HOST

#: The first byte of a TLS connection: a handshake record.
_HANDSHAKE = b"\x16"


@dataclass(frozen=True, kw_only=True)
class Authority:
    """PEM files: an authority's certificate, and the key and certificate of a server of it."""

    ca: Path
    server: Path


def authority(folder: Path, host: str = HOST, days: float = 1) -> Authority:
    """Make an authority, and a certificate for the server at the address `host`.

    That has been valid since yesterday, and ends in so many days.
    """
    key, name = ec.generate_private_key(ec.SECP256R1()), _name("tests")
    root = _builder(name, name, key).add_extension(
        x509.BasicConstraints(ca=True, path_length=0), critical=True
    )
    signed = root.add_extension(
        x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
    ).sign(key, hashes.SHA256())

    own = ec.generate_private_key(ec.SECP256R1())
    leaf = _builder(_name("server"), name, own, days).add_extension(
        x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))]), critical=False
    )
    certificate = leaf.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
    ).sign(key, hashes.SHA256())

    made = Authority(ca=folder / "ca.pem", server=folder / "server.pem")
    made.ca.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    private = own.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    made.server.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return made


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, days: float = 1
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=subject,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now - timedelta(days=1),
        not_valid_after=now + timedelta(days=days),
    )


@contextmanager
def tls_front(server: Path, port: int) -> Iterator[int]:
    """Speak TLS on a loopback port for the plain server on `port`, until the block ends.

    Who speaks no TLS is let through: a Sentinel watches a master on the port that it tells clients.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server)
    with socket.create_server((HOST, 0)) as listener:
        threading.Thread(target=_accept, args=(listener, context, port), daemon=True).start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            # What waits in accept() would go on for as long as the process.
            listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, context: ssl.SSLContext, port: int) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(client, context, port), daemon=True).start()


def _serve(client: socket.socket, context: ssl.SSLContext, port: int) -> None:
    with client, suppress(OSError):
        if client.recv(1, socket.MSG_PEEK) == _HANDSHAKE:
            client = context.wrap_socket(client, server_side=True)
        with client, socket.create_connection((HOST, port)) as server:
            back = threading.Thread(target=_pump, args=(server, client), daemon=True)
            back.start()
            _pump(client, server)
            back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    for each in (source, target):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
