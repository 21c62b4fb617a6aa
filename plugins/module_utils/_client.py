# Copyright (c) 2026, Callgoose SQIBS collection contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The HTTP client: sends one request to the API, with retries, and returns the answer unchanged.

The only file that uses `requests`. Must not interpret answers, and must not put a token or URL into an error.
"""

from __future__ import annotations

import contextlib
import email.utils
import json
import os
import random
import socket
import ssl
import sys
import time
import warnings
from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Mapping, Optional
from urllib.parse import urlsplit

from ansible_collections.callgoose.sqibs.plugins.module_utils._connection import (
    URL_PARAMETER,
    Connection,
    is_loopback,
)
from ansible_collections.callgoose.sqibs.plugins.module_utils._deadline import ATTEMPT, enforce_deadline
from ansible_collections.callgoose.sqibs.plugins.module_utils._errors import CallgooseError, DeliveryError
from ansible_collections.callgoose.sqibs.plugins.module_utils._lookup import LookupTimeout
from ansible_collections.callgoose.sqibs.plugins.module_utils._outcome import is_doubtful, is_transient

try:
    import requests
    import urllib3.exceptions
except ImportError as error:
    REQUESTS_ERROR: Optional[ImportError] = error
else:
    REQUESTS_ERROR = None

    class Adapter(requests.adapters.HTTPAdapter):
        """The transport of `requests`, with connections that respect the deadline, direct or through a proxy."""

        def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
            """Create the pool of direct connections."""
            super().init_poolmanager(*args, **kwargs)
            enforce_deadline(self.poolmanager)

        def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
            """Return the pool of connections through this proxy."""
            manager = super().proxy_manager_for(*args, **kwargs)
            enforce_deadline(manager)
            return manager


# Pauses between attempts, in seconds.
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 8.0
# A longer Retry-After would hold up the playbook for too long.
LONGEST_RETRY_AFTER = 30.0
# In bytes. The API answers with about 200; a wrong host may send a large page.
LONGEST_ANSWER = 65536


@dataclass(frozen=True)
class Answer:
    """The API's answer.

    :ivar status: the HTTP status.
    :ivar body: the answer's JSON object; None if the body is anything else.
    :ivar attempts: number of requests made.
    :ivar uncertain: whether the API may have processed an earlier attempt.
    """

    status: int
    body: Optional[Mapping[str, Any]]
    attempts: int
    uncertain: bool


class _AttemptError(Exception):
    """One attempt failed without a complete answer.

    :ivar final: whether retrying is pointless.
    """

    def __init__(self, problem: str, *, final: bool = False) -> None:
        super().__init__(problem)
        self.final = final


class Client:
    """Sends requests to one endpoint with one token, and keeps the connection open between them.

    :raises CallgooseError: the Python library `requests` is missing.
    """

    def __init__(self, connection: Connection) -> None:
        if REQUESTS_ERROR is not None:
            raise CallgooseError(
                f"The Python library requests cannot be imported ({REQUESTS_ERROR}). "
                f"Install it for {sys.executable} (for example: {sys.executable} -m pip install requests)."
            )
        self._connection = connection
        self._adapter = Adapter()

    def send(self, body: bytes, content_type: str, deadline: Optional[float] = None) -> Answer:
        """POST one body and return the API's answer. Retry temporary errors.

        :param deadline: a time of ``time.monotonic()``, in seconds. No attempt and no pause lasts beyond it.
        :raises DeliveryError: the API did not answer; ``uncertain`` says whether it may have processed the body.
        """
        uncertain = False
        attempts = 0
        while True:
            attempts += 1
            last = attempts > self._connection.retries
            try:
                response, data = self._attempt(body, content_type, deadline)
            except _AttemptError as error:
                uncertain = uncertain or ATTEMPT.sent
                pause = _pause(attempts)
                if last or error.final or not _has_time(pause, deadline):
                    raise DeliveryError(_no_answer(str(error), attempts, uncertain), attempts, uncertain) from None
            else:
                retry_after = _retry_after(response.headers.get("Retry-After"))
                pause = _pause(attempts) if retry_after is None else retry_after
                if last or not is_transient(response.status_code) or not _has_time(pause, deadline):
                    return Answer(response.status_code, _json_object(data), attempts, uncertain)
                uncertain = uncertain or is_doubtful(response.status_code)
            time.sleep(pause)

    def _attempt(self, body: bytes, content_type: str, deadline: Optional[float]) -> Any:
        connection = self._connection
        seconds = connection.timeout if deadline is None else min(connection.timeout, deadline - time.monotonic())
        ATTEMPT.begin(seconds)
        if seconds <= 0:
            raise _AttemptError("there was no time left", final=True)
        with _without_tls_warnings(connection), _translated_errors(seconds):
            # Not a Session. It would replace the token by an entry of ~/.netrc, let REQUESTS_CA_BUNDLE override
            # validate_certs: false, parse the target of a redirect that is not followed, and send cookies back.
            response = self._adapter.send(
                _request(connection, body, content_type),
                timeout=seconds,
                verify=_verification(connection),
                cert=_client_certificate(connection),
                proxies=_proxies(connection.endpoint),
                stream=True,
            )
            with response:
                return response, _read(response)


_CLIENTS: Dict[Connection, Client] = {}
# A forked worker must not reuse its parent's connections: each would read the other's answers.
os.register_at_fork(after_in_child=_CLIENTS.clear)


def client_for(connection: Connection) -> Client:
    """Return this process's client for a connection. The items of a loop thus share one TCP connection.

    :raises CallgooseError: the Python library `requests` is missing.
    """
    if connection not in _CLIENTS:
        _CLIENTS[connection] = Client(connection)
    return _CLIENTS[connection]


def _request(connection: Connection, body: bytes, content_type: str) -> Any:
    headers = {
        "Content-Type": content_type,
        "Accept": "application/json",
        # The length check in _read needs an uncompressed answer.
        "Accept-Encoding": "identity",
    }
    query: Dict[str, str] = {"from": connection.source} if connection.source else {}
    if connection.auth_method == URL_PARAMETER:
        query["token"] = connection.token
    else:
        headers["Authorization"] = f"Bearer {connection.token}"
    request = requests.PreparedRequest()
    request.prepare(method="POST", url=connection.endpoint, headers=headers, params=query, data=body)
    return request


def _proxies(endpoint: str) -> Dict[str, str]:
    """Return the proxies of the environment, by URL scheme; none for loopback, which is another machine for a proxy.

    A proxy would also see the token of a plain http request, which is allowed to loopback only because it stays there.
    """
    if is_loopback(urlsplit(endpoint).hostname or ""):
        return {}
    proxies: Dict[str, str] = requests.utils.get_environ_proxies(endpoint)
    return proxies


def _client_certificate(connection: Connection) -> Any:
    """Return the path of one file with certificate and key, a pair of paths, or None, as `requests` expects."""
    if connection.client_key:
        return connection.client_cert, connection.client_key
    return connection.client_cert


def _verification(connection: Connection) -> Any:
    if not connection.validate_certs:
        return False
    # Execution environments use these environment variables to name their own certificate authorities.
    bundle = connection.ca_path or os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    return bundle or True


@contextlib.contextmanager
def _without_tls_warnings(connection: Connection) -> Iterator[None]:
    """Silence urllib3's warning at each request if the user has turned certificate checks off."""
    if connection.validate_certs:
        yield
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", urllib3.exceptions.InsecureRequestWarning)
        yield


@contextlib.contextmanager
def _translated_errors(seconds: float) -> Iterator[None]:
    """Replace the errors of `requests` by our own: their messages contain the URL, which may contain the token."""
    try:
        yield
    except requests.exceptions.ConnectTimeout as error:
        is_lookup = _in_chain(error, LookupTimeout) is not None
        problem = "the host name was not resolved" if is_lookup else "no connection"
        raise _AttemptError(f"{problem} within {_rounded(seconds)} seconds") from None
    except (requests.exceptions.Timeout, urllib3.exceptions.ReadTimeoutError, TimeoutError):
        raise _AttemptError(f"no complete answer within {_rounded(seconds)} seconds") from None
    except requests.exceptions.ProxyError as error:
        raise _AttemptError(f"the proxy could not be used ({_cause(error)})") from None
    except requests.exceptions.SSLError as error:
        problem = f"the TLS connection failed ({_cause(error)}); see ca_path, client_cert and validate_certs"
        # A server that hangs up during the handshake may be starting or overloaded: retry. A bad certificate is final.
        hung_up = _in_chain(error, ssl.SSLEOFError) is not None
        raise _AttemptError(problem, final=not hung_up) from None
    except (requests.exceptions.ChunkedEncodingError, urllib3.exceptions.ProtocolError):
        raise _AttemptError("the answer was cut off") from None
    except requests.exceptions.ConnectionError as error:
        if _in_chain(error, socket.timeout):
            raise _AttemptError(f"no complete answer within {_rounded(seconds)} seconds") from None
        raise _AttemptError(f"the connection failed ({_cause(error)})") from None
    except requests.exceptions.InvalidProxyURL:
        raise _AttemptError("the proxy environment variables do not name a usable proxy", final=True) from None
    except requests.exceptions.RequestException as error:
        raise _AttemptError(f"the request failed ({type(error).__name__})") from None
    except OSError as error:  # requests does not wrap this one, for certificate files that it cannot use
        reason = error.strerror or type(error).__name__
        problem = f"a certificate file cannot be used ({reason}); see ca_path, client_cert and REQUESTS_CA_BUNDLE"
        raise _AttemptError(problem, final=True) from None
    except (urllib3.exceptions.HTTPError, ValueError):  # requests does not wrap some, as for an invalid host name
        raise _AttemptError("the request or its answer is not valid HTTP") from None


def _rounded(seconds: float) -> str:
    """Return seconds with two decimals at most: the time left until a deadline has many more."""
    return f"{round(seconds, 2):g}"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those inside it: urllib3 stores them as ``reason``, requests as the first argument."""
    seen: List[BaseException] = []
    waiting = [error]
    while waiting:
        current = waiting.pop(0)
        if any(current is other for other in seen):
            continue
        seen.append(current)
        yield current
        inner = [getattr(current, "reason", None), current.__cause__, current.__context__, *current.args]
        waiting.extend(item for item in inner if isinstance(item, BaseException))


def _in_chain(error: BaseException, kind: Any) -> Optional[BaseException]:
    return next((inner for inner in _chain(error) if isinstance(inner, kind)), None)


def _cause(error: BaseException) -> str:
    """Return the cause in the words of the certificate check or the operating system: neither contains the URL."""
    for inner in _chain(error):
        if isinstance(inner, ssl.SSLCertVerificationError):
            return inner.verify_message
        if isinstance(inner, ssl.SSLError):
            return inner.reason or "TLS error"
        if isinstance(inner, LookupTimeout):
            return "its host name was not resolved in time"
        if isinstance(inner, socket.gaierror):
            return "the host name cannot be resolved"
        if isinstance(inner, OSError) and inner.strerror:
            return inner.strerror
        if isinstance(inner, socket.timeout):
            return "timed out"
    return "closed by the other side"


def _read(response: Any) -> bytes:
    """Read the answer's body and check that it is complete.

    :raises ChunkedEncodingError: it is shorter than its Content-Length.
    """
    data = b""
    while len(data) < LONGEST_ANSWER:
        part = response.raw.read(LONGEST_ANSWER, decode_content=False)
        if not part:
            break
        data += part
    length = response.headers.get("Content-Length", "")
    if length.isdecimal() and len(data) < min(int(length), LONGEST_ANSWER):
        raise requests.exceptions.ChunkedEncodingError
    return data


def _json_object(data: bytes) -> Optional[Mapping[str, Any]]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _pause(attempts: int) -> float:
    """Return the pause before the next attempt, in seconds.

    Exponential backoff, with a random factor from 0.5 to 1, so that many hosts do not retry at the same moment.
    """
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(attempts - 1, 9)) * random.uniform(0.5, 1.0)


def _retry_after(header: Optional[str]) -> Optional[float]:
    """Return the seconds that a Retry-After header asks for, capped; None if it is missing or invalid.

    The header holds seconds or a date (RFC 9110, 10.2.3).
    """
    if not header:
        return None
    if header.isdecimal():
        seconds = float(header)
    else:
        try:
            seconds = email.utils.parsedate_to_datetime(header).timestamp() - time.time()
        except (TypeError, ValueError, OverflowError):
            return None
    return max(0.0, min(seconds, LONGEST_RETRY_AFTER))


def _has_time(pause: float, deadline: Optional[float]) -> bool:
    return deadline is None or time.monotonic() + pause < deadline


def _no_answer(problem: str, attempts: int, uncertain: bool) -> str:
    tries = "1 attempt" if attempts == 1 else f"{attempts} attempts"
    fate = " The API may have processed the request anyway." if uncertain else ""
    check = "Check base_url, the network and the proxy environment variables."
    return f"The API did not answer after {tries}: {problem}.{fate} {check}"
