# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the connection options, shared by everything that calls the API.

Must not document anything that only one plugin has.
"""

from __future__ import annotations


class ModuleDocFragment:
    """The connection options as modules have them: with the variables that they fall back to."""

    DOCUMENTATION = r"""
options:
  source:
    description:
      - Names who sends. Callgoose puts it before the incident's title (C(Ansible - Disk full)).
      - It is also part of the payload, so that an API Filter under a global token can ask for it.
      - An empty text sends none.
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
      - The API token. It must be an B(Incident) token; a Request token is refused by the API.
      - Required. If not set, the value of the environment variable E(CALLGOOSE_API_TOKEN) is used.
    type: str
  auth_method:
    description:
      - How the token travels. V(bearer) sends it in the C(Authorization) header, V(url_parameter) in the URL.
      - Prefer V(bearer), since proxies and servers write URLs into their logs.
      - If not set, the value of the environment variable E(CALLGOOSE_AUTH_METHOD) is used.
    type: str
    choices: [bearer, url_parameter]
    default: bearer
  validate_certs:
    description:
      - Whether the server's TLS certificate is checked.
      - If not set, the value of the environment variable E(CALLGOOSE_VALIDATE_CERTS) is used.
    type: bool
    default: true
  ca_path:
    description:
      - A PEM file, or a folder, with the certificate authorities to trust.
      - Without it those of E(REQUESTS_CA_BUNDLE) or E(CURL_CA_BUNDLE) are trusted, or else those that come with
        the Python library requests.
      - If not set, the value of the environment variable E(CALLGOOSE_CA_PATH) is used.
    type: path
  client_cert:
    description:
      - A PEM file with a client certificate, perhaps with its key.
      - If not set, the value of the environment variable E(CALLGOOSE_CLIENT_CERT) is used.
    type: path
  client_key:
    description:
      - A PEM file with the key of O(client_cert), where that file does not hold it.
      - If not set, the value of the environment variable E(CALLGOOSE_CLIENT_KEY) is used.
    type: path
  allow_http:
    description:
      - Permits a O(base_url) with plain C(http), over which everybody on the way can read the token.
      - Addresses of the machine itself need no permission.
      - If not set, the value of the environment variable E(CALLGOOSE_ALLOW_HTTP) is used.
    type: bool
    default: false
  timeout:
    description:
      - Seconds that one attempt may take.
      - If not set, the value of the environment variable E(CALLGOOSE_TIMEOUT) is used.
    type: float
    default: 10
  retries:
    description:
      - How many further attempts follow one that failed in a way that may pass. These are a connection that broke
        or timed out, an answer that was cut off, and the statuses 408, 425, 429 and 5xx.
      - Between them the time grows, from half a second to eight, or is what the server asks for with
        C(Retry-After), up to 30 seconds.
      - If not set, the value of the environment variable E(CALLGOOSE_RETRIES) is used.
    type: int
    default: 3
requirements:
  - requests (Python library, where the request is sent from)
notes:
  - Proxies are taken from the environment variables E(HTTPS_PROXY), E(HTTP_PROXY) and E(NO_PROXY).
  - Entries of C(~/.netrc) are not used and redirects are not followed, so that the token goes to O(base_url) only.
"""

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
    type: str
    default: 'true'
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
    type: str
    default: 'false'
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
