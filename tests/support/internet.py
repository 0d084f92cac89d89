"""A small internet on loopback: a certificate authority, a web server with TLS, and a name server. Real sockets, no fakes."""

import asyncio
import contextlib
import datetime as dt
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import dns.asyncresolver
import dns.flags
import dns.message
import dns.rcode
import dns.rrset
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sms.catalogue.domains.site import Wire

NOW = dt.datetime.now(dt.UTC)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, text)])


@dataclass
class Authority:
    """Issues certificates; `trust` is a client that believes in it."""

    folder: Path
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def __post_init__(self) -> None:
        self.root = self._sign("Test Authority", "Test Authority", self.key, days=3650, ca=True)
        (self.folder / "root.pem").write_bytes(self.root.public_bytes(serialization.Encoding.PEM))

    @property
    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.folder / "root.pem"))

    def server(self, name: str, *, days: float = 90) -> ssl.SSLContext:
        """A server's context with a certificate for `name` that ends in so many days."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = self._sign(name, "Test Authority", key, days=days, san=name)
        path = self.folder / f"{name}-{days}.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def _sign(
        self,
        subject: str,
        issuer: str,
        key: ec.EllipticCurvePrivateKey,
        *,
        days: float,
        san: str = "",
        ca: bool = False,
    ) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(subject))
            .issuer_name(_name(issuer))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - dt.timedelta(days=400))
            .not_valid_after(NOW + dt.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
            )
        )
        if ca:
            usage = dict.fromkeys(
                ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"), False
            ) | dict.fromkeys(("key_agreement", "encipher_only", "decipher_only"), False)
            builder = builder.add_extension(
                x509.KeyUsage(**usage, key_cert_sign=True, crl_sign=True), critical=True
            )
        if san:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(san)]), critical=False)
        return builder.sign(self.key, hashes.SHA256())


@contextlib.contextmanager
def listening(reply: bytes, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server that answers every connection with `reply` once a request is there; its port."""
    ready, port = threading.Event(), [0]
    loop = asyncio.new_event_loop()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await reader.read(4096)
            writer.write(reply)
            await writer.drain()
        writer.close()

    over = asyncio.Event()

    async def run() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
        port[0] = server.sockets[0].getsockname()[1]
        ready.set()
        await over.wait()
        server.close()
        await asyncio.sleep(0.01)  # what it was still closing

    def work() -> None:
        loop.set_exception_handler(lambda *_: None)  # a client that breaks the handshake off is what we test
        try:
            loop.run_until_complete(run())
        finally:
            loop.close()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert ready.wait(60)
    try:
        yield port[0]
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(60)


def opener(https: int, http: int = 1):
    """How `visit` connects here: the usual ports are these."""

    async def opened(address: str, port: int, context: ssl.SSLContext | None, host: str) -> Wire:
        return await asyncio.open_connection(
            "127.0.0.1",
            https if port == 443 else http,
            ssl=context,
            server_hostname=host if context else None,
        )

    return opened


@contextlib.contextmanager
def name_server(records: dict[tuple[str, str], list[str] | str]) -> Iterator[dns.asyncresolver.Resolver]:
    """A resolver that asks a name server with these records: (name, kind) → values, or SERVFAIL; what is not there is NXDOMAIN."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    sock.settimeout(0.2)
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            try:
                raw, sender = sock.recvfrom(4096)
            except OSError:
                continue
            question = dns.message.from_wire(raw)
            asked = question.question[0]
            name, kind = str(asked.name).rstrip(".").lower(), dns.rdatatype.to_text(asked.rdtype)
            reply = dns.message.make_response(question)
            reply.flags |= dns.flags.RA
            found = records.get((name, kind), [])
            if found == "SERVFAIL":
                reply.set_rcode(dns.rcode.SERVFAIL)
            elif found:
                reply.answer.append(dns.rrset.from_text_list(asked.name, 60, "IN", kind, found))
            elif not any(known == name for known, _ in records):
                reply.set_rcode(dns.rcode.NXDOMAIN)
            sock.sendto(reply.to_wire(), sender)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], sock.getsockname()[1]
    try:
        yield resolver
    finally:
        over.set()
        thread.join(60)
        sock.close()
