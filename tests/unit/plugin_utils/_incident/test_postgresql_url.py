# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests what people see of a ``postgresql://`` URL, and that they never see its password.

Must not need psycopg or a server.
"""

from __future__ import annotations

from urllib.parse import quote

import hypothesis.strategies as st
import pytest
from hypothesis import given

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.postgresql_url import server_url


@pytest.mark.parametrize(
    "url, place",
    [
        ("postgresql://user:hunter2@db.example.com/callgoose", "postgresql://db.example.com/callgoose"),
        (
            "postgres://user:hunter2@db.example.com:5433/callgoose?sslmode=require",
            "postgresql://db.example.com:5433/callgoose",
        ),
        (
            "postgresql://db1:5432,db2:5433/callgoose?target_session_attrs=read-write",
            "postgresql://db1:5432,db2:5433/callgoose",
        ),
        ("postgresql://user@[2001:db8::1]:5432/callgoose", "postgresql://[2001:db8::1]:5432/callgoose"),
        ("postgresql:///callgoose?host=%2Frun%2Fpostgresql&password=hunter2", "postgresql:///run/postgresql/callgoose"),
        ("postgresql:///?host=db&dbname=callgoose", "postgresql://db/callgoose"),
        ("postgresql://?service=paging", "postgresql:// (service paging)"),
        ("postgresql://", "postgresql://localhost"),
        ("postgresql:///callgoose", "postgresql:///callgoose"),
    ],
)
def test_people_see_host_and_database(url: str, place: str) -> None:
    assert server_url(url).place == place
    assert "hunter2" not in repr(server_url(url))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:hunter2@more@host/db",
        "postgresql://user:hunter2/more@host/db",
        "postgresql://user:hunter2?more@host/db",
        "postgresql://user:hunter2#more@host/db",
        "postgresql://user:hunter2%@host/db",
        "postgresql://user:hunter2%zz@host/db",
        "postgresql://user:hunter2%00@host/db",
        "postgresql://user:hunter2\0@host/db",
        "postgresql://host/db?user=a@b&password=hunter2",
    ],
)
def test_a_url_that_libpq_would_misread_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ValueError, match="Write") as refused:
        server_url(url)
    assert "hunter2" not in str(refused.value)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=4))
def test_a_password_is_taken_out_of_messages_in_all_its_forms(password: str) -> None:
    encoded = quote(password, safe="")
    for url in (f"postgresql://user:{encoded}@h/d", f"postgresql://h/d?sslmode=require&password={encoded}"):
        place = server_url(url)
        text = place.redacted(f"1 {password} 2 {encoded} 3 {url} 4")
        assert password not in text or password in f"1 *** 2 *** 3 {place.place} 4"
        assert encoded not in text or encoded in f"1 *** 2 *** 3 {place.place} 4"


def test_the_passphrase_of_a_client_key_is_a_password_too() -> None:
    assert server_url("postgresql://h/d?sslpassword=hunter2").redacted("it is hunter2") == "it is ***"
