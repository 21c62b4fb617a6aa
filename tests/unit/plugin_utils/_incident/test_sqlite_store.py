# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests the SQLite store on real files: its permissions, its locks, and how it handles broken and older files.

Must not leave anything outside its temporary directories.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sqlite3
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident import sqlite_store
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.identity import Scope
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.ledger import OPEN, FailedHost, Incident, Ledger
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.sqlite_store import SqliteStore
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.store import (
    StoreError,
    StoreLost,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.stores import open_store

# The user "nobody".
OTHER = 65534
FORK = multiprocessing.get_context("fork")


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    return SqliteStore(tmp_path / "callgoose" / "state.db", patience=5.0)


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def unprivileged_user() -> Iterator[None]:
    """Give up root's rights for a while: permissions do not apply to root, and tests often run as root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(OTHER)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def shared_directory() -> Iterator[Path]:
    """A directory of the unprivileged user, whom pytest's own temporary directories keep out."""
    with tempfile.TemporaryDirectory(prefix="sqibs-store-") as directory:
        if os.geteuid() == 0:
            os.chown(directory, OTHER, OTHER)
        yield Path(directory)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def counted(ledger: Ledger) -> tuple[Ledger, int]:
    return replace(ledger, sequence=ledger.sequence + 1), ledger.sequence + 1


# --- keeping -------------------------------------------------------------------------------------------------------


def test_reading_creates_nothing(store: SqliteStore) -> None:
    assert store.read("base").sequence == 0
    assert not store.path.parent.exists()
    store.update("base", counted)
    before = store.path.read_bytes()
    store.read("another")
    assert store.path.read_bytes() == before
    assert [path.name for path in store.path.parent.iterdir()] == [store.path.name]


def test_a_path_may_contain_any_characters(tmp_path: Path) -> None:
    store = open_store(f"sqlite://{tmp_path}/50%20 ?mode=memory#ü.db")
    store.update("base", counted)
    assert [path.name for path in tmp_path.iterdir()] == ["50%20 ?mode=memory#ü.db"]


def test_a_relative_path_is_relative_to_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    SqliteStore(Path("state.db")).update("base", counted)
    assert SqliteStore(tmp_path / "state.db").read("base").sequence == 1


# --- who may read it -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_only_the_owner_can_read_it_whatever_the_umask(tmp_path: Path, mask: int) -> None:
    store = SqliteStore(tmp_path / "one" / "two" / "state.db")
    modes = []

    def change(ledger: Ledger) -> tuple[Ledger, None]:
        return replace(ledger, sequence=1), modes.extend(mode(path) for path in store.path.parent.iterdir())

    with umask(mask):
        store.update("base", change)
        store.update("another", change)
    assert set(modes) == {0o600}, "nor its journal"
    assert mode(store.path) == 0o600
    assert mode(tmp_path / "one") == mode(tmp_path / "one" / "two") == 0o700


def test_a_file_that_others_could_read_becomes_private(store: SqliteStore) -> None:
    store.update("base", counted)
    store.path.chmod(0o644)
    store.update("base", counted)
    assert mode(store.path) == 0o600


def test_an_existing_directory_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    SqliteStore(tmp_path / "state.db").update("base", counted)
    assert mode(tmp_path) == 0o755


# --- several processes ---------------------------------------------------------------------------------------------


def test_no_connection_stays_open(store: SqliteStore) -> None:
    descriptors = Path("/proc/self/fd")
    if not descriptors.is_dir():
        pytest.skip("this system has no /proc/self/fd")
    store.update("base", counted)
    store.read("base")
    opened = [str(path.readlink()) for path in descriptors.iterdir() if path.is_symlink()]
    assert not [name for name in opened if name.startswith(str(store.path))]


@pytest.mark.parametrize("use", ["read", "update"])
def test_a_call_waits_for_another_process_no_longer_than_its_patience(store: SqliteStore, use: str) -> None:
    store.update("base", counted)
    impatient = SqliteStore(store.path, patience=0.3)
    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        began = time.monotonic()
        with pytest.raises(StoreError, match=r"state\.db cannot be used: database is locked"):
            if use == "read":
                impatient.read("base")
            else:
                impatient.update("base", counted)
        assert 0.2 < time.monotonic() - began < 1.5
        other.execute("ROLLBACK")
    assert impatient.update("base", counted) == 2


def test_a_call_waits_for_a_slow_reader_no_longer_than_its_patience(store: SqliteStore) -> None:
    store.update("base", counted)
    changes = []
    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM callgoose_ledgers").fetchall()
        began = time.monotonic()
        with pytest.raises(StoreError, match="database is locked"):
            SqliteStore(store.path, patience=0.3).update("base", lambda ledger: (changes.append(1), counted(ledger))[1])
        assert time.monotonic() - began < 1.5
    assert not changes, "a change that cannot be written is not computed"


# --- what cannot be used -------------------------------------------------------------------------------------------


def assert_unusable(store: SqliteStore, pattern: str) -> None:
    with pytest.raises(StoreError, match=pattern) as refused:
        store.update("base", counted)
    assert str(store.path) in str(refused.value)


def test_a_directory_in_place_of_the_file_is_reported(tmp_path: Path) -> None:
    assert_unusable(SqliteStore(tmp_path), "is not a regular file")
    with pytest.raises(StoreError, match="is not a regular file"):
        SqliteStore(tmp_path).read("base")


def test_a_pipe_in_place_of_the_file_is_reported_and_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "state.db")
    assert_unusable(SqliteStore(tmp_path / "state.db"), "is not a regular file")


def test_a_file_in_place_of_the_directory_is_reported(tmp_path: Path) -> None:
    (tmp_path / "callgoose").write_text("in the way")
    store = SqliteStore(tmp_path / "callgoose" / "state.db")
    assert_unusable(store, r"cannot be created: .*Not a directory")
    with pytest.raises(StoreError, match=r"cannot be read: .*Not a directory"):
        store.read("base")


def test_a_directory_that_cannot_be_written_is_reported(shared_directory: Path) -> None:
    shared_directory.chmod(0o555)
    with unprivileged_user():
        assert_unusable(SqliteStore(shared_directory / "state.db"), r"cannot be created: .*Permission denied")
        assert_unusable(
            SqliteStore(shared_directory / "deeper" / "state.db"), r"cannot be created: .*Permission denied"
        )
        assert SqliteStore(shared_directory / "state.db").read("base").sequence == 0, "nothing exists yet"


def test_a_read_only_store_can_be_read(shared_directory: Path) -> None:
    with unprivileged_user():
        store = SqliteStore(shared_directory / "state.db")
        store.update("base", counted)
    shared_directory.chmod(0o555)
    with unprivileged_user():
        assert store.read("base").sequence == 1
        assert_unusable(store, "cannot be used: ")
        assert store.read("base").sequence == 1


def test_a_full_disk_is_reported_and_changes_nothing(store: SqliteStore) -> None:
    resource = pytest.importorskip("resource")
    store.update("base", counted)

    def fill() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (16_384, 16_384))
        try:
            large = {"web1": FailedHost(1, {"message": "x" * 100_000})}
            incidents = {"key": Incident("key", Scope(), failed_hosts=large)}
            store.update("base", lambda ledger: (replace(ledger, incidents=incidents), None))
        except StoreError as error:
            os._exit(0 if "cannot be used" in str(error) else 2)
        os._exit(1)

    child = FORK.Process(target=fill)
    child.start()
    child.join(30)
    assert child.exitcode == 0
    assert store.update("base", counted) == 2


# --- what another user may have written ----------------------------------------------------------------------------


class Owners:
    """Owners of paths as the store sees them, without the rights that changing them would need."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.users: dict[Path, int] = {}
        lstat = Path.lstat

        def status(path: Path) -> os.stat_result:
            found = list(lstat(path))
            found[stat.ST_UID] = self.users.get(path, found[stat.ST_UID])
            return os.stat_result(found)

        monkeypatch.setattr(Path, "lstat", status)


@pytest.fixture
def owners(monkeypatch: pytest.MonkeyPatch) -> dict[Path, int]:
    return Owners(monkeypatch).users


def assert_refused(store: SqliteStore, *words: str) -> None:
    """Reading and updating are refused with a warning that has these words, and nothing is changed."""
    before = store.path.read_bytes() if store.path.exists() else None
    for use in (store.read, lambda base: store.update(base, counted)):
        with pytest.raises(StoreLost) as refused:
            use("base")
        message = str(refused.value)
        assert all(word in message for word in (str(store.path), "Set state_url to a file", "chown", *words)), message
    assert (store.path.read_bytes() if store.path.exists() else None) == before


@pytest.mark.parametrize("ending", ["", "-journal", "-wal", "-shm"])
def test_a_file_of_another_user_is_refused(store: SqliteStore, owners: dict[Path, int], ending: str) -> None:
    store.update("base", counted)
    path = store.path.with_name(store.path.name + ending)
    path.touch()
    owners[path] = os.geteuid() + 4321
    assert_refused(store, f"{path} belongs to user {os.geteuid() + 4321}, but this run to user ")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_root_refuses_a_file_that_belongs_to_another_user(store: SqliteStore) -> None:
    store.update("base", counted)
    os.chown(store.path, OTHER, OTHER)
    assert_refused(store, f"{store.path} belongs to user ", "but this run to user root")


@pytest.mark.parametrize(("user", "is_refused"), [(os.geteuid() + 4321, True), (0, False)])
def test_a_link_of_another_user_is_refused_unless_it_is_roots(
    store: SqliteStore, tmp_path: Path, owners: dict[Path, int], user: int, is_refused: bool
) -> None:
    store.update("base", counted)
    link = SqliteStore(tmp_path / "link.db")
    link.path.symlink_to(store.path)
    assert link.read("base").sequence == 1, "a link of one's own is followed"
    owners[link.path] = user
    if is_refused:
        assert_refused(link, f"{link.path} belongs to user {user}")
    else:
        assert link.update("base", counted) == 2


def test_a_link_leads_to_the_file_whose_surroundings_are_checked(
    store: SqliteStore, tmp_path: Path, owners: dict[Path, int]
) -> None:
    store.update("base", counted)
    link = SqliteStore(tmp_path / "link.db")
    link.path.symlink_to(store.path)
    owners[store.path] = os.geteuid() + 4321
    assert_refused(link, f"{store.path} belongs to user")


def test_a_directory_of_another_user_is_refused_unless_it_is_roots(store: SqliteStore, owners: dict[Path, int]) -> None:
    store.update("base", counted)
    owners[store.path.parent] = 0
    store.update("base", counted)
    owners[store.path.parent] = os.geteuid() + 4321
    assert_refused(store, f"{store.path.parent} belongs to user")


@pytest.mark.parametrize(("rights", "is_refused"), [(0o777, True), (0o1777, False), (0o775, False)])
def test_a_directory_in_which_every_user_can_replace_the_file_is_refused(
    store: SqliteStore, rights: int, is_refused: bool
) -> None:
    store.path.parent.mkdir()
    store.path.parent.chmod(rights)
    if not is_refused:
        assert store.update("base", counted) == 1
        return
    assert_refused(store, f"every user can write to {store.path.parent}", "chmod")
    assert not store.path.exists()


# --- what is broken ------------------------------------------------------------------------------------------------


BROKEN = b"SQLite format 3\x00" + b"and nothing more that it could have written" * 100


@pytest.mark.parametrize("use", ["read", "update"])
def test_a_file_that_is_not_a_store_is_left_unchanged(store: SqliteStore, use: str) -> None:
    store.path.parent.mkdir(exist_ok=True)
    store.path.write_text("somebody's own notes\n", encoding="utf-8")
    store.path.chmod(0o644)
    for _time in range(2):
        with pytest.raises(StoreLost, match="is not an SQLite file and is left unchanged"):
            if use == "read":
                store.read("base")
            else:
                store.update("base", counted)
    assert store.path.read_text(encoding="utf-8") == "somebody's own notes\n"
    assert mode(store.path) == 0o644


@pytest.mark.parametrize("use", ["read", "update"])
def test_a_broken_file_is_renamed_and_reported_once(store: SqliteStore, use: str) -> None:
    store.update("base", counted)
    store.path.write_bytes(BROKEN)
    with pytest.raises(StoreLost, match=r"is broken .* renamed to state\.db\.broken"):
        if use == "read":
            store.read("base")
        else:
            store.update("base", counted)
    assert store.path.with_name("state.db.broken").read_bytes() == BROKEN
    assert store.read("base").sequence == 0
    assert store.update("base", counted) == 1
    assert mode(store.path) == 0o600


def test_a_file_with_damaged_contents_is_renamed_too(store: SqliteStore) -> None:
    for number in range(50):
        store.update(f"base {number}", counted)
    with store.path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 8192)
    with pytest.raises(StoreError, match="is broken"):
        store.update("base 1", counted)
    assert store.update("base 1", counted) == 1


def test_a_broken_file_that_another_process_has_replaced_meanwhile_is_left_alone(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.update("base", counted)
    good = store.path.read_bytes()
    store.path.write_bytes(BROKEN)
    replace_file = SqliteStore._set_aside

    def after_another(self: SqliteStore, opened: os.stat_result | None, error: Exception) -> str:
        self.path.rename(self.path.with_name("elsewhere"))
        self.path.write_bytes(good)
        return replace_file(self, opened, error)

    monkeypatch.setattr(SqliteStore, "_set_aside", after_another)
    with pytest.raises(StoreError):
        store.update("base", counted)
    assert store.read("base").sequence == 1


@pytest.mark.parametrize("use", ["read", "update"])
def test_a_file_of_a_newer_collection_is_left_unchanged(store: SqliteStore, use: str) -> None:
    store.update("base", counted)
    with closing(sqlite3.connect(store.path)) as other:
        other.execute("PRAGMA user_version = 3")
    before = store.path.read_bytes()
    with pytest.raises(StoreError, match=r"state\.db was written by a newer version"):
        if use == "read":
            store.read("base")
        else:
            store.update("base", counted)
    assert store.path.read_bytes() == before


def test_an_empty_file_is_a_new_store(store: SqliteStore) -> None:
    store.path.parent.mkdir()
    store.path.touch()
    assert store.read("base").sequence == 0
    assert store.update("base", counted) == 1


# --- version 1 -----------------------------------------------------------------------------------------------------


OLD_INCIDENT = {
    "scope": {"limit": [], "tags": [], "skip_tags": []},
    "members": {"web1": [7, {"message": "broken"}], "*web2": [6, {}]},
    "episode": 2,
    "standing": OPEN,
    "granted": True,
    "failed_runs": 3,
    "sent_hosts": ["web1"],
    "answered_at": 5.0,
    "refused_at": None,
    "warned": False,
}


@pytest.fixture
def old(store: SqliteStore) -> SqliteStore:
    """A store of version 1 with a good ledger, a closed one and one that cannot be read."""
    closed = {**OLD_INCIDENT, "members": {}, "standing": "closed"}
    documents = {
        "base": json.dumps({"id": "an id", "sequence": 7, "incidents": {"key": OLD_INCIDENT}}),
        "closed": json.dumps({"id": "another id", "sequence": 2, "incidents": {"closed key": closed}}),
        "broken": '{"id": "a third id", "sequence": "two"',
    }
    store.path.parent.mkdir()
    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("CREATE TABLE ledgers (base TEXT PRIMARY KEY, document TEXT NOT NULL)")
        other.executemany("INSERT INTO ledgers VALUES (?, ?)", documents.items())
        other.execute("PRAGMA user_version = 1")
    return store


def assert_moved_on(store: SqliteStore) -> None:
    ledger = store.read("base")
    assert (ledger.id, ledger.sequence) == ("an id", 7)
    incident = ledger.incidents["key"]
    assert incident.hosts == {"web1", "*(web2)"}
    assert (incident.remote_state, incident.confirmed, incident.episode) == (OPEN, True, 2)
    assert not store.read("closed").incidents["closed key"].hosts
    assert store.bases_of("key") == ["base"]
    assert store.waiting(1e12) == []
    with closing(sqlite3.connect(store.path)) as other:
        assert other.execute("PRAGMA user_version").fetchone() == (2,)
        tables = {row[0] for row in other.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert "ledgers" not in tables


@pytest.mark.parametrize(
    "use",
    [
        lambda store: store.read("base"),
        lambda store: store.read("base", ()),
        lambda store: store.update("base", lambda ledger: (ledger, None)),
        lambda store: store.update("new", counted),
        lambda store: store.touch("base", "no such run", "a task", 1.0),
        lambda store: store.waiting(1.0),
        lambda store: store.bases(),
        lambda store: store.bases_of("key"),
        lambda store: store.history("base", 1),
    ],
)
def test_any_use_moves_a_file_of_version_1_on_and_forgets_nothing(
    old: SqliteStore, use: Callable[[SqliteStore], object]
) -> None:
    use(old)
    assert_moved_on(old)
    assert mode(old.path) == 0o600


def test_an_unreadable_ledger_of_version_1_is_set_aside_with_a_warning_when_it_is_read(old: SqliteStore) -> None:
    assert_moved_on(old)
    assert "broken" in old.bases()
    with pytest.raises(StoreLost, match=r"is unreadable .* and was renamed there"):
        old.read("broken")
    assert old.update("broken", counted) == 1
    with closing(sqlite3.connect(old.path)) as other:
        query = "SELECT document FROM callgoose_ledgers WHERE base = 'unreadable broken'"
        assert other.execute(query).fetchone() == ('{"id": "a third id", "sequence": "two"',)


def test_several_processes_move_a_file_on_once(old: SqliteStore) -> None:
    children = [FORK.Process(target=lambda: old.update("base", counted)) for _number in range(4)]
    for child in children:
        child.start()
    for child in children:
        child.join(30)
    assert [child.exitcode for child in children] == [0] * 4
    assert old.read("base").sequence == 11
    assert old.read("base").incidents["key"].hosts == {"web1", "*(web2)"}


def test_a_file_that_cannot_be_moved_on_stays_as_it_is(old: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sqlite_store, "save", interrupted)
    with pytest.raises(KeyboardInterrupt):
        old.read("base")
    monkeypatch.undo()
    assert_moved_on(old)
