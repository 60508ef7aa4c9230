"""weir scenario import: what it makes of a recording, of commands and of a document runs against the demo application."""

import json

import pytest

import support


def recorded(app, folder):
    """A HAR of a session with the demo application, as a browser would save it; made by asking it."""
    entries = []

    def ask(second, method, path, body=None, token=None):
        headers = {"Accept": "application/json", "Cookie": "theme=dark", "Accept-Encoding": "gzip"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if body is not None:
            headers["Content-Type"] = "application/json"
        answer = support.request(method, app.url + path, body, headers)
        request = {"method": method, "url": app.url + path}
        request["headers"] = [{"name": name, "value": value} for name, value in headers.items()]
        if body is not None:
            request["postData"] = {"mimeType": "application/json", "text": json.dumps(body)}
        content = {"mimeType": "application/json", "text": answer.text}
        entries.append(
            {
                "startedDateTime": f"2024-03-01T10:00:0{second}.000Z",
                "time": 900,
                "request": request,
                "response": {"status": answer.status, "content": content},
            }
        )
        return json.loads(answer.text)

    token = ask(0, "POST", "/api/login", {"user": "user1", "password": "demo"})["token"]
    ask(1, "GET", "/api/me", token=token)
    group = ask(2, "GET", "/api/groups", token=token)["groups"][0]["id"]
    ask(3, "GET", f"/api/groups/{group}", token=token)
    ask(4, "POST", f"/api/groups/{group}/messages", {"text": "costs ${5}"}, token=token)
    path = folder / "session.har"
    path.write_text(json.dumps({"log": {"version": "1.2", "entries": entries}}))
    return path, token


def run_all(weir, app, scenario):
    """Runs it for a moment; every check has passed, and something was checked."""
    summary = weir.folder / "summary.json"
    text = json.loads(scenario.read_text())
    text["load"] = [{"executor": "constant-users", "users": 2, "for": "1500ms"}]
    scenario.write_text(json.dumps(text))
    assert weir("scenario", "check", scenario).status == 0
    run = weir("load", "run", scenario, "--summary", summary, env={"PASSWORD": "demo", "TARGET": app.url})
    assert run.status in (0, 4), run  # 4: the machine was too busy to measure, which is no failure here
    figures = json.loads(summary.read_text())
    assert figures["requests"]["failed"] == 0 and figures["requests"]["total"] > 0
    return figures


def test_a_recording_runs_with_a_token_of_its_own(weir, demo_app):
    app = demo_app(latency="1ms", workers=8, seed=1)
    path, token = recorded(app, weir.folder)
    scenario = weir.folder / "session.json"
    assert weir("scenario", "import", "har", path, "--output", scenario).status == 0
    text = scenario.read_text()
    assert token not in text and '"demo"' not in text and "theme=dark" not in text
    steps = [step for step in json.loads(text)["flows"]["page"]["steps"] if "pause" not in step]
    assert steps[0]["extract"] == {"token": {"json": "/token"}}
    assert steps[0]["json"]["password"] == "${env.PASSWORD:-}"
    assert all("Bearer ${token}" == step["headers"]["Authorization"] for step in steps[1:])
    # Another instance has never seen the recorded token; the run logs in by itself.
    other = demo_app(latency="1ms", workers=8, seed=2)
    figures = run_all(weir, other, scenario)
    assert len(figures["flows"][0]["steps"]) == 5
    assert all(check["failed"] == 0 and check["passed"] > 0 for check in figures["checks"])


def test_without_its_secret_the_recording_fails(weir, demo_app):
    app = demo_app(latency="1ms", workers=8, seed=1)
    path, _ = recorded(app, weir.folder)
    made = weir("scenario", "import", "har", path)
    scenario = weir.folder / "session.json"
    scenario.write_text(made.stdout.replace('"30s"', '"1s"'))
    assert weir("load", "run", scenario, env={"PASSWORD": "wrong"}).status in (1, 4)


def test_pasted_commands_run(weir, demo_app):
    app = demo_app(latency="1ms", workers=8)
    commands = f"""curl '{app.url}/api/login' -H 'Content-Type: application/json' \\
      --data-raw $'{{"user":"u\\x73er1","password":"demo"}}' --compressed ;
    curl '{app.url}/api/version'
    """
    made = weir("scenario", "import", "curl", "-", "--name", "pasted", stdin=commands)
    assert made.status == 0 and made.json()["name"] == "pasted", made
    scenario = weir.folder / "pasted.json"
    scenario.write_text(made.stdout)
    assert weir("scenario", "import", "curl", *commands.split(" ;\n")).json()["flows"] == made.json()["flows"]
    run_all(weir, app, scenario)


def test_a_scenario_may_come_through_a_pipe(weir, demo_app):
    app = demo_app()
    made = weir("scenario", "import", "curl", f"curl {app.url}/api/version")
    ran = weir("load", "run", "-", "--time-scale", 0.01, "--no-store", "--json", "--quiet", stdin=made.stdout)
    assert ran.status in (0, 4) and app.stats()["requests"] > 0, ran
    wrong = weir("load", "run", "-", stdin=made.stdout[:40])
    assert wrong.status == 2 and "/dev/stdin:" in wrong.stderr, wrong


def test_an_api_document_runs(weir, demo_app):
    app = demo_app(latency="1ms", workers=8)
    answers = {"responses": {"200": {"description": "good"}}}
    login = {"type": "object", "properties": {"user": {"type": "string"}, "password": {"type": "string"}}}
    document = weir.folder / "api.json"
    document.write_text(
        json.dumps(
            {
                "openapi": "3.0.3",
                "info": {"title": "demo", "version": "1"},
                "servers": [{"url": app.url}],
                "paths": {
                    "/api/login": {
                        "post": {
                            "tags": ["auth"],
                            "requestBody": {"content": {"application/json": {"schema": login}}},
                            **answers,
                        }
                    },
                    "/api/version": {"get": {"tags": ["operations"], **answers}},
                    "/api/health": {"get": {"tags": ["operations"], **answers}},
                },
            }
        )
    )
    scenario = weir.folder / "scenario.json"
    assert weir("scenario", "import", "openapi", document, "-o", scenario).status == 0
    figures = run_all(weir, app, scenario)
    assert [flow["name"] for flow in figures["flows"]] == ["auth", "operations"]


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["har", "missing.har"], "missing.har"),
        (["har", "a", "b"], "takes one FILE"),
        (["postman", "x"], "takes har, curl or openapi"),
        (["curl", "wget http://h"], "a command begins with curl"),
        (["curl", "curl h", "--target", "nowhere"], "--target cannot be used"),
        (["curl", "curl h", "--name", ""], "--name needs a text"),
    ],
)
def test_what_is_wrong_is_said(weir, arguments, said):
    made = weir("scenario", "import", *arguments)
    assert made.status == 2 and said in made.stderr and made.stdout == "", made
