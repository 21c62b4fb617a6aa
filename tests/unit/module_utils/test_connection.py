# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The values that connection options accept and refuse. No error message repeats a secret.

Must not import ansible-core or open a connection.
"""

from __future__ import annotations

import math

import pytest

from ansible_collections.callgoose.sqibs.plugins.module_utils._connection import (
    Connection,
    check_files,
    connection_from,
)
from ansible_collections.callgoose.sqibs.plugins.module_utils._errors import OptionError

SECRET = "s3cr3t"
# The options as validated by the argument specification if only the token is set.
DEFAULTS = {
    "source": "Ansible",
    "base_url": "https://sqibs.callgoose.com/sqibs-api",
    "api_token": SECRET,
    "auth_method": "bearer",
    "validate_certs": True,
    "ca_path": None,
    "client_cert": None,
    "client_key": None,
    "allow_http": False,
    "timeout": 10.0,
    "retries": 3,
}


def made(**options):
    return connection_from({**DEFAULTS, **options})


def refusal(**options):
    with pytest.raises(OptionError) as refused:
        made(**options)
    return refused.value


def test_the_defaults_are_the_documented_ones():
    assert made() == Connection("https://sqibs.callgoose.com/sqibs-api/v1/process", SECRET, source="Ansible")


@pytest.mark.parametrize("ending", ["", "/", "//", "/v1/process", "/v1/process/", "/v1/process//"])
def test_a_base_url_may_end_with_slashes_or_the_endpoint(ending):
    assert made(base_url=f"https://api.example/x{ending}").endpoint == "https://api.example/x/v1/process"


@pytest.mark.parametrize(
    ("base_url", "endpoint"),
    [
        ("https://api.example", "https://api.example/v1/process"),
        ("https://api.example:8443/", "https://api.example:8443/v1/process"),
        ("HTTPS://api.example/A", "https://api.example/A/v1/process"),
        ("https://[2001:db8::1]/a", "https://[2001:db8::1]/a/v1/process"),
        ("https://api.example/v1/processes", "https://api.example/v1/processes/v1/process"),
    ],
)
def test_the_port_path_and_host_of_a_base_url_are_kept(base_url, endpoint):
    assert made(base_url=base_url).endpoint == endpoint


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "[::1]", "localhost", "LOCALHOST"])
def test_plain_http_is_allowed_to_loopback(host):
    assert made(base_url=f"http://{host}:8080/a").endpoint == f"http://{host}:8080/a/v1/process"


@pytest.mark.parametrize(
    "host",
    [
        "api.example",
        "10.0.0.1",
        "0.0.0.0",
        "128.0.0.1",
        "[::2]",
        "localhost.example",
        "127.0.0.1.example",
        "localhosts",
    ],
)
def test_plain_http_to_any_other_host_is_refused_unless_allowed(host):
    error = refusal(base_url=f"http://{host}/a")
    assert error.option == "base_url"
    assert "plain http" in str(error)
    assert "allow_http: true" in str(error)
    assert made(base_url=f"http://{host}/a", allow_http=True).endpoint == f"http://{host}/a/v1/process"


@pytest.mark.parametrize(
    ("base_url", "says"),
    [
        ("", "empty"),
        ("sqibs.callgoose.com/sqibs-api", "scheme"),
        ("//sqibs.callgoose.com", "scheme"),
        ("ftp://sqibs.callgoose.com", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("javascript:alert(1)", "scheme"),
        ("https://", "host"),
        ("https:///path", "host"),
        ("https://:443/", "host"),
        ("https://api.example:0/", "host"),
        ("https://api.example:99999/", "valid URL"),
        ("https://api.example:port/", "valid URL"),
        ("https://[::1", "valid URL"),
        (f"https://user:{SECRET}@api.example/", "credentials"),
        (f"https://{SECRET}@api.example/", "credentials"),
        (f"http://localhost:{SECRET}@api.example/", ""),
        (f"https://api.example/?token={SECRET}", "query or fragment"),
        ("https://api.example/?", "query or fragment"),
        ("https://api.example/#x", "query or fragment"),
        ("https://api.example/#", "query or fragment"),
        ("https://api.example\\@evil.example/", ""),
        ("https://api.example/a\\b", "backslash"),
        ("https://api.example/a b", "spaces"),
        ("https ://api.example", "spaces"),
        ("https://api.example\r\nX-Evil: 1", "line breaks"),
        ("https://api.example/\x00", "line breaks"),
        ("https://api.example/\x7f", "line breaks"),
        ("https://bücher.example", "non-ASCII"),
    ],
)
def test_a_wrong_base_url_is_refused_with_a_remedy_and_without_its_value(base_url, says):
    error = refusal(base_url=base_url)
    assert error.option == "base_url"
    assert str(error).startswith("base_url: ")
    assert says in str(error)
    assert str(error).rstrip(".").count(". ") >= 1  # a remedy follows the problem
    assert SECRET not in str(error)
    assert "evil" not in str(error)


@pytest.mark.parametrize("token", [None, "", "\n", "  "])
def test_the_message_for_a_missing_token_names_the_environment_variable(token):
    error = refusal(api_token=token)
    assert error.option == "api_token"
    assert "CALLGOOSE_API_TOKEN" in str(error)


@pytest.mark.parametrize(
    "token",
    [f"{SECRET}{character}{SECRET}" for character in ("\n", "\r\nX-Evil: 1", " ", "\t", "\x85", "\u2028")]
    + [SECRET + end for end in ("\x00", "\x7f", "ü", "\udcff", "\n# a comment")],
)
def test_a_token_that_could_split_a_header_is_refused_and_not_repeated(token):
    error = refusal(api_token=token)
    assert error.option == "api_token"
    assert "line break, a space or another character" in str(error)
    assert "file" in str(error)
    assert SECRET not in str(error)


@pytest.mark.parametrize("end", ["\n", "\r\n", " ", "\t", "\n\n"])
def test_white_space_around_a_token_and_an_address_is_no_part_of_them(end):
    connection = made(api_token=f"{end}{SECRET}{end}", base_url=f" https://api.example{end}")
    assert (connection.token, connection.endpoint) == (SECRET, "https://api.example/v1/process")


@pytest.mark.parametrize("character", ["\n", "\r", "\t", "\x00", "\x1b", "\x7f", "\x85", "\u2028", "\u2029", "\udcff"])
def test_a_source_with_a_control_character_is_refused(character):
    error = refusal(source=f"Ansible{character}")
    assert error.option == "source"
    assert "one line of plain text" in str(error)


@pytest.mark.parametrize("source", ["", "Ansible", "A & B=#?/", "Büro 😀"])
def test_a_source_of_one_line_is_kept_unchanged(source):
    assert made(source=source).source == source


def test_a_client_key_without_certificate_is_refused():
    error = refusal(client_key="/key.pem")
    assert error.option == "client_key"
    assert "client_cert" in str(error)
    assert refusal(client_key="/key.pem", client_cert="").option == "client_key"


def test_a_client_certificate_needs_no_separate_key():
    connection = made(client_cert="/both.pem")
    assert (connection.client_cert, connection.client_key) == ("/both.pem", None)


@pytest.mark.parametrize("timeout", [0, -1, -0.5, math.nan, math.inf, -math.inf])
def test_a_timeout_that_is_not_positive_and_finite_is_refused(timeout):
    assert str(refusal(timeout=timeout)).startswith("timeout: it is not a positive number of seconds")


def test_a_timeout_of_more_than_a_day_is_refused():
    assert str(refusal(timeout=1e12)).startswith("timeout: it is longer than a day")
    assert made(timeout=86400.0).timeout == 86400


def test_negative_retries_are_refused_and_zero_is_allowed():
    assert str(refusal(retries=-1)).startswith("retries: it is negative. Use 0")
    assert made(retries=0).retries == 0


@pytest.mark.parametrize("option", ["ca_path", "client_cert", "client_key"])
def test_a_path_that_does_not_exist_is_refused_on_the_host_that_sends(option, tmp_path):
    there, missing = tmp_path / "there.pem", tmp_path / "missing.pem"
    there.touch()
    connection = made(client_cert=str(there), **({} if option == "client_cert" else {option: str(there)}))
    check_files(connection)
    paths = {"client_cert": str(there), option: str(missing)}
    with pytest.raises(OptionError, match=f"^{option}: the path does not exist") as refused:
        check_files(made(**paths))
    assert str(missing) in str(refused.value)
    assert "PEM" in str(refused.value)


def test_an_unreadable_path_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "locked.pem"
    path.touch()
    # root may read everything, so the answer of the operating system is faked.
    monkeypatch.setattr("os.access", lambda _path, mode: mode == 0)
    with pytest.raises(OptionError, match=r"^ca_path: the path cannot be read"):
        check_files(made(ca_path=str(path)))


@pytest.mark.parametrize("option", ["client_key", "client_cert"])
def test_a_key_with_a_passphrase_is_refused(option, tmp_path):
    plain, encrypted = tmp_path / "plain.pem", tmp_path / "encrypted.pem"
    plain.write_text("-----BEGIN PRIVATE KEY-----\n", encoding="utf-8")
    encrypted.write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----\n", encoding="utf-8")
    check_files(made(client_cert=str(plain)))
    with pytest.raises(OptionError, match=f"^{option}: its key has a passphrase"):
        check_files(made(**{"client_cert": str(plain), option: str(encrypted)}))


def test_an_empty_path_counts_as_unset():
    connection = made(ca_path="", client_cert="", client_key="")
    assert (connection.ca_path, connection.client_cert, connection.client_key) == (None, None, None)


def test_the_representation_does_not_contain_the_token():
    assert SECRET not in repr(made())
    assert SECRET not in str({"connection": made()})
