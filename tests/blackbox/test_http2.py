"""HTTP/2 against a real nginx: over TLS and without, a connection for each user or one for all."""

import collections
import json
import os
import threading

import pytest
import support

CONFIG = """
worker_processes 1; daemon off; pid nginx.pid; error_log error.log;
events {{ worker_connections 256; }}
http {{
  log_format seen '$server_protocol $connection $request_method $request_length'; access_log seen.log seen;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fast; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  server {{ listen 127.0.0.1:{plain} http2; listen 127.0.0.1:{tls} ssl http2; listen 127.0.0.1:{old} ssl;
    ssl_certificate {certificate}; ssl_certificate_key {key};
    location / {{ default_type application/json; add_header X-Token abc; return 200 '{{"token": "t-1"}}'; }}
    location /missing {{ return 404; }} }} }}
"""
USERS, ROUNDS = 5, 20


@pytest.fixture
def nginx(start, tmp_path):
    """URLs by "tls" (HTTP/2), "plain" (HTTP/2) and "old" (HTTP/1.1 over TLS), the certificate, and what was seen."""

    class Nginx:
        def __init__(self):
            folder = tmp_path / "nginx"
            folder.mkdir()
            os.chmod(folder, 0o755)
            self.certificate, key = support.make_certificate(tmp_path, "nginx")
            ports = {name: support.free_port() for name in ("tls", "plain", "old")}
            (folder / "nginx.conf").write_text(CONFIG.format(**ports, certificate=self.certificate, key=key))
            self.program = start(support.need_program("nginx"), "-p", folder, "-c", folder / "nginx.conf", "-e",
                                 folder / "error.log", folder=folder)
            self.urls = {name: f"http{'' if name == 'plain' else 's'}://127.0.0.1:{port}" for name, port in ports.items()}
            self.log = folder / "seen.log"
            self.program.wait_accepts(ports["tls"])

        def seen(self):
            """Of each request: protocol, connection, method, length. nginx logs after it has answered."""
            return [line.split() for line in self.log.read_text().splitlines()]

    return Nginx()


def run(weir, tmp_path, nginx, server, steps=None, **defaults):
    scenario = tmp_path / "http2.json"
    scenario.write_text(json.dumps({
        "$schema": "weir.scenario.v1", "name": "http2", "target": nginx.urls[server],
        "defaults": {"http": "2", "tls": {"ca": str(nginx.certificate)}, **defaults},
        "flows": {"f": {"steps": steps or [{"get": "/", "check": [{"status": 200}]}]}},
        "load": [{"executor": "per-user-iterations", "users": USERS, "iterations": ROUNDS, "for": "20s"}]}))
    done = weir("load", "run", scenario, "--threads", 1, "--no-store", "--json", "--quiet")
    assert done.stdout, done
    return json.loads(done.stdout)


@pytest.mark.parametrize("connections", ["per-user", "shared"])
def test_each_user_has_a_connection_or_all_share_one(weir, tmp_path, nginx, connections):
    record = run(weir, tmp_path, nginx, "tls", connections=connections)
    assert (record["requests"]["total"], record["requests"]["failed"]) == (USERS * ROUNDS, 0)
    assert record["transport"] == {"replay": 0, "curl": USERS * ROUNDS}
    seen = support.wait_until("the log", lambda: len(nginx.seen()) >= USERS * ROUNDS and nginx.seen())
    by_connection = collections.Counter(connection for protocol, connection, *_ in seen if protocol == "HTTP/2.0")
    assert sum(by_connection.values()) == USERS * ROUNDS
    # Users of one worker may take over a connection that is idle; they never wait for one, so no more than there are users.
    assert len(by_connection) == record["connections"]
    if connections == "shared":
        assert len(by_connection) == 1
    else:
        assert 1 < len(by_connection) <= USERS


def test_without_tls(weir, tmp_path, nginx):
    """libcurl 7.88 needs a new connection for each request; any other keeps them."""
    record = run(weir, tmp_path, nginx, "plain")
    assert (record["requests"]["total"], record["requests"]["failed"]) == (USERS * ROUNDS, 0)
    seen = support.wait_until("the log", lambda: len(nginx.seen()) >= USERS * ROUNDS and nginx.seen())
    assert {protocol for protocol, *_ in seen} == {"HTTP/2.0"}


def test_bodies_extraction_and_checks(weir, tmp_path, nginx):
    steps = [{"name": "in", "post": "/", "json": {"user": "u${user.id}"}, "check": [{"status": 200}, {"header": "X-Token", "equals": "abc"}],
        "extract": {"token": {"json": "/token"}}},
             {"name": "gone", "get": "/missing", "headers": {"Authorization": "Bearer ${token}"}, "check": [{"status": 404}]}]
    record = run(weir, tmp_path, nginx, "tls", steps, connections="shared")
    assert (record["requests"]["total"], record["requests"]["failed"]) == (2 * USERS * ROUNDS, 0)
    assert [check["passed"] for check in record["checks"]] == [USERS * ROUNDS] * 3
    seen = support.wait_until("the log", lambda: len(nginx.seen()) >= 2 * USERS * ROUNDS and nginx.seen())
    assert collections.Counter(method for _, _, method, _ in seen) == {"POST": USERS * ROUNDS, "GET": USERS * ROUNDS}


def test_a_server_without_it_is_asked_by_http_1_1(weir, tmp_path, nginx):
    record = run(weir, tmp_path, nginx, "old")
    assert record["requests"]["failed"] == 0
    seen = support.wait_until("the log", lambda: len(nginx.seen()) >= USERS * ROUNDS and nginx.seen())
    assert {protocol for protocol, *_ in seen} == {"HTTP/1.1"}


def test_a_server_that_ends_in_the_middle(weir, tmp_path, nginx):
    """Streams that were open get an error class, and the run ends."""
    scenario = tmp_path / "endless.json"
    scenario.write_text(json.dumps({
        "$schema": "weir.scenario.v1", "name": "endless", "target": nginx.urls["tls"],
        "defaults": {"http": "2", "tls": {"insecure": True}, "connections": "shared", "timeout": "2s"},
        "flows": {"f": {"steps": [{"get": "/"}, {"pause": "1ms"}]}},
        "load": [{"executor": "constant-users", "users": USERS, "for": "1s"}]}))

    def end_soon():
        support.wait_until("some requests", lambda: nginx.log.exists() and nginx.log.stat().st_size > 1000)
        nginx.program.kill()

    ender = threading.Thread(target=end_soon)
    ender.start()
    done = weir("load", "run", scenario, "--threads", 1, "--no-store", "--json", "--quiet")
    ender.join()
    record = json.loads(done.stdout)
    record = {**record, **record.get("unverified", {})}
    assert 0 < record["requests"]["failed"] < record["requests"]["total"]
    assert sum(record["requests"]["errors"].values()) == record["requests"]["failed"]
    assert record["requests"]["errors"]["connect"] > 0
