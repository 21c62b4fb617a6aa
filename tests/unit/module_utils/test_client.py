# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client with any Python and `requests` of a delegated host: one request, its retries, and its errors.

Must not import ansible-core or the sandbox: the tests in `_client/` use the sandbox.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from ansible_collections.callgoose.sqibs.plugins.module_utils import _client as client
from ansible_collections.callgoose.sqibs.plugins.module_utils._connection import Connection
from ansible_collections.callgoose.sqibs.plugins.module_utils._errors import CallgooseError, DeliveryError

BODY = b'{"state":"triggered"}'
JSON = "application/json"


@pytest.fixture(autouse=True)
def pauses(monkeypatch):
    """The pauses of the client, in seconds: recorded, not waited for."""
    asked = []
    monkeypatch.setattr(client.time, "sleep", asked.append)
    return asked


@pytest.fixture()
def send(server):
    """Return a function that sends one body over a connection with the given fields."""

    def send(**fields):
        return client.Client(Connection(server.endpoint, "t0ken", **fields)).send(BODY, JSON)

    return send


def test_a_request_posts_the_body_with_the_token_in_a_header(server, send):
    answer = send(source="Ansible")
    assert (answer.status, answer.attempts, answer.uncertain) == (201, 1, False)
    assert answer.body["triggered"] == {"created": True, "duplicate": False}
    [(path, headers, body)] = server.requests
    assert (path, body) == ("/v1/process?from=Ansible", BODY)
    assert (headers["Authorization"], headers["Content-Type"]) == ("Bearer t0ken", JSON)


def test_a_request_can_send_the_token_in_the_url(server, send):
    send(auth_method="url_parameter")
    [(path, headers, _body)] = server.requests
    assert path == "/v1/process?token=t0ken"
    assert "Authorization" not in headers


def test_requests_share_one_connection(server):
    sender = client.Client(Connection(server.endpoint, "t0ken"))
    for _turn in range(5):
        sender.send(BODY, JSON)
    assert server.connections == 1


def test_a_temporary_error_is_retried(server, send, pauses):
    server.replies.extend([{"status": 503}, {"status": 429, "headers": {"Retry-After": "7"}}])
    answer = send()
    assert (answer.status, answer.attempts, answer.uncertain) == (201, 3, True)
    assert pauses[1] == 7.0


def test_the_pause_stays_finite_after_any_number_of_attempts(pauses):
    with pytest.raises(DeliveryError, match="after 1501 attempts"):
        client.Client(Connection("http://127.0.0.1:1/", "t0ken", retries=1500)).send(BODY, JSON)
    assert max(pauses) <= 8


@pytest.mark.parametrize("chunked", [False, True])
def test_an_answer_that_is_cut_off_is_retried(server, send, chunked):
    chunks = {"body": b"5\r\nhel", "headers": {"Transfer-Encoding": "chunked", "Connection": "close"}}
    server.replies.append(chunks if chunked else {"length": 500})
    answer = send()
    assert (answer.status, answer.attempts, answer.uncertain) == (201, 2, True)


def test_a_chunked_answer_is_read_completely(server, send):
    body = b'5\r\n{"id"\r\n5\r\n:"7"}\r\n0\r\n\r\n'
    server.replies.append({"body": body, "headers": {"Transfer-Encoding": "chunked"}})
    assert send().body == {"id": "7"}


def test_a_silent_server_costs_one_timeout_per_attempt(server, send):
    server.replies.append({"silent": True})
    with pytest.raises(DeliveryError, match=r"no complete answer within 0\.2 seconds") as failed:
        send(timeout=0.2, retries=0)
    assert failed.value.uncertain


def test_an_answer_that_drips_is_abandoned_at_the_timeout(server, send):
    server.replies.append({"drip": 0.05})
    began = time.monotonic()
    with pytest.raises(DeliveryError, match=r"no complete answer within 0\.3 seconds"):
        send(timeout=0.3, retries=0)
    assert time.monotonic() - began < 4  # the complete answer would take five seconds


@pytest.mark.parametrize("location", ["http://[", "http://127.0.0.1:1/", "//", "/else\x00where", "\xb2"])
def test_the_target_of_a_redirect_is_not_parsed(server, send, location):
    server.replies.append({"status": 307, "headers": {"Location": location}})
    assert send().status == 307
    assert len(server.requests) == 1


@pytest.mark.parametrize("length", ["\xb2", "abc", "-1", ""])
def test_an_invalid_length_or_pause_causes_no_traceback(server, send, length):
    server.replies.append({"status": 503, "body": b"", "headers": {"Retry-After": length, "Connection": "close"}})
    assert send().attempts == 2


@pytest.mark.parametrize("host", ["a..b", "a" * 70, ".b"])
def test_an_invalid_host_name_is_a_delivery_error(host):
    with pytest.raises(DeliveryError, match="base_url") as failed:
        client.Client(Connection(f"https://{host}/", "t0ken", retries=0)).send(BODY, JSON)
    assert "t0ken" not in str(failed.value)


def test_an_invalid_certificate_file_is_a_delivery_error_that_names_the_option(server, tmp_path):
    path = tmp_path / "bad.pem"
    path.write_text("no certificate", encoding="utf-8")
    secure = server.endpoint.replace("http:", "https:")
    for field in ("ca_path", "client_cert"):
        with pytest.raises(DeliveryError, match=field) as failed:
            client.Client(Connection(secure, "t0ken", **{field: str(path)})).send(BODY, JSON)
        assert failed.value.attempts == 1


def test_if_requests_is_missing_the_message_names_the_interpreter():
    script = (
        "import sys; sys.modules['requests'] = None\n"
        "from ansible_collections.callgoose.sqibs.plugins.module_utils import _client as client\n"
        "from ansible_collections.callgoose.sqibs.plugins.module_utils import _connection as connection\n"
        "try:\n"
        "    client.client_for(connection.Connection('https://api.example/', 't0ken'))\n"
        "except client.CallgooseError as error:\n"
        "    print(error)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout.count("\n") == 1
    assert "requests cannot be imported" in done.stdout
    assert f"{sys.executable} -m pip install requests" in done.stdout


def test_if_requests_is_missing_the_client_refuses_to_start(monkeypatch):
    monkeypatch.setattr(client, "REQUESTS_ERROR", ImportError("No module named 'requests'"))
    with pytest.raises(CallgooseError, match="No module named 'requests'"):
        client.Client(Connection("https://api.example/", "t0ken"))
