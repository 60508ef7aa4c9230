"""Both transports over TLS, against Python's own TLS: the same figures, the same error classes."""

import json
import socket
import ssl
import subprocess
import threading

import pytest

import support

BIG = 3_000_000


def whole(talk):
    talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
    return True


def records(talk):
    """Each part is a TLS record of its own."""
    for part in (b"HTTP/1.1 200 OK\r\nTransfer-", b"Encoding: chunked\r\n\r\n", b"3\r\nabc\r", b"\n2\r\nde\r\n0\r\n", b"\r\n"):
        talk.send(part)
    return True


def big(talk):
    talk.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % BIG + b"x" * BIG)
    return True


def closes(talk):
    talk.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello")
    return False


def half(talk):
    talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
    return False


def nothing(talk):
    return False


def noise(talk):
    talk.send(b"SSH-2.0-OpenSSH_9.2\r\n")
    return False


class TlsPeer:
    """Answers every request as <answer> does; on its false, the connection ends (with close_notify when <polite>)."""

    def __init__(self, folder, answer, polite=True):
        openssl = support.need_program("openssl")
        key, certificate = folder / "key.pem", folder / "certificate.pem"
        subprocess.run(
            [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=127.0.0.1"],
            check=True, stderr=subprocess.DEVNULL)
        self.settings = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.settings.load_cert_chain(certificate, key)
        self.answer, self.polite = answer, polite
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self.listener.getsockname()[1]}/"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                raw, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(raw,), daemon=True).start()

    def talk(self, raw):
        try:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.settings.wrap_socket(raw, server_side=True) as talk:
                more = True
                while more:
                    request = b""
                    while not request.endswith(b"\r\n\r\n"):
                        piece = talk.recv(65536)
                        if not piece:
                            return
                        request += piece
                    more = self.answer(talk)
                if self.polite:
                    talk.unwrap()
        except OSError:
            pass  # the client went away; ssl.SSLError is an OSError, too

    def close(self):
        self.listener.close()


@pytest.fixture
def tls_peer(tmp_path):
    peers = []

    def start(answer, **more):
        peers.append(TlsPeer(tmp_path, answer, **more))
        return peers[-1]

    yield start
    for peer in peers:
        peer.close()


def figures(weir, peer, transport):
    """What one user saw: per request, so that the number of requests does not matter."""
    run = weir("load", "run", peer.url, "--insecure", "--http", transport, "--users", 1, "--duration", "400ms",
               "--timeout", "5s", "--no-store", "--json", "--quiet")
    assert run.stdout, run
    record = json.loads(run.stdout)
    total = record["requests"]["total"]
    other = "curl" if transport == "replay" else "replay"
    assert total > 0 and record["transport"] == {transport: total, other: 0}
    return {
        "errors": sorted(kind for kind, count in record["requests"]["errors"].items() if count),
        "failed": record["requests"]["failed"] == total,
        "received": record["bytes"]["received"] / total,
        "kept": record["connections"] == 1,
    }


@pytest.mark.parametrize("answer, errors", [
    (whole, []), (records, []), (big, []), (closes, []), (half, ["reset"]), (nothing, ["reset"]), (noise, ["protocol"]),
])
def test_curl_and_replay_agree(weir, tls_peer, answer, errors):
    peer = tls_peer(answer)
    curl, replay = figures(weir, peer, "curl"), figures(weir, peer, "replay")
    assert curl == replay
    assert replay["errors"] == errors and replay["failed"] == bool(errors)
    assert replay["kept"] == (answer in (whole, records, big))


@pytest.mark.parametrize("answer", [half, nothing])
def test_an_end_without_close_notify_is_a_reset(weir, tls_peer, answer):
    peer = tls_peer(answer, polite=False)
    for transport in ("curl", "replay"):
        assert figures(weir, peer, transport)["errors"] == ["reset"], transport
