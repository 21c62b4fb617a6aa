# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which answers and errors are retried, after which pause, how often, and whether the outcome is certain.

Must not wait for pauses: they are only recorded. A few timeouts of a fraction of a second are real.
"""

from __future__ import annotations

import datetime
import email.utils
import re
import socket
import time

import pytest

from ansible_collections.callgoose.sqibs.plugins.module_utils import _client as client
from ansible_collections.callgoose.sqibs.plugins.module_utils._connection import Connection
from ansible_collections.callgoose.sqibs.plugins.module_utils._errors import DeliveryError


def free_port() -> int:
    """Return a port on which no process listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
def test_a_transient_status_is_retried_until_it_passes(sandbox, send, pauses, status):
    sandbox.queue_fault("status", status=status, count=2)
    answer = send(sandbox)
    assert (answer.status, answer.attempts) == (201, 3)
    assert [request["status"] for request in sandbox.requests] == [status, status, 201]
    assert len(pauses) == 2


@pytest.mark.parametrize(
    ("status", "uncertain"), [(408, True), (425, False), (429, False), (500, True), (502, True), (503, True)]
)
def test_the_outcome_is_certain_only_if_the_server_says_it_did_not_process_the_request(
    sandbox, send, status, uncertain
):
    sandbox.queue_fault("status", status=status)
    assert send(sandbox).uncertain is uncertain


@pytest.mark.parametrize("status", [204, 300, 304, 400, 401, 403, 404, 405, 407, 409, 410, 413, 415, 418, 422, 451])
def test_any_other_status_is_final(sandbox, send, pauses, status):
    sandbox.queue_fault("status", status=status)
    answer = send(sandbox)
    assert (answer.status, answer.attempts, answer.uncertain, pauses) == (status, 1, False, [])


@pytest.mark.parametrize("retries", [0, 1, 3])
def test_retries_are_further_attempts_and_the_last_answer_counts(sandbox, send, pauses, retries):
    sandbox.queue_fault("status", status=503, count=None)
    answer = send(sandbox, retries=retries)
    assert (answer.status, answer.attempts, len(sandbox.requests)) == (503, retries + 1, retries + 1)
    assert len(pauses) == retries


def test_the_pause_doubles_up_to_a_maximum_with_random_jitter(sandbox, send, pauses):
    sandbox.queue_fault("status", status=503, count=None)
    send(sandbox, retries=7)
    for pause, whole in zip(pauses, [0.5, 1, 2, 4, 8, 8, 8], strict=True):
        assert whole / 2 <= pause <= whole
    send(sandbox, retries=7)
    assert len(set(pauses)) == len(pauses)  # no two hosts come back at the same moment


@pytest.mark.parametrize(
    ("header", "pause"), [("0", 0.0), ("7", 7.0), ("30", 30.0), ("31", 30.0), ("86400", 30.0), ("9" * 400, 30.0)]
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_in_seconds_is_honoured_up_to_a_cap(sandbox, send, pauses, status, header, pause):
    sandbox.queue_fault("status", status=status, headers={"Retry-After": header})
    assert send(sandbox).status == 201
    assert pauses == [pause]


@pytest.mark.parametrize(("seconds", "least", "most"), [(20, 17, 20), (3600, 30, 30), (-3600, 0, 0)])
def test_retry_after_as_a_date_is_honoured_up_to_a_cap(sandbox, send, pauses, seconds, least, most):
    date = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    header = email.utils.format_datetime(date, usegmt=True)
    sandbox.queue_fault("status", status=429, headers={"Retry-After": header})
    assert send(sandbox).status == 201
    assert least <= pauses[0] <= most


@pytest.mark.parametrize(
    "header", ["", "soon", "-5", "1.5", "Mon, 99 Foo 2026 25:61:61 GMT", f"Mon, 05 Jan 2026 00:00:00 +{'9' * 20}"]
)
def test_an_invalid_retry_after_is_ignored(sandbox, send, pauses, header):
    sandbox.queue_fault("status", status=503, headers={"Retry-After": header})
    assert send(sandbox).status == 201
    assert 0.25 <= pauses[0] <= 0.5


@pytest.mark.parametrize("processed", [False, True])
@pytest.mark.parametrize("kind", ["reset", "cut_off"])
def test_a_lost_answer_is_retried_and_a_208_shows_that_it_was_processed(sandbox, send, kind, processed):
    sandbox.queue_fault(kind, processed=processed)
    answer = send(sandbox)
    assert (answer.status, answer.attempts, answer.uncertain) == (208 if processed else 201, 2, True)
    assert len(sandbox.incidents) == 1


@pytest.mark.parametrize("kind", ["reset", "cut_off"])
def test_a_lost_answer_is_also_retried_over_tls(tls_sandbox, send, kind):
    tls_sandbox.queue_fault(kind, processed=True)
    answer = send(tls_sandbox)
    assert (answer.status, answer.attempts, answer.uncertain) == (208, 2, True)


def test_an_incomplete_answer_does_not_count(sandbox, send):
    sandbox.queue_fault("cut_off")
    with pytest.raises(DeliveryError, match="the answer was cut off") as failed:
        send(sandbox, retries=0)
    assert failed.value.uncertain


def test_a_server_that_hangs_costs_one_timeout_per_attempt(sandbox, send):
    sandbox.queue_fault("hang", processed=True)
    answer = send(sandbox, timeout=1)
    assert (answer.status, answer.attempts, answer.uncertain) == (208, 2, True)


def test_a_server_that_always_hangs_is_an_uncertain_failure(sandbox, send):
    sandbox.queue_fault("hang", count=None)
    with pytest.raises(DeliveryError, match=r"after 2 attempts: no complete answer within 0\.2 seconds") as failed:
        send(sandbox, timeout=0.2, retries=1)
    assert (failed.value.attempts, failed.value.uncertain) == (2, True)
    assert "may have processed" in str(failed.value)


def test_the_client_does_not_wait_for_an_answer_after_the_timeout(sandbox, send):
    sandbox.queue_fault("delay", seconds=60)
    began = time.monotonic()
    assert send(sandbox, timeout=1).attempts == 2
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("kind", ["drip", "drip_head"])
@pytest.mark.parametrize("seconds", [0.02, 0.2, 5])
def test_the_timeout_bounds_an_answer_that_drips_at_any_speed(sandbox, send, kind, seconds):
    sandbox.queue_fault(kind, seconds=seconds)
    began = time.monotonic()
    with pytest.raises(DeliveryError, match=r"no complete answer within 0\.4 seconds") as failed:
        send(sandbox, timeout=0.4, retries=0)
    assert time.monotonic() - began < 1.5
    assert failed.value.uncertain


def test_an_answer_that_drips_fast_enough_is_read_completely(sandbox, send):
    sandbox.queue_fault("drip", seconds=0.001)
    assert send(sandbox).body["triggered"]["created"] is True


def test_a_refused_connection_is_retried_and_certain_to_have_sent_nothing(pauses):
    connection = Connection(f"http://127.0.0.1:{free_port()}/v1/process", "t0ken", retries=2)
    with pytest.raises(DeliveryError, match="after 3 attempts: the connection failed") as failed:
        client.Client(connection).send(b"{}", "application/json")
    assert (failed.value.attempts, failed.value.uncertain, len(pauses)) == (3, False, 2)
    assert "Connection refused" in str(failed.value)
    assert "may have processed" not in str(failed.value)


def test_an_unknown_host_name_is_reported_and_certain_to_have_received_nothing(monkeypatch):
    def unknown(*_arguments, **_more):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(DeliveryError, match="the host name cannot be resolved") as failed:
        client.Client(Connection("https://api.example/v1/process", "t0ken", retries=1)).send(b"{}", "text/plain")
    assert (failed.value.attempts, failed.value.uncertain) == (2, False)


def test_a_server_that_comes_back_receives_the_retry(sandbox, send, monkeypatch):
    sandbox.close()
    monkeypatch.setattr(client.time, "sleep", lambda _seconds: sandbox.start())
    assert send(sandbox).attempts == 2
    assert len(sandbox.incidents) == 1


@pytest.mark.parametrize("body", ["<html>Sorry</html>", "", "[]", '"text"', "null", "{", "[" * 100000, "\ud7ff" * 9])
def test_an_answer_without_a_json_object_has_a_status_and_no_body(sandbox, send, body):
    sandbox.queue_fault("body", body=body)
    answer = send(sandbox)
    assert (answer.status, answer.body, answer.attempts) == (201, None, 1)


def test_a_huge_answer_is_not_read_to_its_end(sandbox, send):
    sandbox.queue_fault("body", body="x" * 50_000_000)
    answer = send(sandbox)
    assert (answer.status, answer.body) == (201, None)


# The caller's deadline covers all attempts together.


def test_a_pause_that_would_exceed_the_deadline_is_not_started(sandbox, send, pauses):
    sandbox.queue_fault("status", status=503, headers={"Retry-After": "20"}, count=None)
    answer = send(sandbox, deadline=time.monotonic() + 5)
    assert (answer.status, answer.attempts, pauses) == (503, 1, [])


def test_an_attempt_ends_at_the_deadline_even_if_the_timeout_is_longer(sandbox, send):
    sandbox.queue_fault("hang", count=None)
    began = time.monotonic()
    with pytest.raises(DeliveryError) as failed:
        send(sandbox, timeout=30, deadline=began + 0.3)
    assert time.monotonic() - began < 2
    assert (failed.value.attempts, failed.value.uncertain) == (1, True)
    assert re.search(r"within 0\.\d\d? seconds", str(failed.value)), "rounded"


def test_nothing_is_sent_after_the_deadline(sandbox, send):
    with pytest.raises(DeliveryError, match="no time left") as failed:
        send(sandbox, deadline=time.monotonic() - 1)
    assert sandbox.requests == []
    assert not failed.value.uncertain
