"""The scenario language against real servers: data, blocks, cookies and redirects, try, schema, time scale."""

import json
import pathlib

import support

LIBRARY = pathlib.Path(__file__).resolve().parents[2] / "scenarios" / "library"


def write(weir, target, flows, name="scenario.json", **more):
    path = weir.folder / name
    load = [{"executor": "shared-iterations", "users": 2, "iterations": 6}]
    path.write_text(json.dumps({"name": "s", "target": target, "flows": flows, "load": load, **more}))
    return path


def figures(weir, *args):
    summary = weir.folder / "summary.json"
    run = weir("load", "run", *args, "--no-store", "--summary", summary)
    assert run.status in (0, 1, 4), run  # 4: the machine was too busy to measure, which is said
    return json.loads(summary.read_text())


def test_rows_are_used_once_and_the_run_ends_with_them(weir, demo_app):
    (weir.folder / "members.csv").write_text("user,password\nann,demo\nbob,demo\n\"cy\",demo\n")
    flows = {"a": {"steps": [
        {"name": "login", "post": "/api/login", "json": {"user": "${m.user}", "password": "${m.password}"},
         "extract": {"token": {"json": "$.token"}}, "check": [{"json": "/user", "equals": "${m.user}"}]},
        {"name": "me", "get": "/api/me", "headers": {"Authorization": "Bearer ${token}"}, "repeat": 2}]}}
    path = write(weir, demo_app().url, flows, feeds={"m": {"file": "members.csv", "pick": "unique"}})
    run = figures(weir, path, "--threads", 2)
    assert [step["requests"] for step in run["flows"][0]["steps"]] == [3, 6]
    assert run["requests"]["failed"] == 0
    assert run["duration_s"] < 60  # of the ten minutes that it could take


def test_iterations_are_counted_not_timed(weir, demo_app):
    flows = {"a": {"steps": [{"get": "/api/version"}]}}
    app = demo_app()
    assert figures(weir, write(weir, app.url, flows), "--threads", 2)["requests"]["total"] == 6
    load = [{"executor": "per-user-iterations", "users": 3, "iterations": 4}]
    assert figures(weir, write(weir, app.url, flows, load=load), "--threads", 2)["requests"]["total"] == 12


def test_cookies_and_redirects_belong_to_one_step(weir, peer):
    server = peer([
        support.reply(
            b"HTTP/1.1 303 See Other\r\nLocation: /home\r\nSet-Cookie: sid=42; Path=/\r\nConnection: close\r\n"
            b"Content-Length: 0\r\n\r\n", keep_open=False),
        support.reply(b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{"ok":true}'),
    ])
    flows = {"a": {"steps": [{"name": "in", "post": "/login", "form": {"a": "b c"}, "redirects": 1,
                              "check": [{"json": "/ok", "equals": True}]}]}}
    load = [{"executor": "shared-iterations", "users": 1, "iterations": 1}]
    run = figures(weir, write(weir, server.url, flows, load=load))
    assert run["requests"]["total"] == 1 and run["requests"]["failed"] == 0, run
    assert run["redirects"] == 1 and run["retries"] == 0 and run["connections"] >= 1


def test_try_shows_everything_but_secrets(weir, demo_app):
    flows = {"a": {"steps": [
        {"name": "login", "post": "/api/login", "json": {"user": "ann", "password": "${password}"},
         "extract": {"token": {"json": "/token"}}},
        {"pause": "1h"},
        {"name": "lost", "get": "/nowhere", "headers": {"Authorization": "Bearer ${token}"}}]}}
    path = write(weir, demo_app().url, flows, vars={"password": "demo"})
    run = weir("scenario", "try", path)
    assert run.status == 1, run
    as_json = weir("scenario", "try", path, "--json")
    assert as_json.status == 1 and as_json.json()["passed"] is False and "POST " in as_json.json()["transcript"], as_json
    dumped = weir("scenario", "dump", path, "--json").json()
    assert dumped["program"] == weir("scenario", "dump", path).stdout and dumped["name"], dumped
    assert '{"user":"ann","password":"***"}' in run.stdout and "Authorization: ***" in run.stdout
    assert '"token":"***"' in run.stdout
    assert "= passed" in run.stdout and "= FAILED: status 200-399: got 404" in run.stdout
    assert weir("scenario", "try", path, "--flow", "b").status == 2


def test_the_schema_is_printed_and_is_the_one_that_is_kept(weir):
    run = weir("scenario", "schema")
    assert run.status == 0
    assert run.stdout == (LIBRARY.parent / "scenario.schema.json").read_text()


def test_the_library_runs_in_no_time(weir, demo_app):
    app = demo_app()
    for name, scale in (("spike", 0.01), ("capacity", 0.003), ("breakpoint", 0.001)):
        summary = weir.folder / f"{name}.json"
        run = weir("load", "run", LIBRARY / f"{name}.json", "--time-scale", scale, "--no-store", "--summary", summary,
                   env={"TARGET": app.url})
        assert run.status in (0, 1, 4), run
        assert json.loads(summary.read_text())["requests"]["failed"] == 0


def test_a_feed_that_cannot_be_read_is_said_before_anything_is_sent(weir):
    (weir.folder / "short.csv").write_text("user,password\nann\n")
    flows = {"a": {"steps": [{"get": "/${m.user}"}]}}
    run = weir("load", "run", write(weir, "http://127.0.0.1:1", flows, feeds={"m": {"file": "short.csv"}}))
    assert run.status == 2
    assert "short.csv:2: 1 fields where the first line names 2 columns" in run.stderr
