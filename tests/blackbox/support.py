"""What black-box tests stand on: programs started and ended for sure, weir run as a user would, scripted peers.

program   a process of ours with a private folder; it tells its port through a file, and is killed with its test
peer      a TCP server in this process that answers as a script says: late, half, never
answer    what an HTTP request brought back

Nothing here sleeps "to be safe": wait_until() looks at a condition until a deadline that only a broken test meets.
"""

import ctypes
import http.client
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = (ROOT / os.environ.get("WEIR_BUILD", "build")).resolve()

# "address", "thread" or "": tests with many repetitions may do fewer under a sanitizer.
SANITIZER = os.environ.get("WEIR_SANITIZER", "")

# Only a broken program meets these; the sanitizers make everything several times slower.
DEADLINE_S = 120 if SANITIZER else 30

# What the sanitizers print; their exit statuses are set in ./dev.
FINDING = re.compile(r"ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer|runtime error:|broken promise")


def wait_until(what, condition, deadline_s=None):
    """Returns the first true value of condition(); fails, saying <what>, at the deadline."""
    deadline_s = deadline_s or DEADLINE_S
    end = time.monotonic() + deadline_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {deadline_s} s in vain for {what}")
        time.sleep(0.005)


def free_port():
    """A port that was free a moment ago: only for programs that cannot choose one themselves (HAProxy, nginx). Below the range
    from which the system gives ports to clients, or any connection of the load could take it meanwhile."""
    while True:
        port = random.randrange(15000, 30000)
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass  # somebody has it


def need_program(name):
    """The path of a program of the system, or the test is skipped. CI has all of them."""
    import pytest

    path = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if not path:
        pytest.skip(f"{name} is not installed (./dev test installs it)")
    return path


def make_certificate(folder, name, address="127.0.0.1"):
    """One that vouches for itself, and its key."""
    openssl = need_program("openssl")
    key, certificate = folder / f"{name}-key.pem", folder / f"{name}.pem"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key,
         "-out", certificate, "-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName=IP:{address}"],
        check=True, stderr=subprocess.DEVNULL)
    return certificate, key


# --- programs -------------------------------------------------------------------------------------------------------


def _die_with_parent():
    """In the child: when pytest is killed, so is this (PR_SET_PDEATHSIG)."""
    _LIBC.prctl(1, signal.SIGKILL)


_LIBC = ctypes.CDLL(None, use_errno=True)


class Program:
    """A running process. Its standard output and error go to files in <folder>, never to a pipe that may fill up."""

    def __init__(self, command, folder, name=None, env=None):
        self.name = name or pathlib.Path(str(command[0])).name
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.command = [str(part) for part in command]
        self._out = self.folder / "stdout"
        self._err = self.folder / "stderr"
        with open(self._out, "wb") as out, open(self._err, "wb") as err:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=self.folder,
                env={**os.environ, **(env or {})},
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )

    @property
    def pid(self):
        return self.process.pid

    @property
    def stdout(self):
        return self._out.read_text(errors="replace")

    @property
    def stderr(self):
        return self._err.read_text(errors="replace")

    def running(self):
        return self.process.poll() is None

    def wait_port_file(self, path):
        """The port in the file that the program writes once it listens."""

        def port():
            if not self.running():
                raise AssertionError(f"{self.name} ended with {self.process.returncode}:\n{self.stderr}")
            return path.exists() and int(path.read_text())

        return wait_until(f"{self.name} to write {path.name}", port)

    def wait_accepts(self, port):
        """For programs without a port file: until somebody listens."""

        def accepts():
            if not self.running():
                raise AssertionError(f"{self.name} ended with {self.process.returncode}:\n{self.stderr}")
            with socket.socket() as s:
                return s.connect_ex(("127.0.0.1", port)) == 0

        wait_until(f"{self.name} to listen on port {port}", accepts)

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, deadline_s=None):
        """Its exit status."""
        try:
            return self.process.wait(deadline_s or DEADLINE_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} does not end; its stderr:\n{self.stderr}") from None

    def kill(self):
        """At once, with all it started."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()

    def stop(self):
        """As an operator would: SIGTERM. Returns the exit status."""
        if self.running():
            self.signal(signal.SIGTERM)
        return self.wait()

    def finish(self):
        """The end of a test: nothing of it is left, and what a sanitizer found in it is an error."""
        try:
            if self.running():
                self.signal(signal.SIGTERM)
                self.process.wait(10)
        except subprocess.TimeoutExpired:
            pass
        finally:
            self.kill()
        if FINDING.search(self.stderr):
            raise AssertionError(f"{self.name} (exit status {self.process.returncode}):\n{self.stderr}")


class Result:
    """What a finished command left: status, stdout, stderr."""

    def __init__(self, command, status, stdout, stderr):
        self.command, self.status, self.stdout, self.stderr = command, status, stdout, stderr

    def json(self):
        return json.loads(self.stdout)

    def __repr__(self):
        return f"{' '.join(self.command)}\nstatus {self.status}\n--- stdout\n{self.stdout}--- stderr\n{self.stderr}"


def run_program(name, *args, cwd=None, stdin="", env=None, deadline_s=None):
    """Runs a program of the build folder to its end."""
    command = [str(BUILD / name), *[str(a) for a in args]]
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            input=stdin.encode(),
            capture_output=True,
            env={**os.environ, **(env or {})},
            timeout=deadline_s or DEADLINE_S * 4,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        raise AssertionError(f"{' '.join(command)} does not end; its stderr:\n{late.stderr}") from None
    result = Result(command, done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))
    assert not FINDING.search(result.stderr), result
    return result


# --- HTTP -----------------------------------------------------------------------------------------------------------


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.text = status, headers, body.decode(errors="replace")

    def json(self):
        return json.loads(self.text)

    def __repr__(self):
        return f"{self.status} {self.text[:500]}"


def request(method, url, body=None, headers=None, deadline_s=None):
    """One request on a connection of its own, without proxies. A body that is no text is sent as JSON."""
    parts = urllib.parse.urlsplit(url)
    if body is not None and not isinstance(body, (str, bytes)):
        body = json.dumps(body)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=deadline_s or DEADLINE_S)
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request(method, path, body, headers or {})
        reply = connection.getresponse()
        return Answer(reply.status, reply.headers, reply.read())
    finally:
        connection.close()


def get(url, **more):
    return request("GET", url, **more)


def post(url, body=None, **more):
    return request("POST", url, body, **more)


# --- the demo application -------------------------------------------------------------------------------------------


def as_options(options):
    """{"latency": "5ms", "error_rate": 0.1, "quiet": True} as a command line."""
    words = []
    for name, value in options.items():
        if value is True:
            words.append(f"--{name.replace('_', '-')}")
        elif value not in (None, False):
            words += [f"--{name.replace('_', '-')}", str(value)]
    return words


class DemoApp(Program):
    """weir-demo-app on ephemeral ports. Keywords are its options: DemoApp(folder, latency="5ms", workers=4)."""

    def __init__(self, folder, **options):
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        port_file, control_port_file = folder / "port", folder / "control-port"
        command = [BUILD / "weir-demo-app", "--listen", options.pop("listen", "127.0.0.1:0"), "--control", "127.0.0.1:0"]
        command += ["--port-file", port_file, "--control-port-file", control_port_file]
        super().__init__(command + as_options(options), folder)
        try:
            self.port = self.wait_port_file(port_file)
            self.control_port = self.wait_port_file(control_port_file)
        except BaseException:
            self.kill()
            raise
        self.address = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.address}"
        self.control_url = f"http://127.0.0.1:{self.control_port}"

    def get(self, path, **more):
        return get(self.url + path, **more)

    def post(self, path, body=None, **more):
        return post(self.url + path, body, **more)

    def set(self, **settings):
        """Changes latency, latency_factor, error_rate, workers, freeze."""
        answer = post(self.control_url + "/", settings)
        assert answer.status == 200, answer
        return answer.json()

    def settings(self):
        return get(self.control_url + "/").json()

    def stats(self):
        return get(self.control_url + "/stats").json()

    def reset_stats(self):
        post(self.control_url + "/reset-stats")


# --- scripted peers -------------------------------------------------------------------------------------------------

REPLY = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n" + b'{"ok":true}'


def reply(data=REPLY, delay_s=0, keep_open=True):
    """Answers every request with these bytes, each time after a delay."""

    def act(peer, connection):
        peer.pause(delay_s)
        connection.sendall(data)
        return keep_open

    return act


def half_reply(data=REPLY, share=0.5):
    """Sends only the first part of an answer, then closes."""
    return reply(data[: int(len(data) * share)], keep_open=False)


def slow_reply(data=REPLY, between_s=0.02):
    """One byte at a time."""

    def act(peer, connection):
        for byte in data:
            connection.sendall(bytes([byte]))
            peer.pause(between_s)
        return True

    return act


def never_answer():
    """Reads the request and says nothing, until the client goes or the peer stops."""

    def act(peer, connection):
        del connection
        peer.stopped.wait()
        return False

    return act


def reset():
    """Answers with a TCP reset."""

    def act(peer, connection):
        del peer
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False

    return act


def close():
    """Reads the request and closes without a word."""
    return lambda peer, connection: False


class Peer:
    """A TCP server with a thread per connection that does, for each request, what the script says.

    <script> is one action for all requests, or a list of them: one per request, the last for the rest.
    <on_accept>: "read" (default), or "close": close each connection as soon as it is accepted.
    freeze() holds all answers back until thaw(), or for some seconds.
    """

    def __init__(self, script=None, on_accept="read"):
        self.script = script if isinstance(script, list) else [script or reply()]
        self.on_accept = on_accept
        self.stopped = threading.Event()
        self.requests = []  # heads and bodies as they came
        self.connections = 0
        self._frozen_until = 0.0
        self._lock = threading.Lock()
        self._open = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.port = self._listener.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.address}"
        self._thread = threading.Thread(target=self._accept_all, daemon=True)
        self._thread.start()

    def freeze(self, seconds=float("inf")):
        self._frozen_until = time.monotonic() + seconds

    def thaw(self):
        self._frozen_until = 0.0

    def pause(self, seconds):
        """Waits, but ends with the peer."""
        if seconds > 0:
            self.stopped.wait(seconds)
        while not self.stopped.is_set() and time.monotonic() < self._frozen_until:
            self.stopped.wait(min(0.01, max(0.0, self._frozen_until - time.monotonic())))

    def stop(self):
        self.stopped.set()
        # close() alone does not wake a thread that waits in accept().
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()
        with self._lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        self._thread.join()

    def _accept_all(self):
        while not self.stopped.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            if self.on_accept == "close":
                connection.close()
                continue
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        received = b""
        try:
            while not self.stopped.is_set():
                length = _request_length(received)
                if length is None:
                    more = connection.recv(65536)
                    if not more:
                        return
                    received += more
                    continue
                if not self._act(connection, received[:length]):
                    return
                received = received[length:]
        except OSError:
            pass  # the client went away: its right
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    def _act(self, connection, text):
        with self._lock:
            number = len(self.requests)
            self.requests.append(text)
        self.pause(0)
        return self.script[min(number, len(self.script) - 1)](self, connection)


def _request_length(received):
    """Bytes of the first request in <received>, or None while it is not whole. Bodies have a Content-Length."""
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return None
    found = re.search(rb"\r\ncontent-length: *(\d+)", received[:end].lower())
    whole = end + 4 + (int(found.group(1)) if found else 0)
    return whole if len(received) >= whole else None
