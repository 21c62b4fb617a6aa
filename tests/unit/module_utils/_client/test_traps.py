# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A test for each trap of `requests`: netrc, CA variables, redirects, proxies, and errors that contain the URL.

Must not depend on this machine's netrc file or proxy variables: the fixtures remove them.
"""

from __future__ import annotations

import base64
import contextlib
import traceback
from urllib.parse import parse_qs, urlsplit

import pytest

from ansible_collections.callgoose.sqibs.plugins.module_utils import _client as client
from ansible_collections.callgoose.sqibs.plugins.module_utils._connection import Connection
from ansible_collections.callgoose.sqibs.plugins.module_utils._errors import DeliveryError
from ansible_collections.callgoose.sqibs.tests.sandbox import Sandbox

SECRET = "s3cr3t-t0ken"
DEAD_PROXY = "http://127.0.0.1:1"


def test_a_netrc_entry_does_not_replace_the_token(sandbox, send, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n", encoding="utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    assert send(sandbox).status == 201
    assert send(sandbox, auth_method="url_parameter").status == 208
    first, second = sandbox.requests
    assert first["headers"]["Authorization"] == f"Bearer {sandbox.token}"
    assert "Authorization" not in second["headers"]


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_ca_variable_does_not_override_validate_certs_false(tls_sandbox, send, monkeypatch, tmp_path, variable):
    with Sandbox(tls=True) as other:
        monkeypatch.setenv(variable, other.ca_path)
        assert send(tls_sandbox, validate_certs=False, ca_path=None).status == 201


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_ca_variable_is_used_when_certificates_are_checked(tls_sandbox, send, monkeypatch, variable):
    monkeypatch.setenv(variable, tls_sandbox.ca_path)
    assert send(tls_sandbox, ca_path=None).status == 201


def test_ca_path_overrides_the_ca_variables(tls_sandbox, send, monkeypatch):
    with Sandbox(tls=True) as other:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", other.ca_path)
        assert send(tls_sandbox).status == 201


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed(sandbox, send, pauses, status):
    with Sandbox() as elsewhere:
        sandbox.queue_fault("redirect", status=status, location=f"{elsewhere.base_url}/v1/process")
        answer = send(sandbox)
        assert (answer.status, answer.attempts, pauses) == (status, 1, [])
        assert elsewhere.requests == []
    assert [request["method"] for request in sandbox.requests] == ["POST"]


# Errors that contain the URL


def texts_of(error: BaseException) -> str:
    """Return all that could be printed of an error: its message, its representation and its traceback."""
    return str(error) + repr(error) + "".join(traceback.format_exception(error))


@pytest.mark.parametrize("auth_method", ["bearer", "url_parameter"])
@pytest.mark.parametrize("fault", [("reset", {}), ("cut_off", {}), ("hang", {}), ("drip", {"seconds": 0.05})])
def test_no_error_contains_the_token(sandbox, send, auth_method, fault):
    kind, fields = fault
    sandbox.queue_fault(kind, count=None, **fields)
    with pytest.raises(DeliveryError) as failed:
        send(sandbox, token=SECRET, auth_method=auth_method, timeout=0.2, retries=1)
    assert SECRET not in texts_of(failed.value)
    assert "token=" not in str(failed.value)


@pytest.mark.parametrize(
    "endpoint",
    ["http://127.0.0.1:1/v1/process", "https://127.0.0.1:1/v1/process", "https://a..b/v1/process", "https://.b/"],
)
def test_no_connection_error_contains_the_token(endpoint):
    connection = Connection(endpoint, SECRET, auth_method="url_parameter", retries=0)
    with pytest.raises(DeliveryError) as failed:
        client.Client(connection).send(b"{}", "application/json")
    assert SECRET not in texts_of(failed.value)


def test_no_certificate_error_contains_the_token(tls_sandbox, send):
    with pytest.raises(DeliveryError) as failed:
        send(tls_sandbox, token=SECRET, auth_method="url_parameter", ca_path=None)
    assert SECRET not in texts_of(failed.value)


def test_no_proxy_error_contains_the_token_or_the_proxy_password(sandbox, send, monkeypatch):
    endpoint = "http://api.example/v1/process"
    for proxy in ("http://user:pa55@127.0.0.1:1", "http://user:pa55@[::1", "http://"):
        monkeypatch.setenv("HTTP_PROXY", proxy)
        monkeypatch.setenv("http_proxy", proxy)
        with pytest.raises(DeliveryError, match="proxy") as failed:
            send(sandbox, endpoint=endpoint, token=SECRET, auth_method="url_parameter", retries=0)
        assert SECRET not in texts_of(failed.value)
        assert "pa55" not in texts_of(failed.value)


def test_without_certificate_checks_nothing_is_logged_and_no_warning_is_shown(tls_sandbox, send, recwarn, capfd):
    send(tls_sandbox, token=SECRET, auth_method="url_parameter", validate_certs=False)
    assert [str(warning.message) for warning in recwarn if "InsecureRequest" in warning.category.__name__] == []
    assert SECRET not in "".join(capfd.readouterr())


# Proxies


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "all_proxy"])
def test_the_proxy_variables_are_honoured(sandbox, send, monkeypatch, variable):
    proxy = urlsplit(sandbox.base_url).netloc
    monkeypatch.setenv(variable, f"http://user:word@{proxy}")
    endpoint = "http://api.example/sqibs-api/v1/process"
    assert send(sandbox, endpoint=endpoint, source="Ansible").status == 201
    [request] = sandbox.requests
    assert request["target"] == f"{endpoint}?from=Ansible"
    assert request["headers"]["Authorization"] == f"Bearer {sandbox.token}"
    assert request["headers"]["Proxy-Authorization"] == "Basic " + base64.b64encode(b"user:word").decode()


@pytest.mark.parametrize("variable", ["no_proxy", "NO_PROXY"])
@pytest.mark.parametrize("hosts", ["127.1", "*", "example.org,127.0.0.0/8"])
def test_no_proxy_is_honoured(sandbox, send, monkeypatch, variable, hosts):
    # an old spelling of the sandbox's address, which is not recognised as loopback
    endpoint = sandbox.base_url.replace("127.0.0.1", "127.1") + "/v1/process"
    monkeypatch.setenv("http_proxy", DEAD_PROXY)
    with pytest.raises(DeliveryError, match="proxy could not be used"):
        send(sandbox, endpoint=endpoint, retries=0)
    monkeypatch.setenv(variable, hosts)
    assert send(sandbox, endpoint=endpoint).status == 201


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LocalHost", "127.8.9.1"])
def test_no_proxy_sees_a_request_to_loopback(sandbox, send, monkeypatch, variable, host):
    with Sandbox() as proxy:
        monkeypatch.setenv(variable, f"http://{urlsplit(proxy.base_url).netloc}")
        send_to = sandbox.base_url.replace("127.0.0.1", host) + "/v1/process"
        # only Linux answers at all addresses of 127.0.0.0/8, and the sandbox at none but the first
        with contextlib.suppress(DeliveryError):
            assert send(sandbox, endpoint=send_to, retries=0).status == 201
        assert proxy.requests == []
    assert len(sandbox.requests) == (host != "127.8.9.1")


def test_no_proxy_sees_a_request_to_loopback_over_ipv6_or_tls(sandbox, tls_sandbox, send, monkeypatch):
    with Sandbox() as proxy:
        for variable in ("http_proxy", "https_proxy"):
            monkeypatch.setenv(variable, f"http://{urlsplit(proxy.base_url).netloc}")
        with pytest.raises(DeliveryError):
            send(sandbox, endpoint="http://[::1]:1/v1/process", retries=0)
        assert send(tls_sandbox).status == 201
        assert (proxy.requests, proxy.connections) == ([], 0)


def test_an_unreachable_proxy_is_retried_and_certain_to_have_sent_nothing(sandbox, send, monkeypatch):
    monkeypatch.setenv("http_proxy", DEAD_PROXY)
    with pytest.raises(DeliveryError, match="after 3 attempts") as failed:
        send(sandbox, endpoint="http://api.example/v1/process", retries=2)
    assert not failed.value.uncertain
    assert sandbox.requests == []


# The parts of the URL and the headers that come from options


@pytest.mark.parametrize(
    "source", ["Ansible", "A & B", "a=b&token=evil", "x#y", "a/b?c", "100%", "%26", "a+b c", "Büro 😀", "../x", "'\"<>"]
)
@pytest.mark.parametrize("auth_method", ["bearer", "url_parameter"])
def test_a_source_arrives_unchanged_and_adds_no_other_parameter(sandbox, send, source, auth_method):
    assert send(sandbox, source=source, auth_method=auth_method).status == 201
    [request] = sandbox.requests
    token = {"token": [sandbox.token]} if auth_method == "url_parameter" else {}
    assert parse_qs(urlsplit(request["target"]).query, keep_blank_values=True) == {"from": [source], **token}
    assert request["path"] == "/sqibs-api/v1/process"
    assert request["target"].isascii()


@pytest.mark.parametrize("token", ["a&from=evil", "a#b", "a/b?c=d", "100%25", "a+b", "a=b;c", "'\"<>\\^`{|}~"])
@pytest.mark.parametrize("auth_method", ["bearer", "url_parameter"])
def test_a_token_arrives_unchanged_and_adds_no_other_parameter(sandbox, send, token, auth_method):
    assert send(sandbox, token=token, auth_method=auth_method).status == 401
    [request] = sandbox.requests
    assert request["token"] == token
    assert request["query"] == ({"token": token} if auth_method == "url_parameter" else {})
    assert ("Authorization" in request["headers"]) is (auth_method == "bearer")


def test_without_a_source_there_is_no_query(sandbox, send):
    send(sandbox)
    assert sandbox.requests[0]["target"] == "/sqibs-api/v1/process"


def test_the_body_arrives_byte_for_byte_with_its_content_type(sandbox, connect):
    body = '{"a":"ü😀","b":"line\\nbreak"}'
    client.Client(connect(sandbox)).send(body.encode(), "text/plain; charset=utf-8")
    [request] = sandbox.requests
    assert (request["body"], request["headers"]["Content-Type"]) == (body, "text/plain; charset=utf-8")
