"""The demo application as its users see it: five flows, and faults on demand."""

import signal
import socket
import threading
import time

import pytest
import support


def login(app, user="ann"):
    return app.post("/api/login", {"user": user, "password": "demo"}).json()["token"]


def in_background(call):
    """Starts call() in a thread; the list gets its answer, or the exception that came instead."""
    answers = []

    def run():
        try:
            answers.append(call())
        except OSError as gone:
            answers.append(gone)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, answers


# --- flows ---


def test_auth_flow(demo_app):
    app = demo_app()
    token = login(app)
    me = app.get("/api/me", headers={"Authorization": f"Bearer {token}"})
    assert (me.status, me.json()["user"]) == (200, "ann")
    assert app.get("/api/me").status == 401
    assert app.get("/api/me", headers={"Authorization": f"Bearer {token}x"}).status == 401
    wrong = app.post("/api/login", {"user": "ann", "password": "guess"})
    assert (wrong.status, "password" in wrong.json()["error"]) == (401, True)


def test_any_instance_takes_tokens_and_groups_of_another(demo_app):
    one, other = demo_app(seed=1), demo_app(seed=2)
    me = other.get("/api/me", headers={"Authorization": f"Bearer {login(one)}"})
    assert (me.status, me.json()["user"]) == (200, "ann")
    made = one.post("/api/groups", {"name": "Made on one"}).json()
    assert other.get(f"/api/groups/{made['id']}").status == 200


def test_groups_and_messages_flows(demo_app):
    app = demo_app()
    groups = app.get("/api/groups").json()["groups"]
    assert len(groups) == 10
    made = app.post("/api/groups", {"name": "Divers"})
    assert made.status == 201
    path = f"/api/groups/{made.json()['id']}"
    assert app.get(path).json()["name"] == "Divers"
    posted = app.post(path + "/messages", {"text": "hello"}, headers={"Authorization": f"Bearer {login(app)}"})
    assert (posted.status, posted.json()["author"]) == (201, "ann")
    newest = app.get(path + "/messages").json()["messages"][0]
    assert newest == {"id": posted.json()["id"], "author": "ann", "text": "hello"}
    assert app.get("/api/groups/999999").status == 404
    assert app.post("/api/groups/999999/messages", {"text": "x"}).status == 404


def test_dashboard_and_conversations_flows(demo_app):
    app = demo_app()
    before = app.get("/api/dashboard").json()
    conversation = app.get("/api/conversations").json()["conversations"][0]
    path = f"/api/conversations/{conversation['id']}"
    assert app.post(path + "/messages", {"text": "and you?"}).status == 201
    assert app.get(path).json()["messages"][0]["text"] == "and you?"
    assert app.get("/api/dashboard").json()["messages"] == before["messages"] + 1
    assert app.get("/api/conversations/11").status == 404


@pytest.mark.parametrize(
    "method, path, body, status",
    [
        ("POST", "/api/login", "not json", 400),
        ("POST", "/api/login", "[]", 400),
        ("POST", "/api/login", '{"user": "a b", "password": "demo"}', 400),
        ("POST", "/api/groups", '{"name": ""}', 400),
        pytest.param("POST", "/api/groups", "x" * 70000, 413, id="large body"),
        ("GET", "/api/nothing", None, 404),
        ("GET", "/api/groups/one", None, 404),
        ("GET", "/api/groups/", None, 404),
        ("DELETE", "/api/groups", None, 405),
    ],
)
def test_mistakes_are_answered_as_json(demo_app, method, path, body, status):
    answer = support.request(method, demo_app().url + path, body)
    assert answer.status == status
    assert answer.json()["error"]


def test_version_health_and_front_page(demo_app):
    app = demo_app(version_name="1.4.2", commit="77ab")
    version = app.get("/api/version")
    assert version.json() == {"version": "1.4.2", "commit": "77ab"}
    assert version.headers["X-Demo-Version"] == "1.4.2"
    assert app.get("/api/health").json() == {"status": "ok"}
    assert app.get("/api/health/deep").status == 200
    assert "weir demo application" in app.get("/").text
    assert support.request("HEAD", app.url + "/api/health").text == ""


# --- faults ---


def test_every_request_fails_but_shallow_health(demo_app):
    app = demo_app(error_rate="100%")
    assert app.get("/api/dashboard").status == 500
    assert app.get("/api/health/deep").status == 500
    assert app.get("/api/health").status == 200
    app.set(error_rate=0)
    assert app.get("/api/dashboard").status == 200


def test_a_share_of_requests_fails_the_same_ones_for_the_same_seed(demo_app):
    def outcome(app):
        return [app.get("/api/dashboard").status for _ in range(200)]

    one = outcome(demo_app(error_rate=0.25, seed=7))
    assert one == outcome(demo_app(error_rate="25%", seed=7))
    assert 25 <= one.count(500) <= 75


def test_no_answer_comes_before_its_service_time(demo_app):
    app = demo_app(latency="20ms", seed=1)
    began = time.monotonic()
    for _ in range(20):
        assert app.get("/api/dashboard").status == 200
    # A sum of twenty draws with mean 23 ms; half of it is 10 standard deviations away. There is no upper limit here.
    assert time.monotonic() - began > 0.2


def test_more_workers_let_waiting_requests_in(demo_app):
    app = demo_app(latency="10m", workers=1)
    calls = [in_background(lambda: app.get("/api/dashboard")) for _ in range(3)]
    support.wait_until("one in service and two waiting", lambda: _load(app) == (1, 2))
    app.set(workers=3)
    support.wait_until("three in service", lambda: _load(app) == (3, 0))
    assert app.stop() == 0
    for thread, answers in calls:
        thread.join()
        assert isinstance(answers[0], OSError) or answers[0].status == 503


def _load(app):
    settings = app.settings()
    return settings["in_service"], settings["waiting"]


def test_a_full_queue_is_said(demo_app):
    app = demo_app(latency="10m", workers=1, queue=1)
    for held in (1, 2):
        in_background(lambda: app.get("/api/dashboard"))
        support.wait_until(f"{held} held", lambda: sum(_load(app)) == held)
    full = app.get("/api/dashboard")
    assert (full.status, full.headers["Retry-After"]) == (503, "1")
    assert "queue is full" in full.json()["error"]
    assert app.get("/api/health").status == 200


def test_a_freeze_holds_answers_until_it_ends(demo_app):
    app = demo_app(freeze="1h")
    thread, answers = in_background(lambda: app.get("/api/health/deep"))
    support.wait_until("the request to be held", lambda: _load(app) == (1, 0))
    assert app.get("/api/health").status == 200
    assert not answers
    app.set(freeze="0")
    thread.join()
    assert answers[0].status == 200


def test_a_client_that_leaves_while_it_is_held_harms_nobody(demo_app):
    app = demo_app(latency="10m", workers=1)
    with socket.create_connection(("127.0.0.1", app.port)) as client:
        client.sendall(b"GET /api/dashboard HTTP/1.1\r\nHost: x\r\n\r\n")
        support.wait_until("the request to be held", lambda: _load(app) == (1, 0))
    app.set(latency="0", workers=2)
    assert app.get("/api/dashboard").status == 200


# --- control ---


def test_settings_are_shown_as_they_are_set(demo_app):
    app = demo_app(latency="1.5ms", workers=7)
    shown = app.settings()
    assert (shown["latency"], shown["workers"], shown["queue"]) == ("1500000ns", 7, 1024)
    shown = app.set(latency="80ms", latency_factor=2.5, error_rate="5%", workers=3)
    assert [shown[k] for k in ("latency", "latency_factor", "error_rate", "workers")] == ["80ms", 2.5, 0.05, 3]


def test_a_wrong_setting_changes_nothing_and_is_explained(demo_app):
    app = demo_app()
    answer = support.post(app.control_url + "/", '{"latency": "9ms", "error_rate": 2, "wokers": 1}')
    assert answer.status == 400
    assert "error_rate" in answer.json()["error"] and '"wokers"' in answer.json()["error"]
    assert app.settings()["latency"] == "0ms"
    assert support.post(app.control_url + "/", "{").status == 400
    assert support.get(app.control_url + "/elsewhere").status == 404


def test_settings_change_under_load(demo_app):
    """Also what gives the race detector something to look at."""
    app = demo_app(latency="100us", workers=8)
    callers = [in_background(lambda: [app.get("/api/dashboard").status for _ in range(40)]) for _ in range(6)]
    changes = 0
    while any(thread.is_alive() for thread, _ in callers):
        app.set(workers=changes % 8 + 1, latency=f"{changes % 3 * 100}us", freeze="0" if changes % 8 else "1ms")
        app.stats()
        changes += 1
    for _, answers in callers:
        assert answers == [[200] * 40]
    assert app.stats()["by_path"] == {"GET /api/dashboard": {"200": 240}}
    assert changes > 1


def test_stats_count_by_path_and_status(demo_app):
    app = demo_app()
    app.get("/api/me")
    app.get("/api/groups/1")
    app.get("/api/groups/2")
    app.get("/nowhere")
    stats = app.stats()
    assert stats["by_path"] == {
        "GET /api/me": {"401": 1},
        "GET /api/groups/*": {"200": 2},
        "elsewhere": {"404": 1},
    }
    assert (stats["requests"], stats["by_status"]) == (4, {"200": 2, "401": 1, "404": 1})
    app.reset_stats()
    assert app.stats() == {"requests": 0, "by_status": {}, "by_path": {}}


# --- start and end ---


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_at_once_also_with_requests_held(demo_app, number):
    app = demo_app(latency="10m")
    in_background(lambda: app.get("/api/dashboard"))
    support.wait_until("the request to be held", lambda: _load(app) == (1, 0))
    app.signal(number)
    assert app.wait() == 0


@pytest.mark.parametrize(
    "args, status, said",
    [
        (["--latencyy", "5ms"], 2, "did you mean --latency?"),
        (["--latency", "fast"], 2, "a duration such as"),
        (["--workers", "0"], 2, "--workers needs a number from 1"),
        (["--error-rate", "2"], 2, "--error-rate needs a share"),
        (["--listen", "70000"], 2, "0 to 65535"),
        (["stray"], 2, "'stray' is not an option"),
        (["--listen", "192.0.2.1:0"], 3, "listen on '192.0.2.1:0'"),
    ],
)
def test_wrong_command_lines(args, status, said):
    result = support.run_program("weir-demo-app", *args)
    assert (result.status, said in result.stderr) == (status, True), result


def test_help_names_every_option():
    result = support.run_program("weir-demo-app", "--help")
    assert result.status == 0
    for option in ("--listen", "--control", "--latency-factor", "--error-rate", "--freeze", "--port-file"):
        assert option in result.stdout


def test_a_port_that_is_taken_is_said(demo_app):
    app = demo_app()
    result = support.run_program("weir-demo-app", "--listen", app.address)
    assert (result.status, "in use" in result.stderr) == (3, True), result


def test_many_connections_stay_open(demo_app):
    app = demo_app()
    connections = [socket.create_connection(("127.0.0.1", app.port)) for _ in range(500)]
    try:
        for _ in range(2):
            for c in connections:
                c.sendall(b"GET /api/health HTTP/1.1\r\nHost: x\r\n\r\n")
            for c in connections:
                assert c.recv(4096).startswith(b"HTTP/1.1 200")
    finally:
        for c in connections:
            c.close()
    assert app.stats()["by_path"]["GET /api/health"] == {"200": 1000}
