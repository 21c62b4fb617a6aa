# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the connection options, shared by everything that calls the API.

Must not document anything that only one plugin has.
"""

from __future__ import annotations

# Modules read the environment themselves, as a fallback. For the callback Ansible does, and there the environment
# takes precedence over ansible.cfg, so this sentence would be wrong.
_FALLBACK = "If not set, the value of the environment variable"


class ModuleDocFragment:
    """The connection options: ``MODULE`` for modules, ``CALLBACK`` followed by ``DOCUMENTATION`` for the callback."""

    MODULE = r"""
options:
  source:
    description:
      - The name of the sender. Callgoose puts it in front of the incident's title, as in C(Ansible - Disk full).
      - The payload contains it too, so that an API Filter under a global token can match on it.
      - An empty string sends no name.
      - If not set, the value of the environment variable E(CALLGOOSE_SOURCE) is used.
    type: str
    default: Ansible
  base_url:
    description:
      - The base URL of the API, as shown in the dashboard under B(API Token).
      - A URL that already ends in C(/v1/process) is accepted.
      - If not set, the value of the environment variable E(CALLGOOSE_BASE_URL) is used.
    type: str
    default: https://sqibs.callgoose.com/sqibs-api
  api_token:
    description:
      - The API token. It must be an B(Incident) token. The API refuses a Request token.
      - A token is required. White space around it is removed, such as the line break at the end of a file.
      - If not set, the value of the environment variable E(CALLGOOSE_API_TOKEN) is used.
    type: str
  auth_method:
    description:
      - How the token is sent. V(bearer) sends it in the C(Authorization) header, V(url_parameter) in the URL.
      - Prefer V(bearer), because proxies and servers log URLs.
      - If not set, the value of the environment variable E(CALLGOOSE_AUTH_METHOD) is used.
    type: str
    choices: [bearer, url_parameter]
    default: bearer
  validate_certs:
    description:
      - Whether to validate the server's TLS certificate.
      - If not set, the value of the environment variable E(CALLGOOSE_VALIDATE_CERTS) is used.
    type: bool
    default: true
  ca_path:
    description:
      - A PEM file or a directory with the certificate authorities to trust.
      - Without it, the authorities of E(REQUESTS_CA_BUNDLE) or E(CURL_CA_BUNDLE) are trusted. If neither is set, those
        that come with the Python library requests are trusted.
      - If not set, the value of the environment variable E(CALLGOOSE_CA_PATH) is used.
    type: path
  client_cert:
    description:
      - A PEM file with a client certificate. It may also contain the key.
      - If not set, the value of the environment variable E(CALLGOOSE_CLIENT_CERT) is used.
    type: path
  client_key:
    description:
      - A PEM file with the key of O(client_cert), if that file does not contain it.
      - If not set, the value of the environment variable E(CALLGOOSE_CLIENT_KEY) is used.
    type: path
  allow_http:
    description:
      - Whether O(base_url) may use plain C(http). Everyone on the network path can then read the token.
      - Loopback addresses (C(localhost), C(127.0.0.0/8) and C(::1)) need no permission.
      - If not set, the value of the environment variable E(CALLGOOSE_ALLOW_HTTP) is used.
    type: bool
    default: false
  timeout:
    description:
      - The maximum duration of one attempt in seconds, including the lookup of the host name.
      - If not set, the value of the environment variable E(CALLGOOSE_TIMEOUT) is used.
    type: float
    default: 10
  retries:
    description:
      - How often to retry after a temporary failure. Temporary are a connection that breaks or times out, a truncated
        response, and the statuses 408, 425, 429 and 5xx.
      - The delay between attempts grows from half a second to eight seconds. If the server sends C(Retry-After), that
        delay is used, up to 30 seconds.
      - If not set, the value of the environment variable E(CALLGOOSE_RETRIES) is used.
    type: int
    default: 3
requirements:
  - requests (Python library, on the host that sends the request)
notes:
  - Proxies are taken from the environment variables E(HTTPS_PROXY), E(HTTP_PROXY), E(ALL_PROXY) and E(NO_PROXY).
    Requests to loopback addresses never go through a proxy.
  - Entries in C(~/.netrc) are ignored and redirects are not followed, so that the token goes to O(base_url) only.
"""

    # With an annotation, because ansible-test's yamllint takes every plain assignment here for a literal.
    DOCUMENTATION: str = "\n".join(line for line in MODULE.split("\n") if _FALLBACK not in line)

    CALLBACK = r"""
options:
  source:
    env:
      - name: CALLGOOSE_SOURCE
    ini:
      - section: callback_callgoose_incident
        key: source
  base_url:
    env:
      - name: CALLGOOSE_BASE_URL
    ini:
      - section: callback_callgoose_incident
        key: base_url
  api_token:
    env:
      - name: CALLGOOSE_API_TOKEN
    ini:
      - section: callback_callgoose_incident
        key: api_token
  auth_method:
    env:
      - name: CALLGOOSE_AUTH_METHOD
    ini:
      - section: callback_callgoose_incident
        key: auth_method
  validate_certs:
    env:
      - name: CALLGOOSE_VALIDATE_CERTS
    ini:
      - section: callback_callgoose_incident
        key: validate_certs
  ca_path:
    env:
      - name: CALLGOOSE_CA_PATH
    ini:
      - section: callback_callgoose_incident
        key: ca_path
  client_cert:
    env:
      - name: CALLGOOSE_CLIENT_CERT
    ini:
      - section: callback_callgoose_incident
        key: client_cert
  client_key:
    env:
      - name: CALLGOOSE_CLIENT_KEY
    ini:
      - section: callback_callgoose_incident
        key: client_key
  allow_http:
    env:
      - name: CALLGOOSE_ALLOW_HTTP
    ini:
      - section: callback_callgoose_incident
        key: allow_http
  timeout:
    env:
      - name: CALLGOOSE_TIMEOUT
    ini:
      - section: callback_callgoose_incident
        key: timeout
  retries:
    env:
      - name: CALLGOOSE_RETRIES
    ini:
      - section: callback_callgoose_incident
        key: retries
"""
