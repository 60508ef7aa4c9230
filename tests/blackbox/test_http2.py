"""HTTP/2 against a real nginx: over TLS and without, a connection for each user or one for all."""

import collections
import json
import threading

import pytest
import support

SERVERS = """
  log_format seen '$server_protocol $connection $request_method';
  server {{ listen 127.0.0.1:{plain} http2; listen 127.0.0.1:{tls} ssl http2; listen 127.0.0.1:{old} ssl;
    ssl_certificate {certificate}; ssl_certificate_key {key};
    location / {{ default_type application/json; add_header X-Token abc; return 200 '{{"token": "t-1"}}'; }}
    location /missing {{ return 404; }}
    location /silent {{ proxy_pass http://127.0.0.1:{silent}; }} }}
"""
USERS, ROUNDS = 5, 20


@pytest.fixture
def server(nginx, peer, tmp_path):
    """An nginx with ports "tls" (HTTP/2), "plain" (HTTP/2) and "old" (HTTP/1.1 over TLS)."""
    certificate, key = support.make_certificate(tmp_path, "nginx")
    started = nginx(SERVERS, "tls", "plain", "old", certificate=certificate, key=key, silent=peer(support.never_answer()).port)
    started.certificate = certificate
    return started


def seen(server, requests):
    """Protocol, connection and method of each request; nginx logs after it has answered."""
    lines = support.wait_until("the log", lambda: len(server.seen()) >= requests and server.seen())
    return [line.split() for line in lines]


def url_of(server, port):
    return f"http{'' if port == 'plain' else 's'}://127.0.0.1:{server.ports[port]}"


def run(weir, tmp_path, server, port, steps=None, **defaults):
    scenario = tmp_path / "http2.json"
    scenario.write_text(json.dumps({
        "$schema": "weir.scenario.v1", "name": "http2", "target": url_of(server, port),
        "defaults": {"http": "2", "tls": {"ca": str(server.certificate)}, **defaults},
        "flows": {"f": {"steps": steps or [{"get": "/", "check": [{"status": 200}]}]}},
        "load": [{"executor": "per-user-iterations", "users": USERS, "iterations": ROUNDS, "for": "20s"}]}))
    done = weir("load", "run", scenario, "--threads", 1, "--no-store", "--json", "--quiet")
    assert done.stdout, done
    return json.loads(done.stdout)


@pytest.mark.parametrize("connections", ["per-user", "shared"])
def test_each_user_has_a_connection_or_all_share_one(weir, tmp_path, server, connections):
    record = run(weir, tmp_path, server, "tls", connections=connections)
    assert (record["requests"]["total"], record["requests"]["failed"]) == (USERS * ROUNDS, 0)
    assert record["transport"] == {"replay": 0, "curl": USERS * ROUNDS}
    by_connection = collections.Counter(
        connection for protocol, connection, _ in seen(server, USERS * ROUNDS) if protocol == "HTTP/2.0")
    assert sum(by_connection.values()) == USERS * ROUNDS
    # Users of one worker may take over a connection that is idle; they never wait for one, so no more than there are users.
    assert len(by_connection) == record["connections"]
    if connections == "shared":
        assert len(by_connection) == 1
    else:
        assert 1 < len(by_connection) <= USERS


@pytest.mark.parametrize("connections", ["per-user", "shared"])
def test_a_stream_that_times_out_does_not_take_the_others_with_it(weir, tmp_path, server, connections):
    """Users are at different steps, so that answers are under way in other streams whenever one is given up."""
    steps = [{"get": "/"}, {"pause": "0s..10ms"}, {"get": "/silent", "timeout": "30ms"}]
    record = run(weir, tmp_path, server, "tls", steps=steps, connections=connections)
    assert record["requests"]["total"] == USERS * ROUNDS * 2, record["requests"]
    assert record["requests"]["errors"]["timeout"] == record["requests"]["failed"] == USERS * ROUNDS, record["requests"]
    if connections == "shared":
        assert record["connections"] == 1, "only the stream is reset"


def test_without_tls(weir, tmp_path, server):
    """libcurl 7.88 needs a new connection for each request; any other keeps them."""
    record = run(weir, tmp_path, server, "plain")
    assert (record["requests"]["total"], record["requests"]["failed"]) == (USERS * ROUNDS, 0)
    assert {protocol for protocol, *_ in seen(server, USERS * ROUNDS)} == {"HTTP/2.0"}


def test_bodies_extraction_and_checks(weir, tmp_path, server):
    steps = [{"name": "in", "post": "/", "json": {"user": "u${user.id}"},
              "check": [{"status": 200}, {"header": "X-Token", "equals": "abc"}], "extract": {"token": {"json": "/token"}}},
             {"name": "gone", "get": "/missing", "headers": {"Authorization": "Bearer ${token}"}, "check": [{"status": 404}]}]
    record = run(weir, tmp_path, server, "tls", steps, connections="shared")
    assert (record["requests"]["total"], record["requests"]["failed"]) == (2 * USERS * ROUNDS, 0)
    assert [check["passed"] for check in record["checks"]] == [USERS * ROUNDS] * 3
    assert collections.Counter(method for *_, method in seen(server, 2 * USERS * ROUNDS)) == {"POST": USERS * ROUNDS, "GET": USERS * ROUNDS}


def test_a_server_without_it_is_asked_by_http_1_1(weir, tmp_path, server):
    record = run(weir, tmp_path, server, "old")
    assert record["requests"]["failed"] == 0
    assert {protocol for protocol, *_ in seen(server, USERS * ROUNDS)} == {"HTTP/1.1"}


def test_a_server_that_ends_in_the_middle(weir, tmp_path, server):
    """Streams that were open get an error class, and the run ends."""
    scenario = tmp_path / "endless.json"
    scenario.write_text(json.dumps({
        "$schema": "weir.scenario.v1", "name": "endless", "target": url_of(server, "tls"),
        "defaults": {"http": "2", "tls": {"insecure": True}, "connections": "shared", "timeout": "2s"},
        "flows": {"f": {"steps": [{"get": "/"}, {"pause": "1ms"}]}},
        "load": [{"executor": "constant-users", "users": USERS, "for": "1s"}]}))

    def end_soon():
        support.wait_until("some requests", lambda: len(server.seen()) > 50)
        server.program.kill()

    ender = threading.Thread(target=end_soon)
    ender.start()
    done = weir("load", "run", scenario, "--threads", 1, "--no-store", "--json", "--quiet")
    ender.join()
    record = json.loads(done.stdout)
    record = {**record, **record.get("unverified", {})}
    assert 0 < record["requests"]["failed"] < record["requests"]["total"]
    assert sum(record["requests"]["errors"].values()) == record["requests"]["failed"]
    assert record["requests"]["errors"]["connect"] > 0
