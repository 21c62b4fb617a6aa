# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes pytest test the built and installed artifact, and provides the fixtures that all suites share.

Must not import the collection from the source tree, and must not use the user's Ansible home.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import hypothesis
import pytest

TESTS = Path(__file__).resolve().parent
# Where the artifact is installed. Set from outside it is used as it is: a Python without ansible-core (the oldest one
# for modules) cannot build it, and the workers of pytest-xdist get it from their parent.
INSTALLED = "SQIBS_TEST_COLLECTIONS"

hypothesis.settings.register_profile("ci", derandomize=True, deadline=None)
hypothesis.settings.load_profile("ci")


def pytest_configure(config: pytest.Config) -> None:
    """Install the artifact once per run and make it importable in this process and its children."""
    if INSTALLED not in os.environ:
        scratch = tempfile.TemporaryDirectory(prefix="sqibs-tests-")
        config.add_cleanup(scratch.cleanup)
        command = [sys.executable, str(TESTS / "artifact.py"), "--with-tests", scratch.name]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        os.environ[INSTALLED] = scratch.name
    collections = os.environ[INSTALLED]
    sys.path.insert(0, collections)
    isolate_ansible(collections)
    if importlib.util.find_spec("ansible"):
        from ansible.plugins.loader import init_plugin_loader

        init_plugin_loader([collections])


def isolate_ansible(collections: str) -> None:
    """Make Ansible, in this process and its children, use the artifact and none of the user's configuration."""
    for name in [name for name in os.environ if name.startswith(("ANSIBLE_", "CALLGOOSE_"))]:
        del os.environ[name]
    configuration = Path(collections, "ansible.cfg")
    if not configuration.exists():
        configuration.write_text("[defaults]\n", encoding="utf-8")
    os.environ["ANSIBLE_CONFIG"] = str(configuration)
    os.environ["ANSIBLE_HOME"] = str(Path(collections, "ansible-home"))
    os.environ["ANSIBLE_COLLECTIONS_PATH"] = collections


@pytest.fixture(scope="session")
def collections_path() -> Path:
    """The collections path with the installed artifact; child processes find it in ANSIBLE_COLLECTIONS_PATH."""
    return Path(os.environ[INSTALLED])


@pytest.fixture(params=["body", "mapped"])
def reading(request: pytest.FixtureRequest) -> str:
    """The meaning of "similar request": the same body, or the same mapped value. The API page does not say which."""
    return request.param


@pytest.fixture()
def sandbox():
    """An emulated API on loopback with default settings, for one test."""
    from ansible_collections.callgoose.sqibs.tests.sandbox import Sandbox

    with Sandbox() as running:
        yield running


@pytest.fixture(scope="session")
def postgresql():
    """A PostgreSQL server on loopback for all tests of this process, which must leave it as it was."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    from ansible_collections.callgoose.sqibs.tests.postgresql_server import NoServer, Server

    # pytest's own temporary directories have paths that are too long for a socket, and keep other users out.
    with tempfile.TemporaryDirectory(prefix="sqibs-pg-", dir="/tmp") as directory:
        try:
            server = Server(Path(directory))
        except NoServer as reason:
            pytest.skip(str(reason))
        yield server
        server.stop()
