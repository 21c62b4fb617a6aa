# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The faults as a client sees them, and whether the API has processed the request.

Must not wait for long: the client's timeout or the end of the sandbox ends what takes time.
"""

from __future__ import annotations

import threading
import time

import pytest
import requests

from ansible_collections.callgoose.sqibs.tests.sandbox import Fault, Sandbox, SetupError


def test_a_status_fault_sends_its_status_headers_and_body_and_nothing_is_processed(client, sandbox, trigger):
    sandbox.queue_fault("status", status=429, headers={"Retry-After": "7"}, body="slow down")
    response = client.post(trigger)
    assert (response.status_code, response.headers["Retry-After"], response.text) == (429, "7", "slow down")
    assert sandbox.incidents == []
    assert client.post(trigger).status_code == 201


def test_a_status_fault_can_follow_a_processed_request(client, sandbox, trigger):
    sandbox.queue_fault("status", status=500, processed=True)
    assert client.post(trigger).status_code == 500
    assert len(sandbox.incidents) == 1
    assert client.post(trigger).status_code == 208


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_fault_points_elsewhere(client, sandbox, trigger, status):
    sandbox.queue_fault("redirect", status=status, location="https://elsewhere.example/")
    response = client.post(trigger)
    assert (response.status_code, response.headers["Location"]) == (status, "https://elsewhere.example/")
    assert sandbox.incidents == []


def test_a_redirect_is_a_302_by_default(client, sandbox, trigger):
    sandbox.queue_fault("redirect", location="/")
    assert client.post(trigger).status_code == 302


@pytest.mark.parametrize("body", ["<html>Sorry</html>", "", '{"id": "1"}', "[]", "lone \ud800 x"])
def test_a_body_fault_keeps_the_status_of_the_processed_request(client, sandbox, trigger, body):
    sandbox.queue_fault("body", body=body)
    response = client.post(trigger)
    assert (response.status_code, response.text) == (201, body.replace("\ud800", "?"))
    assert len(sandbox.incidents) == 1


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize(("processed", "again"), [(False, 201), (True, 208)])
def test_after_a_reset_the_client_cannot_know_what_was_processed(make_client, trigger, tls, processed, again):
    client = make_client(tls=tls)
    client.sandbox.queue_fault("reset", processed=processed)
    with pytest.raises(requests.ConnectionError):
        client.post(trigger)
    assert client.post(trigger).status_code == again
    assert [request["status"] for request in client.sandbox.requests] == [None, again]


def test_a_reset_fault_resets_the_connection_instead_of_closing_it(client, sandbox, trigger):
    sandbox.queue_fault("reset")
    with pytest.raises(requests.ConnectionError, match="ConnectionResetError"):
        client.post(trigger)


def test_a_cut_off_body_ends_before_its_length(client, sandbox, trigger):
    sandbox.queue_fault("cut_off")
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        client.post(trigger)
    assert len(sandbox.incidents) == 1
    assert sandbox.requests[0]["status"] == 201


def test_garbage_takes_the_place_of_the_chunks_that_the_head_announces(client, sandbox, trigger):
    sandbox.queue_fault("garbage")
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="InvalidChunkLength"):
        client.post(trigger)
    assert len(sandbox.incidents) == 1
    assert client.post(trigger).status_code == 208


def test_a_delay_comes_after_the_processing_and_before_the_answer(client, sandbox, trigger):
    sandbox.queue_fault("delay", seconds=0.05)
    began = time.monotonic()
    assert client.post(trigger).status_code == 201
    assert time.monotonic() - began >= 0.05
    sandbox.queue_fault("delay", seconds=600)
    with pytest.raises(requests.ReadTimeout):
        client.post({**trigger, "incident_key": "memory"}, timeout=1)
    assert len(sandbox.incidents) == 2


def test_a_delayed_answer_to_an_unprocessed_request_is_a_temporary_error(client, sandbox, trigger):
    sandbox.queue_fault("delay", seconds=0, processed=False)
    assert client.post(trigger).status_code == 500
    assert sandbox.incidents == []


def test_a_drip_sends_the_body_byte_by_byte(client, sandbox, trigger):
    sandbox.queue_fault("drip", seconds=0.001)
    chunks = list(client.post(trigger, stream=True).raw.stream(1))
    assert len(chunks) > 100


def test_a_drip_of_the_head_also_sends_the_status_line_byte_by_byte(client, sandbox, trigger):
    sandbox.queue_fault("drip_head", seconds=0.002)
    began = time.monotonic()
    response = client.post(trigger, stream=True)
    assert time.monotonic() - began > 0.1
    assert (response.status_code, response.json()["triggered"]["created"]) == (201, True)


def test_a_drip_takes_a_second_per_byte_by_default(make_client, trigger):
    client = make_client()
    client.sandbox.queue_fault("drip")
    response = client.post(trigger, stream=True)
    began = time.monotonic()
    assert response.raw.read(1) == b"{"
    assert 0.5 < time.monotonic() - began < 5
    response.close()


@pytest.mark.parametrize(("processed", "opened"), [(False, 0), (True, 1)])
def test_a_hanging_request_is_never_answered(client, sandbox, trigger, processed, opened):
    sandbox.queue_fault("hang", processed=processed)
    with pytest.raises(requests.ReadTimeout):
        client.post(trigger, timeout=(30, 0.1))
    # On a busy machine, the client has given up before the sandbox has read the request.
    deadline = time.monotonic() + 30
    while not (sandbox.requests and len(sandbox.incidents) == opened) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(sandbox.incidents) == opened
    assert sandbox.requests[0]["status"] is None


@pytest.mark.parametrize("end", ["reset", "close"])
@pytest.mark.parametrize(
    ("kind", "fields"),
    [("hang", {}), ("delay", {"seconds": 600}), ("drip", {"seconds": 600}), ("drip_head", {"seconds": 600})],
)
def test_a_delayed_request_ends_with_the_sandbox(client, sandbox, trigger, kind, fields, end):
    sandbox.queue_fault(kind, **fields)
    ended = threading.Event()

    def post() -> None:
        with pytest.raises(requests.RequestException):
            client.post(trigger)
        ended.set()

    waiting = threading.Thread(target=post)
    waiting.start()
    while not sandbox.requests:
        time.sleep(0.001)
    began = time.monotonic()
    getattr(sandbox, end)()
    waiting.join(5)
    assert time.monotonic() - began < 0.9  # otherwise closing would wait for the server's timeout, twice 0.5 s
    assert ended.is_set()


def test_faults_are_used_in_order_each_for_its_number_of_requests(client, sandbox, trigger):
    sandbox.queue_fault("status", status=500, count=2)
    sandbox.queue_fault("status", status=503)
    assert [client.post(trigger).status_code for _time in range(5)] == [500, 500, 503, 201, 208]
    assert [request["fault"] for request in sandbox.requests] == ["status"] * 3 + [None] * 2


def test_a_fault_without_a_count_lasts_until_the_faults_are_cleared(client, sandbox, trigger):
    sandbox.queue_fault("status", status=500, count=None)
    assert [client.post(trigger).status_code for _time in range(5)] == [500] * 5
    sandbox.clear_faults()
    assert client.post(trigger).status_code == 201


def test_control_requests_consume_no_faults(client, sandbox, trigger):
    sandbox.queue_fault("status", status=500)
    assert client.control("GET", "state").status_code == 200
    assert client.post(trigger).status_code == 500


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kind": "explode"}, "kind must be one of status, redirect"),
        ({"kind": ["status"]}, "kind must be one of"),
        ({"kind": "status"}, "a status fault needs status"),
        ({"kind": "redirect"}, "a redirect fault needs location"),
        ({"kind": "body"}, "a body fault needs body"),
        ({"kind": "delay"}, "a delay fault needs seconds"),
        ({"kind": "hang", "seconds": 1}, "a hang fault takes no seconds"),
        ({"kind": "status", "status": 100}, "status must be 200 to 599"),
        ({"kind": "status", "status": "500"}, "status must be 200 to 599"),
        ({"kind": "redirect", "location": "/", "status": 200}, "status of a redirect"),
        ({"kind": "redirect", "location": "/\r\nX: y"}, "without line breaks"),
        ({"kind": "status", "status": 500, "headers": {"X": "y\r\nZ: 1"}}, "without line breaks"),
        ({"kind": "status", "status": 500, "headers": {"X": 1}}, "headers must be an object of strings"),
        ({"kind": "status", "status": 500, "body": {}}, "body must be a string"),
        ({"kind": "delay", "seconds": -1}, "seconds must be a number of seconds"),
        ({"kind": "reset", "count": 0}, "count must be 1 or more"),
        ({"kind": "reset", "count": 1.5}, "count must be 1 or more"),
        ({"kind": "reset", "processed": "yes"}, "processed must be true or false"),
    ],
)
def test_a_wrong_fault_is_refused(fields, words):
    with pytest.raises(SetupError, match=words):
        Fault(**fields)


def test_a_wrong_fault_queues_nothing():
    sandbox = Sandbox()
    with pytest.raises(SetupError):
        sandbox.queue_fault("status")
