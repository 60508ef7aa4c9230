"""The scripted peers themselves: a test that relies on a reset must be able to rely on the reset."""

import http.client
import socket
import threading

import pytest
import support


def test_a_plain_reply_and_what_was_asked(peer):
    p = peer()
    assert support.post(p.url + "/x", {"a": 1}).json() == {"ok": True}
    assert p.requests[0].startswith(b"POST /x ") and p.requests[0].endswith(b'{"a": 1}')


def test_a_script_goes_step_by_step_on_one_connection(peer):
    p = peer([support.reply(), support.reply(support.REPLY.replace(b"200 OK", b"503 Busy")), support.reply()])
    connection = http.client.HTTPConnection("127.0.0.1", p.port, timeout=support.DEADLINE_S)
    seen = []
    for _ in range(4):
        connection.request("GET", "/")
        answer = connection.getresponse()
        answer.read()
        seen.append(answer.status)
    connection.close()
    assert (seen, p.connections) == ([200, 503, 200, 200], 1)


def test_ways_to_fail(peer):
    with pytest.raises(ConnectionResetError):
        support.get(peer(support.reset()).url)
    with pytest.raises(http.client.RemoteDisconnected):
        support.get(peer(support.close()).url)
    with pytest.raises(http.client.IncompleteRead):
        support.get(peer(support.half_reply(share=0.95)).url)
    with pytest.raises(socket.timeout):
        support.get(peer(support.never_answer()).url, deadline_s=0.05)
    with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
        support.get(peer(on_accept="close").url)


def test_slow_bytes_arrive_whole(peer):
    assert support.get(peer(support.slow_reply(between_s=0.0001)).url).json() == {"ok": True}


def test_a_freeze_holds_and_a_thaw_lets_go(peer):
    p = peer()
    p.freeze()
    answers = []
    thread = threading.Thread(target=lambda: answers.append(support.get(p.url)))
    thread.start()
    support.wait_until("the request to arrive", lambda: p.requests)
    assert not answers
    p.thaw()
    thread.join()
    assert answers[0].status == 200


def test_a_program_that_ends_early_says_why(start):
    program = start("weir-demo-app", "--workers", "0")
    assert program.wait() == 2
    with pytest.raises(AssertionError, match="--workers needs"):
        program.wait_port_file(program.folder / "port")
