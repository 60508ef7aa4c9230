"""Through a real proxy, tinyproxy: plain HTTP as it is, https through a tunnel (CONNECT), by both transports."""

import json
import re

import pytest
import support

REQUESTS = 12


@pytest.fixture
def proxy(start, tmp_path):
    """proxy(PORT, ...): one that makes tunnels to these ports only; it has .url and .seen(): the request lines that it got."""

    def start_proxy(*tunnels):
        folder = tmp_path / "proxy"
        folder.mkdir()
        port = support.free_port()
        log = folder / "log"
        (folder / "conf").write_text(
            f'Port {port}\nListen 127.0.0.1\nTimeout 30\nLogLevel Connect\nLogFile "{log}"\nMaxClients 50\nAllow 127.0.0.1\n'
            + "".join(f"ConnectPort {tunnel}\n" for tunnel in tunnels))
        program = start(support.need_program("tinyproxy"), "-d", "-c", folder / "conf", folder=folder)
        program.wait_accepts(port)
        program.url = f"http://127.0.0.1:{port}"
        program.seen = lambda: re.findall(r"Request \(file descriptor \d+\): (\S+ \S+)", log.read_text())
        return program

    return start_proxy


@pytest.fixture
def secure(nginx, tmp_path):
    certificate, key = support.make_certificate(tmp_path, "behind")
    server = nginx("log_format seen '$request'; server {{ listen 127.0.0.1:{tls} ssl; ssl_certificate {certificate}; "
                   "ssl_certificate_key {key}; location / {{ return 200 'hello'; }} }}", "tls", certificate=certificate, key=key)
    server.certificate = certificate
    return server


def run(weir, tmp_path, target, proxy, transport, **defaults):
    scenario = tmp_path / "proxied.json"
    scenario.write_text(json.dumps({
        "$schema": "weir.scenario.v1", "name": "proxied", "target": target,
        "defaults": {"proxy": proxy, "timeout": "5s", **defaults},
        "flows": {"f": {"steps": [{"get": "/api/version?n=${iteration}", "check": [{"status": 200}]}]}},
        "load": [{"executor": "per-user-iterations", "users": 3, "iterations": REQUESTS // 3, "for": "20s"}]}))
    return weir("load", "run", scenario, "--http", transport, "--no-store", "--json", "--quiet")


def test_plain_http_is_asked_of_the_proxy(weir, tmp_path, demo_app, proxy):
    app, between = demo_app(), proxy()
    done = run(weir, tmp_path, app.url, between.url, "auto")
    record = done.json()
    assert (record["requests"]["total"], record["requests"]["failed"]) == (REQUESTS, 0)
    assert record["transport"] == {"replay": 0, "curl": REQUESTS}
    assert sum(line.startswith(f"GET {app.url}/api/version?n=") for line in between.seen()) == REQUESTS


@pytest.mark.parametrize("transport", ["curl", "replay", "auto"])
def test_https_goes_through_a_tunnel(weir, tmp_path, secure, proxy, transport):
    between = proxy(secure.ports["tls"])
    done = run(weir, tmp_path, f"https://127.0.0.1:{secure.ports['tls']}", between.url, transport,
               tls={"ca": str(secure.certificate)})
    record = done.json()
    assert (record["requests"]["total"], record["requests"]["failed"]) == (REQUESTS, 0)
    by_curl = REQUESTS if transport == "curl" else 0
    assert record["transport"] == {"replay": REQUESTS - by_curl, "curl": by_curl}
    support.wait_until("the log", lambda: len(secure.seen()) >= REQUESTS)
    assert {line.split("?")[0] for line in secure.seen()} == {"GET /api/version"}
    tunnels = [line for line in between.seen() if line.startswith("CONNECT")]
    # One for the look at the target before the run, and one per connection.
    assert len(tunnels) == len(between.seen()) == 1 + record["connections"]


def test_no_variable_of_the_environment_leads_around_the_proxy(weir, tmp_path, demo_app, proxy, monkeypatch):
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "*")
    app, between = demo_app(), proxy()
    done = run(weir, tmp_path, app.url, between.url, "auto")
    assert done.json()["requests"]["failed"] == 0
    assert sum(line.startswith(f"GET {app.url}/api/version?n=") for line in between.seen()) == REQUESTS


@pytest.mark.parametrize("transport", ["curl", "replay"])
def test_a_proxy_that_refuses_is_told_before_the_run(weir, tmp_path, secure, proxy, transport):
    between = proxy(1)
    done = run(weir, tmp_path, f"https://127.0.0.1:{secure.ports['tls']}", between.url, transport, tls={"insecure": True})
    assert done.status == 3 and "403" in done.stderr and not done.stdout, done
    assert secure.seen() == []


def test_a_proxy_that_is_not_there_is_told_before_the_run(weir, tmp_path, demo_app):
    app = demo_app()
    done = run(weir, tmp_path, app.url, "http://127.0.0.1:1", "auto")
    assert done.status == 3 and "127.0.0.1" in done.stderr, done
    assert app.stats()["requests"] == 0


def test_replay_alone_is_refused_for_plain_http(weir, tmp_path, demo_app):
    done = run(weir, tmp_path, demo_app().url, "http://127.0.0.1:1", "auto", http="replay")
    assert done.status == 2 and "proxies only for https" in done.stderr, done
