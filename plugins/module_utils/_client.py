# Copyright (c) 2026, Callgoose SQIBS collection contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Makes one call of the API over HTTP, with retries, and returns the answer as it came.

The only file that knows `requests`. Must not interpret what an answer means, nor let a token or URL into an error.
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

from ansible_collections.callgoose.sqibs.plugins.module_utils._connection import URL_PARAMETER, Connection
from ansible_collections.callgoose.sqibs.plugins.module_utils._deadline import ATTEMPT, enforce_deadline
from ansible_collections.callgoose.sqibs.plugins.module_utils._errors import CallgooseError, DeliveryError
from ansible_collections.callgoose.sqibs.plugins.module_utils._outcome import is_doubtful, is_transient

try:
    import requests
    import urllib3.exceptions
except ImportError as error:
    REQUESTS_ERROR: Optional[ImportError] = error
else:
    REQUESTS_ERROR = None

    class Adapter(requests.adapters.HTTPAdapter):
        """What requests sends through, with or without a proxy, by connections that end on time."""

        def init_poolmanager(self, *words: Any, **named: Any) -> None:
            """Make the pool of connections without a proxy."""
            super().init_poolmanager(*words, **named)
            enforce_deadline(self.poolmanager)

        def proxy_manager_for(self, *words: Any, **named: Any) -> Any:
            """Return the pool of connections through this proxy."""
            manager = super().proxy_manager_for(*words, **named)
            enforce_deadline(manager)
            return manager


FIRST_PAUSE = 0.5
LONGEST_PAUSE = 8.0
# A server may ask for more patience than a playbook has.
LONGEST_RETRY_AFTER = 30.0
# The API's answer has some 200 bytes; a page of a wrong host need not be read to its end.
LONGEST_ANSWER = 65536


@dataclass(frozen=True)
class Answer:
    """What the API said.

    :ivar status: the HTTP status.
    :ivar body: the JSON object of the answer, or None where it was none.
    :ivar attempts: requests made.
    :ivar uncertain: whether an earlier attempt may have been processed.
    """

    status: int
    body: Optional[Mapping[str, Any]]
    attempts: int
    uncertain: bool


class _AttemptError(Exception):
    """One attempt got no whole answer."""

    def __init__(self, problem: str, *, final: bool = False) -> None:
        super().__init__(problem)
        self.final = final


class Client:
    """Calls one endpoint with one token, keeping its connection open from call to call.

    :raises CallgooseError: the library `requests` is missing.
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
        """POST one body and return the API's answer, retrying what may pass.

        :param deadline: a reading of ``time.monotonic()`` after which no attempt or pause is begun or gone on with.
        :raises DeliveryError: no answer came; ``uncertain`` tells whether the body may have been processed.
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
                if last or error.final or not _time_for(pause, deadline):
                    raise DeliveryError(_no_answer(str(error), attempts, uncertain), attempts, uncertain) from None
            else:
                asked = _retry_after(response.headers.get("Retry-After"))
                pause = _pause(attempts) if asked is None else asked
                if last or not is_transient(response.status_code) or not _time_for(pause, deadline):
                    return Answer(response.status_code, _json_object(data), attempts, uncertain)
                uncertain = uncertain or is_doubtful(response.status_code)
            time.sleep(pause)

    def _attempt(self, body: bytes, content_type: str, deadline: Optional[float]) -> Any:
        connection = self._connection
        seconds = connection.timeout if deadline is None else min(connection.timeout, deadline - time.monotonic())
        ATTEMPT.begin(seconds)
        if seconds <= 0:
            raise _AttemptError("there was no time left", final=True)
        with _quiet(connection), _translated(seconds):
            # No Session: it would let an entry of ~/.netrc replace the token and REQUESTS_CA_BUNDLE override
            # validate_certs: false, parse the target of a redirect that is not followed, and send cookies back.
            response = self._adapter.send(
                _request(connection, body, content_type),
                timeout=seconds,
                verify=_verification(connection),
                cert=_client_certificate(connection),
                proxies=requests.utils.get_environ_proxies(connection.endpoint),
                stream=True,
            )
            with response:
                return response, _read(response)


_CLIENTS: Dict[Connection, Client] = {}
# A worker must not go on with its parent's connections: both would read each other's answers.
os.register_at_fork(after_in_child=_CLIENTS.clear)


def client_for(connection: Connection) -> Client:
    """Return this process's client for a connection, so that the items of a loop share one TCP connection.

    :raises CallgooseError: the library `requests` is missing.
    """
    if connection not in _CLIENTS:
        _CLIENTS[connection] = Client(connection)
    return _CLIENTS[connection]


def _request(connection: Connection, body: bytes, content_type: str) -> Any:
    headers = {
        "Content-Type": content_type,
        "Accept": "application/json",
        # A compressed answer could not be checked against its length.
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


def _client_certificate(connection: Connection) -> Any:
    """Return the file that holds both, or the pair of files, or None."""
    if connection.client_key:
        return connection.client_cert, connection.client_key
    return connection.client_cert


def _verification(connection: Connection) -> Any:
    if not connection.validate_certs:
        return False
    # The variables by which execution environments name their own authorities stay honoured.
    named = connection.ca_path or os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    return named or True


@contextlib.contextmanager
def _quiet(connection: Connection) -> Iterator[None]:
    """Keep urllib3 from warning at each call about what the user has asked for."""
    if connection.validate_certs:
        yield
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", urllib3.exceptions.InsecureRequestWarning)
        yield


@contextlib.contextmanager
def _translated(seconds: float) -> Iterator[None]:
    """Turn what requests raises into words of our own: its texts carry the URL, and so perhaps the token."""
    try:
        yield
    except requests.exceptions.ConnectTimeout:
        raise _AttemptError(f"no connection within {_rounded(seconds)} seconds") from None
    except (requests.exceptions.Timeout, urllib3.exceptions.ReadTimeoutError, TimeoutError):
        raise _AttemptError(f"no whole answer within {_rounded(seconds)} seconds") from None
    except requests.exceptions.ProxyError as error:
        raise _AttemptError(f"the proxy could not be used ({_cause(error)})") from None
    except requests.exceptions.SSLError as error:
        problem = f"the TLS connection failed ({_cause(error)}); see ca_path, client_cert and validate_certs"
        # A server that hangs up in the handshake is starting or overloaded; a certificate does not get better.
        hung_up = _in_chain(error, ssl.SSLEOFError) is not None
        raise _AttemptError(problem, final=not hung_up) from None
    except (requests.exceptions.ChunkedEncodingError, urllib3.exceptions.ProtocolError):
        raise _AttemptError("the answer was cut off") from None
    except requests.exceptions.ConnectionError as error:
        if _in_chain(error, socket.timeout):
            raise _AttemptError(f"no whole answer within {_rounded(seconds)} seconds") from None
        raise _AttemptError(f"the connection failed ({_cause(error)})") from None
    except requests.exceptions.InvalidProxyURL:
        raise _AttemptError("the proxy variables name no usable proxy", final=True) from None
    except requests.exceptions.RequestException as error:
        raise _AttemptError(f"the request failed ({type(error).__name__})") from None
    except OSError as error:  # requests raises it bare for certificate files that it cannot use
        reason = error.strerror or type(error).__name__
        problem = f"a certificate file cannot be used ({reason}); see ca_path, client_cert and REQUESTS_CA_BUNDLE"
        raise _AttemptError(problem, final=True) from None
    except (urllib3.exceptions.HTTPError, ValueError):  # requests lets some through, as for an impossible host name
        raise _AttemptError("the request or its answer is no valid HTTP") from None


def _rounded(seconds: float) -> str:
    """Return seconds as people give them: what is left until a deadline has many digits."""
    return f"{round(seconds, 2):g}"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those inside it: urllib3 keeps them as ``reason``, requests as the first argument."""
    seen: List[BaseException] = []
    waiting = [error]
    while waiting:
        one = waiting.pop(0)
        if any(one is other for other in seen):
            continue
        seen.append(one)
        yield one
        inner = [getattr(one, "reason", None), one.__cause__, one.__context__, *one.args]
        waiting.extend(item for item in inner if isinstance(item, BaseException))


def _in_chain(error: BaseException, kind: Any) -> Optional[BaseException]:
    return next((one for one in _chain(error) if isinstance(one, kind)), None)


def _cause(error: BaseException) -> str:
    """Say why in words that cannot hold the URL: the certificate check's or the operating system's."""
    for one in _chain(error):
        if isinstance(one, ssl.SSLCertVerificationError):
            return one.verify_message
        if isinstance(one, ssl.SSLError):
            return one.reason or "TLS error"
        if isinstance(one, socket.gaierror):
            return "the host name cannot be resolved"
        if isinstance(one, OSError) and one.strerror:
            return one.strerror
        if isinstance(one, socket.timeout):
            return "it took too long"
    return "closed by the other side"


def _read(response: Any) -> bytes:
    """Read the answer's body and check that it is whole."""
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
    """Exponential backoff, halved at random so that many hosts do not come back at the same moment."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(attempts - 1, 9)) * random.uniform(0.5, 1.0)


def _retry_after(header: Optional[str]) -> Optional[float]:
    """Read a Retry-After header, seconds or a date (RFC 9110, 10.2.3); None where it is missing or no such thing."""
    if not header:
        return None
    if header.isdecimal():
        seconds = float(header)
    else:
        try:
            seconds = email.utils.parsedate_to_datetime(header).timestamp() - time.time()
        except (TypeError, ValueError):
            return None
    return max(0.0, min(seconds, LONGEST_RETRY_AFTER))


def _time_for(pause: float, deadline: Optional[float]) -> bool:
    return deadline is None or time.monotonic() + pause < deadline


def _no_answer(problem: str, attempts: int, uncertain: bool) -> str:
    tries = "1 attempt" if attempts == 1 else f"{attempts} attempts"
    fate = " The API may have processed the request all the same." if uncertain else ""
    check = "Check base_url, the network and the proxy variables."
    return f"The API gave no answer after {tries}: {problem}.{fate} {check}"
