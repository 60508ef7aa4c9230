"""Fixtures of all black-box tests. What a test starts is ended with it, also when it fails."""

import pathlib
import signal
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import support  # noqa: E402  (the path comes first)


def pytest_report_header():
    return f"weir: build folder {support.BUILD}" + (f", sanitizer {support.SANITIZER}" if support.SANITIZER else "")


def pytest_sessionstart():
    # nohup, and a shell's background, have these ignored, which programs inherit; a handler is gone when they are executed.
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, lambda *ignored: None)
    if not (support.BUILD / "weir-demo-app").exists():
        pytest.exit(f"there is no program in {support.BUILD}: ./dev build first, or set WEIR_BUILD", returncode=3)


@pytest.fixture(autouse=True)
def private_home(tmp_path, monkeypatch):
    """No test sees, or leaves, anything in the user's own folders."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(home / "run"))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    return home


@pytest.fixture
def started(tmp_path):
    """Programs of this test, ended last first. What a sanitizer found in any of them fails the test."""
    programs = []
    yield programs
    problems = []
    for program in reversed(programs):
        try:
            program.finish()
        except AssertionError as problem:
            problems.append(str(problem))
    assert not problems, "\n".join(problems)


@pytest.fixture
def start(started, tmp_path):
    """start("weir", "serve", ..., env={}) or start("/usr/sbin/haproxy", ...): a support.Program in its own folder."""

    def start_program(name, *args, env=None, folder=None):
        path = support.BUILD / name if "/" not in str(name) else name
        folder = folder or tmp_path / f"program-{len(started) + 1}"
        started.append(support.Program([path, *args], folder, env=env))
        return started[-1]

    return start_program


@pytest.fixture
def demo_app(started, tmp_path):
    """demo_app(latency="5ms", workers=4, version_name="1.4.2"): a support.DemoApp, ready to serve."""

    def start_demo_app(**options):
        started.append(support.DemoApp(tmp_path / f"demo-app-{len(started) + 1}", **options))
        return started[-1]

    return start_demo_app


@pytest.fixture
def nginx(start, tmp_path):
    """nginx(SERVERS, "plain", "tls", key=...): a real one with the http block <SERVERS>, which holds {names} of ports and more.

    It has .ports by name, .program, and .seen(): the lines of its log, whose format "seen" <SERVERS> defines."""

    class Nginx:
        def __init__(self, servers, *names, **more):
            folder = tmp_path / "nginx"
            folder.mkdir()
            folder.chmod(0o755)
            self.ports = {name: support.free_port() for name in names}
            temporary = " ".join(f"{kind}_temp_path {kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
            (folder / "nginx.conf").write_text(
                "worker_processes 1; daemon off; pid nginx.pid; error_log error.log; events { worker_connections 1024; }\n"
                f"http {{ {temporary} keepalive_requests 1000000;\n{servers.format(**self.ports, **more)}\n"
                "access_log seen.log seen; }\n")
            self.program = start(support.need_program("nginx"), "-p", folder, "-c", folder / "nginx.conf", "-e",
                                 folder / "error.log", folder=folder)
            self.program.wait_accepts(self.ports[names[0]])
            self.log = folder / "seen.log"

        def seen(self):
            return self.log.read_text().splitlines() if self.log.exists() else []

    return Nginx


@pytest.fixture
def peer():
    """peer(support.never_answer()), peer([support.reply(), support.reset()]): a support.Peer."""
    peers = []

    def start_peer(script=None, **more):
        peers.append(support.Peer(script, **more))
        return peers[-1]

    yield start_peer
    for one in peers:
        one.stop()


@pytest.fixture
def weir(tmp_path):
    """weir("load", "run", "x.json", stdin="", env={}): runs it in a private folder; gives status, stdout, stderr."""
    folder = tmp_path / "work"
    folder.mkdir()

    def run(*args, cwd=folder, **more):
        return support.run_program("weir", *args, cwd=cwd, **more)

    run.folder = folder
    return run
