# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificates with which the sandbox can serve.

Must not test client certificates: the tests of the log do.
"""

from __future__ import annotations

import pytest
import requests

from ansible_collections.callgoose.sqibs.tests.sandbox import Sandbox, SetupError


@pytest.mark.parametrize(("certificate", "words"), [("expired", "has expired"), ("other_host", "IP address mismatch")])
def test_a_bad_certificate_is_refused_and_a_valid_one_at_the_next_start_accepted(
    make_client, trigger, certificate, words
):
    client = make_client(tls=True, certificate=certificate)
    with pytest.raises(requests.exceptions.SSLError, match=words):
        client.post(trigger)
    assert client.sandbox.requests == []
    client.sandbox.close()
    client.sandbox.certificate = "valid"
    client.sandbox.start()
    assert client.post(trigger).status_code == 201


def test_an_unknown_kind_of_certificate_is_refused():
    with pytest.raises(SetupError, match="certificate must be one of valid, expired, other_host"):
        Sandbox(tls=True, certificate="forged")
