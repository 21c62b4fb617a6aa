# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The request log and the counters, from which other tests learn what was really sent.

Must not test answers.
"""

from __future__ import annotations

import threading

import pytest
import requests

from ansible_collections.callgoose.sqibs.tests.sandbox import Sandbox


def test_the_log_contains_each_request_and_its_answer(client, sandbox):
    client.text('{"state":"triggered"}', "application/json; charset=utf-8")
    client.post(data="grün".encode(), headers={"X-Own": "1"}, params={"from": "A&B é", "token": "secret"})
    first, second = sandbox.requests
    assert (first["method"], first["path"], first["status"]) == ("POST", "/sqibs-api/v1/process", 201)
    assert (first["body"], first["token"], first["query"]) == ('{"state":"triggered"}', sandbox.token, {})
    assert first["headers"]["Authorization"] == f"Bearer {sandbox.token}"
    assert first["headers"]["Content-Type"] == "application/json; charset=utf-8"
    assert (second["token"], second["status"], second["body"]) == ("secret", 401, "grün")
    assert second["query"] == {"from": "A&B é", "token": "secret"}
    assert second["target"] == "/sqibs-api/v1/process?from=A%26B+%C3%A9&token=secret"
    assert second["headers"]["X-Own"] == "1"
    assert "Authorization" not in second["headers"]


def test_other_paths_and_methods_are_logged_and_refused(client, sandbox):
    root = sandbox.base_url.removesuffix("/sqibs-api")
    assert client.session.post(f"{root}/v1/process").status_code == 404
    assert client.session.get(f"{sandbox.base_url}/v1/process").status_code == 405
    logged = [(request["method"], request["path"], request["status"]) for request in sandbox.requests]
    assert logged == [("POST", "/v1/process", 404), ("GET", "/sqibs-api/v1/process", 405)]


def test_control_requests_are_not_logged(client, sandbox):
    client.control("GET", "requests")
    assert sandbox.requests == []


def test_a_body_of_any_size_is_accepted(client, sandbox, trigger):
    assert client.post({**trigger, "content": "x" * 3_000_000}).status_code == 201
    assert len(sandbox.incidents[0]["description"]) == 3_000_000


def test_a_kept_connection_is_counted_once(client, sandbox, trigger):
    for _time in range(3):
        client.post(trigger)
    assert (sandbox.connections, sandbox.handshakes) == (1, 0)
    client.session.close()
    client.post(trigger)
    assert sandbox.connections == 2
    assert [request["connection"] for request in sandbox.requests] == [1, 1, 1, 2]


def test_a_tls_connection_counts_as_a_handshake(make_client, trigger):
    client = make_client(tls=True)
    assert client.sandbox.base_url.startswith("https://127.0.0.1:")
    for _time in range(3):
        assert client.post(trigger).status_code in (201, 208)
    assert (client.sandbox.connections, client.sandbox.handshakes) == (1, 1)
    client.session.close()
    client.post(trigger)
    assert (client.sandbox.connections, client.sandbox.handshakes) == (2, 2)


def test_a_client_that_does_not_trust_the_authority_completes_no_handshake(make_client, trigger):
    client = make_client(tls=True)
    with pytest.raises(requests.exceptions.SSLError):
        client.post(trigger, verify=True)
    assert (client.sandbox.connections, client.sandbox.handshakes) == (1, 0)
    assert client.sandbox.requests == []


def test_over_tls_the_log_names_the_client_certificate(make_client, trigger):
    client = make_client(tls=True)
    client.post(trigger)
    client.session.close()
    client.post(trigger, cert=(client.sandbox.client_cert, client.sandbox.client_key))
    shown = [request["client_certificate"] for request in client.sandbox.requests]
    assert shown == [None, "sandbox-client"]


def test_requests_from_many_threads_are_all_logged_and_open_one_incident(sandbox, client, trigger):
    statuses: list[int] = []
    url, headers = f"{sandbox.base_url}/v1/process", {"Authorization": f"Bearer {sandbox.token}"}

    def post() -> None:
        statuses.extend(requests.post(url, json=trigger, headers=headers, timeout=10).status_code for _time in range(5))

    threads = [threading.Thread(target=post) for _number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201] + [208] * 39
    assert len(sandbox.requests) == sandbox.connections == 40
    assert len(sandbox.incidents) == 1


def test_the_log_can_be_read_after_the_sandbox_is_closed(client, sandbox, trigger):
    client.post(trigger)
    sandbox.close()
    assert len(sandbox.requests) == len(sandbox.incidents) == sandbox.connections == 1
    assert sandbox.token == "sandbox-incident-token"


def test_a_reset_clears_everything_and_restores_the_first_settings(trigger, reading):
    other = {"body": "mapped", "mapped": "body"}[reading]
    with Sandbox(reading=reading, window=10) as sandbox:
        url, headers = f"{sandbox.base_url}/v1/process", {"Authorization": f"Bearer {sandbox.token}"}
        with requests.Session() as session:
            session.trust_env = False
            session.post(url, json=trigger, headers=headers)
            sandbox.set(reading=other, window=1000)
            sandbox.queue_fault("hang")
            sandbox.advance(5)
            sandbox.reset()
            assert (sandbox.requests, sandbox.incidents, sandbox.connections) == ([], [], 0)
            state = session.get(f"{sandbox.control_url}/state").json()
            assert (state["settings"]["reading"], state["settings"]["window"]) == (reading, 10)
            assert (state["faults"], state["time"] < 5) == ([], True)
            assert session.post(url, json=trigger, headers=headers).status_code == 201
