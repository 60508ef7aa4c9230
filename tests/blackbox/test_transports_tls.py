"""Both transports over TLS, against Python's own TLS: the same figures, the same error classes."""

import hashlib
import json
import re
import socket
import ssl
import threading

import pytest

import support

BIG = 3_000_000


def is_whole(request):
    head, end, body = request.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: *(\d+)", head.lower())
    return bool(end) and len(body) >= (int(length.group(1)) if length else 0)


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


def until_end(talk):
    talk.send(b"HTTP/1.1 200 OK\r\n\r\nhello")
    return False


def half(talk):
    talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
    return False


def nothing(talk):
    return False


def noise(talk):
    talk.send(b"SSH-2.0-OpenSSH_9.2\r\n")
    return False


def stale(talk):
    """A second answer, to nothing, in a record of its own that comes with the first one's packet."""
    talk.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
    whole(talk)
    talk.send(b"HTTP/1.1 500 Stale\r\nContent-Length: 0\r\n\r\n")
    talk.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)
    return True


def later(answer):
    """The first two requests of a connection are answered well: replay uses libcurl for the first, and OpenSSL from then on."""

    def act(talk):
        talk.answered = getattr(talk, "answered", 0) + 1
        return whole(talk) if talk.answered <= 2 else answer(talk)

    return act


class TlsPeer:
    """Answers every request as <answer> does; on its false, the connection ends (with close_notify when <polite>).

    <clients>: the certificate that a client must show. <later>: certificate and key of all connections but the first.
    <slow>: does not look at a request for so many seconds."""

    def __init__(self, folder, answer, polite=True, clients=None, later=None, slow=0):
        self.certificate, key = support.make_certificate(folder, "peer")
        self.settings = self.settings_of(self.certificate, key, clients)
        self.later = self.settings_of(*later, clients) if later else self.settings
        self.answer, self.polite = answer, polite
        self.slow, self.never = slow, threading.Event()
        self.requests, self.bodies = 0, set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self.listener.getsockname()[1]}/"
        self.accepter = threading.Thread(target=self.accept, daemon=True)
        self.accepter.start()

    @staticmethod
    def settings_of(certificate, key, clients):
        settings = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        settings.load_cert_chain(certificate, key)
        if clients:
            settings.verify_mode = ssl.CERT_REQUIRED
            settings.load_verify_locations(clients)
        return settings

    def accept(self):
        settings = self.settings
        while True:
            try:
                raw, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(raw, settings), daemon=True).start()
            settings = self.later

    def talk(self, raw, settings):
        try:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with settings.wrap_socket(raw, server_side=True) as talk:
                more = True
                while more:
                    request = b""
                    self.never.wait(self.slow)
                    while not is_whole(request):
                        piece = talk.recv(65536)
                        if not piece:
                            return
                        request += piece
                    self.requests += 1
                    self.bodies.add(hashlib.sha256(request.partition(b"\r\n\r\n")[2]).hexdigest())
                    more = self.answer(talk)
                if self.polite:
                    talk.unwrap()
        except OSError:
            pass  # the client went away; ssl.SSLError is an OSError, too

    def close(self):
        """Not before nobody accepts any more: the number of the descriptor may be the next listener's."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.accepter.join()
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
    set_up = {**record, **record.get("unverified", {})}["set_up"]
    assert set_up["dns_us"]["count"] == 0, set_up  # the URL has an address
    assert set_up["connect_us"]["count"] == set_up["tls_us"]["count"], set_up
    assert abs(set_up["tls_us"]["count"] - record["connections"]) <= 1, set_up  # the last one may have been cut
    assert 0 < set_up["connect_us"]["p50"] < 1e6 and 0 < set_up["tls_us"]["p50"] < 5e6, set_up
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


@pytest.mark.parametrize("answer, errors, kept", [
    (records, [], True), (big, [], True), (closes, [], False), (until_end, [], False), (nothing, [], False), (half, ["reset"], False),
    (noise, ["protocol"], False),
])
@pytest.mark.parametrize("polite", [True, False])
def test_a_kept_connection_is_no_different(weir, tls_peer, answer, errors, kept, polite):
    """A connection that ends before the answer began is opened anew and the request sent again."""
    peer = tls_peer(later(answer), polite=polite)
    curl, replay = figures(weir, peer, "curl"), figures(weir, peer, "replay")
    assert replay["errors"] == curl["errors"] == errors
    assert replay["kept"] == curl["kept"] == kept


def test_what_comes_behind_an_answer_belongs_to_no_other(weir, tls_peer):
    """libcurl would take it for the next one: replay alone."""
    assert figures(weir, tls_peer(later(stale)), "replay") | {"received": 0} == {
        "errors": [], "failed": False, "received": 0, "kept": False}


@pytest.mark.parametrize("transport", ["curl", "replay"])
def test_large_bodies_arrive_whole(weir, tls_peer, transport):
    """Larger than the socket takes at once: the rest leaves when there is room."""
    peer = tls_peer(whole, slow=0.02)
    peer.listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)  # small segments: the sender has little room
    body = weir.folder / "body"
    body.write_bytes(bytes(range(1, 128)) * 8_000)
    run = weir("load", "run", peer.url, "--insecure", "--http", transport, "--users", 2, "--duration", "1s", "--body", f"@{body}",
               "--no-store", "--json", "--quiet")
    record = json.loads(run.stdout)
    record = {**record, **record.get("unverified", {})}
    assert record["requests"]["failed"] == 0 and record["requests"]["total"] > 4 and record["connections"] == 2, record["requests"]
    assert peer.bodies == {hashlib.sha256(body.read_bytes()).hexdigest()}


@pytest.mark.parametrize("answer", [half, nothing])
def test_an_end_without_close_notify_is_a_reset(weir, tls_peer, answer):
    peer = tls_peer(answer, polite=False)
    for transport in ("curl", "replay"):
        assert figures(weir, peer, transport)["errors"] == ["reset"], transport


def run_verified(weir, folder, url, transport, tls):
    """Three requests over connections that are verified as <tls> says."""
    scenario = folder / "verified.json"
    scenario.write_text(json.dumps({
        "$schema": "weir.scenario.v1", "name": "verified", "target": url, "defaults": {"timeout": "5s", "tls": tls},
        "flows": {"f": {"steps": [{"get": "/"}]}},
        "load": [{"executor": "per-user-iterations", "users": 3, "iterations": 1, "for": "10s"}]}))
    return weir("load", "run", scenario, "--http", transport, "--no-store", "--json", "--quiet")


def errors_of(run):
    """How many of the three requests failed of what; a surprise is printed."""
    assert run.stdout, run
    record = json.loads(run.stdout)
    requests = record["requests"]
    assert requests["total"] == 3
    print(record["samples"])
    return {kind: count for kind, count in requests["errors"].items() if count}


@pytest.mark.parametrize("transport", ["curl", "replay"])
def test_whoever_is_trusted_is_talked_to(weir, tls_peer, tmp_path, transport):
    peer = tls_peer(whole)
    own, _ = support.make_certificate(tmp_path, "own")
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(own.read_bytes() + peer.certificate.read_bytes())
    for tls in ({"ca": str(peer.certificate)}, {"ca": str(bundle)}, {"insecure": True}):
        assert errors_of(run_verified(weir, tmp_path, peer.url, transport, tls)) == {}, tls


@pytest.mark.parametrize("transport", ["curl", "replay"])
def test_whoever_is_not_trusted_is_not(weir, tls_peer, tmp_path, transport):
    """Before the load: a look at the target finds it out, and nothing is sent."""
    peer = tls_peer(whole)
    own, _ = support.make_certificate(tmp_path, "own")
    garbage = tmp_path / "garbage.pem"
    garbage.write_text("this is no certificate")
    for tls in ({}, {"ca": str(own)}, {"ca": str(garbage)}):
        run = run_verified(weir, tmp_path, peer.url, transport, tls)
        assert run.status == 3 and run.stdout == "" and "certificate" in run.stderr, (tls, run)
    assert peer.requests == 0


@pytest.mark.parametrize("transport", ["curl", "replay"])
def test_a_certificate_that_changes_is_looked_at_again(weir, tls_peer, tmp_path, transport):
    """The look at the target finds a trusted one, the users do not: each of their connections is verified."""
    other, key = support.make_certificate(tmp_path, "other")
    wrong, wrong_key = support.make_certificate(tmp_path, "wrong", "127.0.0.9")
    for certificate, its_key in ((other, key), (wrong, wrong_key)):
        peer = tls_peer(whole, later=(certificate, its_key))
        bundle = tmp_path / "trusted.pem"
        bundle.write_bytes(peer.certificate.read_bytes() + (wrong.read_bytes() if certificate is wrong else b""))
        assert errors_of(run_verified(weir, tmp_path, peer.url, transport, {"ca": str(bundle)})) == {"tls": 3}


@pytest.mark.parametrize("transport", ["curl", "replay"])
def test_a_client_shows_its_certificate(weir, tls_peer, tmp_path, transport):
    certificate, key = support.make_certificate(tmp_path, "client")
    peer = tls_peer(whole, clients=certificate)
    shown = {"ca": str(peer.certificate), "cert": str(certificate), "key": str(key)}
    assert errors_of(run_verified(weir, tmp_path, peer.url, transport, shown)) == {}
    assert set(errors_of(run_verified(weir, tmp_path, peer.url, transport, {"ca": str(peer.certificate)}))) <= {"tls", "reset"}
