# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A project gives the same key on every machine, in every checkout and by every path; and what is used without one.

Must not depend on the name, directory or environment of this machine: each test creates what it needs.
"""

from __future__ import annotations

import os
import shutil
import string
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context import project
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context import project as surroundings
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._context.project import (
    Machine,
    Project,
    read_facts,
    read_job_template,
    read_limit,
    read_project,
    read_sources,
    temporary_directories,
    this_machine,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.identity import (
    IN_PROJECT,
    INLINE,
    ON_MACHINE,
    TEMPORARY,
    Identity,
    IdentityFacts,
    JobTemplate,
    Scope,
    Source,
    identify,
)

NAMES = st.text(string.ascii_lowercase + string.digits + "-", min_size=1, max_size=12)


def make_project(root: Path, remote: str = "git@git.example.com:org/infra.git") -> Path:
    """Create a project with two playbooks, two inventories and an ansible.cfg. If ``remote`` is empty, omit git."""
    for name in ("playbooks/site.yml", "playbooks/db.yml", "inventories/prod/hosts", "inventories/staging/hosts"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("", encoding="utf-8")
    (root / "ansible.cfg").write_text("[defaults]\n", encoding="utf-8")
    if remote:
        (root / ".git").mkdir()
        (root / ".git/HEAD").write_text("ref: refs/heads/main\n", encoding="utf-8")
        (root / ".git/config").write_text(f'[remote "origin"]\n\turl = {remote}\n', encoding="utf-8")
    return root


def facts(root: Path, **changes: object) -> IdentityFacts:
    """Return the facts of the project's site playbook with its production inventory, called from its root."""
    call: dict = {
        "playbook": "playbooks/site.yml",
        "sources": [str(root / "inventories/prod")],
        "subset": None,
        "tags": ("all",),
        "skip_tags": (),
        "extra_vars": {},
        "environ": {},
        "config_file": str(root / "ansible.cfg"),
        "machine": Machine("runner-1", root),
        "hosts": ("web1",),
    }
    return read_facts(**{**call, **changes})


def identity(root: Path, **changes: object) -> Identity:
    return identify(facts(root, **changes))


@pytest.fixture(autouse=True)
def no_temporary_directories(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the tests' own directories count as lasting."""
    monkeypatch.setattr(project, "temporary_directories", set)


@pytest.fixture
def infra(tmp_path: Path) -> Path:
    return make_project(tmp_path / "infra")


def test_a_checkout_is_named_by_its_remote(infra: Path) -> None:
    assert identity(infra).name == "org/infra playbooks/site.yml"


@given(host=NAMES, directory=NAMES, form=st.sampled_from(["https://x:y@git.example.com/org/infra", "/org/infra.git"]))
def test_two_checkouts_on_two_machines_share_a_key(
    tmp_path_factory: pytest.TempPathFactory, host: str, directory: str, form: str
) -> None:
    one = make_project(tmp_path_factory.mktemp("one") / "infra")
    other = make_project(tmp_path_factory.mktemp("other") / directory, form)
    assert identity(one) == identity(other, machine=Machine(host, other))
    shutil.rmtree(one.parent)
    shutil.rmtree(other.parent)


@given(
    playbooks=st.sampled_from([("site.yml", "db.yml"), ("site.yml", "site.yml")]),
    inventories=st.lists(st.sampled_from(["prod", "staging", "prod/hosts"]), min_size=2, max_size=2),
)
def test_two_runs_share_a_base_only_on_the_same_playbook_and_inventory(
    tmp_path_factory: pytest.TempPathFactory, playbooks: tuple[str, str], inventories: list[str]
) -> None:
    root = make_project(tmp_path_factory.mktemp("one") / "infra")
    one, other = (
        identity(root, playbook=f"playbooks/{playbook}", sources=[f"inventories/{inventory}"])
        for playbook, inventory in zip(playbooks, inventories, strict=True)
    )
    same = playbooks[0] == playbooks[1] and inventories[0] == inventories[1]
    assert (one.base == other.base) is same
    shutil.rmtree(root.parent)


def test_the_key_is_the_same_however_and_from_wherever_the_playbook_is_called(infra: Path) -> None:
    elsewhere = Machine("runner-1", infra.parent)
    inside = Machine("runner-1", infra / "playbooks")
    assert identity(infra, playbook=str(infra / "playbooks/site.yml"), machine=elsewhere) == identity(infra)
    assert identity(infra, playbook="infra/playbooks/../playbooks/site.yml", machine=elsewhere) == identity(infra)
    assert identity(infra, playbook="site.yml", sources=["../inventories/prod/"], machine=inside) == identity(infra)
    assert identity(infra, playbook="site.yml", config_file=None, machine=inside) == identity(infra)


def test_a_linked_project_directory_is_the_same_project(infra: Path, tmp_path: Path) -> None:
    (tmp_path / "current").symlink_to("infra")
    link = tmp_path / "current"
    assert identity(link) == identity(infra)
    assert identity(link, sources=[str(infra / "inventories/prod")]) == identity(infra)
    assert identity(infra, sources=[str(link / "inventories/prod")]) == identity(infra)


def test_files_that_link_into_the_project_belong_to_it(infra: Path, tmp_path: Path) -> None:
    (tmp_path / "nightly.yml").symlink_to(infra / "playbooks/site.yml")
    (tmp_path / "hosts").symlink_to(infra / "inventories/prod")
    called = identity(infra, playbook=str(tmp_path / "nightly.yml"), sources=[str(tmp_path / "hosts")])
    assert called == identity(infra)


def test_a_link_inside_the_project_keeps_its_own_name(infra: Path, tmp_path: Path) -> None:
    # Kubernetes mounts each file of a config map as a link into a directory named after the time.
    mounted = tmp_path / "mounted"
    for moment in ("..2026_01_01", "..2026_01_02"):
        shutil.rmtree(mounted, ignore_errors=True)
        (mounted / moment).mkdir(parents=True)
        (mounted / "..data").symlink_to(moment)
        for name in ("site.yml", "hosts"):
            (mounted / moment / name).write_text("", encoding="utf-8")
            (mounted / name).symlink_to(f"..data/{name}")
        read = facts(mounted, playbook="site.yml", sources=["hosts"], config_file=None)
        assert (read.folder, read.playbook, read.sources) == ("mounted", "site.yml", (Source(IN_PROJECT, "hosts"),))


def test_without_a_remote_the_checkout_directory_names_the_project(tmp_path: Path) -> None:
    root = make_project(tmp_path / "infra")
    (root / ".git/config").write_text("", encoding="utf-8")
    assert read_project("playbooks/site.yml", None, root) == Project(root, "infra", "", "playbooks/site.yml")


def test_without_git_the_directory_of_the_ansible_cfg_names_the_project(tmp_path: Path) -> None:
    root = make_project(tmp_path / "infra", remote="")
    read = read_project("playbooks/site.yml", "ansible.cfg", root)
    assert read == Project(root, "infra", "", "playbooks/site.yml")


@pytest.mark.parametrize(
    "config", [None, "/etc/ansible/ansible.cfg", "{home}/.ansible.cfg", "{home}/other/ansible.cfg"]
)
def test_without_either_the_playbook_directory_names_the_project(tmp_path: Path, config: str | None) -> None:
    root = make_project(tmp_path / "infra", remote="")
    read = read_project("playbooks/site.yml", config and config.format(home=tmp_path), root)
    assert read == Project(root / "playbooks", "playbooks", "", "site.yml")


def test_the_git_root_takes_precedence_over_an_ansible_cfg_below_it(infra: Path) -> None:
    (infra / "playbooks/ansible.cfg").write_text("", encoding="utf-8")
    read = read_project("playbooks/site.yml", str(infra / "playbooks/ansible.cfg"), infra)
    assert (read.root, read.playbook) == (infra, "playbooks/site.yml")


@pytest.mark.parametrize("config", [None, "/etc/ansible/ansible.cfg"])
def test_files_in_the_system_directory_of_ansible_belong_to_the_machine(config: str | None) -> None:
    read = read_project("/etc/ansible/site.yml", config, Path("/"))
    assert read == Project(None, "", "", "/etc/ansible/site.yml")
    assert read_sources(["/etc/ansible/inventory"], read.root, Path("/")) == (
        Source(ON_MACHINE, "/etc/ansible/inventory"),
    )


def test_a_collection_playbook_has_its_full_name_and_belongs_to_the_calling_project(infra: Path) -> None:
    read = read_project("callgoose.sqibs.trigger", str(infra / "ansible.cfg"), Path("/"))
    assert read == Project(infra, "infra", "git@git.example.com:org/infra.git", "callgoose.sqibs.trigger")
    assert read_project("callgoose.sqibs.trigger", None, infra / "playbooks") == read
    assert read_project("callgoose.sqibs.trigger", "/etc/ansible/ansible.cfg", infra) == read

    for config in (None, "/etc/ansible/ansible.cfg", "/root/.ansible.cfg"):
        # Called by cron: neither the current directory nor the ansible.cfg belongs to a project.
        read = read_project("callgoose.sqibs.trigger", config, Path("/"))
        assert read == Project(None, "", "", "callgoose.sqibs.trigger")


def test_without_git_a_collection_playbook_belongs_to_the_directory_of_the_ansible_cfg(tmp_path: Path) -> None:
    root = make_project(tmp_path / "infra", remote="")
    read = read_project("callgoose.sqibs.trigger", str(root / "ansible.cfg"), Path("/"))
    assert read == Project(root, "infra", "", "callgoose.sqibs.trigger")


@pytest.mark.parametrize(
    ("called", "name"),
    [
        ("callgoose.sqibs.trigger", "callgoose.sqibs.trigger"),
        ("callgoose.sqibs.trigger.yml", "callgoose.sqibs.trigger"),
        ("callgoose.sqibs.day.backup", "callgoose.sqibs.day.backup"),
        ("/opt/ansible_collections/callgoose/sqibs/playbooks/trigger.yml", "callgoose.sqibs.trigger"),
        ("/opt/ansible_collections/callgoose/sqibs/playbooks/trigger.yaml", "callgoose.sqibs.trigger"),
        ("/opt/ansible_collections/callgoose/sqibs/playbooks/day/backup.yml", "callgoose.sqibs.day.backup"),
        ("collections/ansible_collections/callgoose/sqibs/playbooks/trigger.yml", "callgoose.sqibs.trigger"),
    ],
)
def test_a_collection_playbook_has_one_name_however_it_is_called(infra: Path, called: str, name: str) -> None:
    assert read_project(called, None, infra).playbook == name


def test_a_file_with_dots_in_its_name_is_not_a_collection_playbook(infra: Path) -> None:
    (infra / "my.own.site").write_text("", encoding="utf-8")
    assert read_project("my.own.site", None, infra).playbook == "my.own.site"
    assert read_project("my.site.yml", None, infra).root == infra
    (infra / "my.site.yml").write_text("", encoding="utf-8")
    assert read_project("my.site.yml", None, infra).playbook == "my.site.yml"


@pytest.mark.parametrize(
    ("source", "read"),
    [
        ("inventories/prod", Source(IN_PROJECT, "inventories/prod")),
        ("inventories/prod/", Source(IN_PROJECT, "inventories/prod")),
        ("./inventories/../inventories/prod/hosts", Source(IN_PROJECT, "inventories/prod/hosts")),
        (".", Source(IN_PROJECT, ".")),
        ("not/there", Source(IN_PROJECT, "not/there")),
        ("/srv/shared/hosts", Source(ON_MACHINE, "/srv/shared/hosts")),
        ("web1,web2,", Source(INLINE, "web1,web2,")),
        ("web2,web1,", Source(INLINE, "web2,web1,")),
        ("localhost,", Source(INLINE, "localhost,")),
        ("web," * 2000, Source(INLINE, "web," * 2000)),
        ("inventories/a,b", Source(IN_PROJECT, "inventories/a,b")),
    ],
)
def test_a_source_is_a_path_in_the_project_or_on_the_machine_or_a_host_list(
    infra: Path, source: str, read: Source
) -> None:
    (infra / "inventories/a,b").write_text("", encoding="utf-8")
    assert read_sources([source], infra, infra) == (read,)


def test_the_parent_of_the_current_directory_has_its_own_name(infra: Path) -> None:
    assert read_sources([".."], infra, infra / "playbooks") == (Source(IN_PROJECT, "."),)


def test_a_directory_whose_name_starts_with_the_project_name_is_outside(infra: Path) -> None:
    assert read_sources([f"{infra}-2/hosts"], infra, Path("/")) == (Source(ON_MACHINE, f"{infra}-2/hosts"),)


def test_an_inventory_outside_the_project_belongs_to_the_machine(infra: Path, tmp_path: Path) -> None:
    shared = [str(infra / "inventories/prod"), str(tmp_path / "shared")]
    one = identity(infra, sources=shared)
    other = identity(infra, sources=shared, machine=Machine("runner-2", infra))
    assert one.base != other.base
    assert one == identity(infra, sources=shared)


def test_an_inline_host_list_is_the_same_on_every_machine(infra: Path) -> None:
    one, other = (identity(infra, sources=["web1,"], machine=Machine(name, infra)) for name in ("one", "two"))
    assert one == other != identity(infra, sources=["web2,"])


def test_without_an_inventory_the_run_is_the_same_on_every_machine(
    infra: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    default = tmp_path / "etc-ansible-hosts"
    monkeypatch.setattr(surroundings, "_DEFAULT_INVENTORY", str(default))
    here, there = Machine("runner-1", infra), Machine("runner-2", infra)
    assert facts(infra, sources=[str(default)]).sources == ()
    assert identity(infra, sources=[str(default)], machine=here) == identity(infra, sources=[], machine=there)
    default.write_text("web1\n", encoding="utf-8")
    assert facts(infra, sources=[str(default)]).sources == (Source(ON_MACHINE, str(default)),)
    assert identity(infra, sources=[str(default)], machine=here) != identity(infra, sources=[], machine=there)


@pytest.mark.parametrize(
    ("subset", "patterns"),
    [
        (None, ()),
        ("", ()),
        (" , ", ()),
        ("web1", ("web1",)),
        ("web2, web1", ("web2", "web1")),
        ("web1:web2", ("web1", "web2")),
        ("web:&prod:!web3", ("web", "&prod", "!web3")),
        ("web[1:3]", ("web[1:3]",)),
        ("web[1:3]:db[0]", ("web[1:3]", "db[0]")),
        ("2001:db8::1", ("2001:db8::1",)),
        ("[2001:db8::1]:22", ("[2001:db8::1]:22",)),
        ("2001:db8::1,web1", ("2001:db8::1", "web1")),
        ("~web\\d+", ("~web\\d+",)),
    ],
)
def test_a_limit_is_split_by_the_rules_of_ansible(subset: str | None, patterns: tuple[str, ...]) -> None:
    assert read_limit(subset, Path("/")) == patterns


def test_a_limit_file_is_replaced_by_its_lines(tmp_path: Path, infra: Path) -> None:
    (tmp_path / "site.retry").write_bytes(b"web2\r\n web1 \n\nweb[1:3]\n")
    written_out = identity(infra, subset="db,web1,web2,web[1:3]").scope
    assert identity(infra, subset=f"@{tmp_path}/site.retry,db").scope == written_out
    beside = identity(infra, subset="@site.retry:db", machine=Machine("runner-1", tmp_path)).scope
    assert beside == written_out == Scope(limit=("db", "web1", "web2", "web[1:3]"))


def test_an_empty_limit_file_means_no_limit_as_in_ansible(tmp_path: Path, infra: Path) -> None:
    (tmp_path / "site.retry").write_text("\n", encoding="utf-8")
    assert identity(infra, subset=f"@{tmp_path}/site.retry").scope == Scope()


@pytest.mark.parametrize("kind", ["absent", "directory", "pipe", "below a file", "too long"])
def test_an_unreadable_limit_file_never_counts_as_no_limit(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "limit"
    if kind == "directory":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "below a file":
        path.write_text("web1\n", encoding="utf-8")
        path = path / "limit"
    elif kind == "too long":
        path = tmp_path / ("x" * 5000)
    assert read_limit(f"@{path}", Path("/")) == (f"@{path}",)


@given(patterns=st.lists(NAMES.map("h{}".format), min_size=1, max_size=5), data=st.data())
def test_the_order_and_the_form_of_a_limit_do_not_matter(
    tmp_path_factory: pytest.TempPathFactory, patterns: list[str], data: st.DataObject
) -> None:
    directory = tmp_path_factory.mktemp("limit")
    again = data.draw(st.permutations(patterns))
    (directory / "some.retry").write_text("\n".join(again), encoding="utf-8")
    forms = (",".join(again), ":".join(again), "@some.retry", f"{patterns[0]},@some.retry")
    scopes = {identify(replace(IdentityFacts("site.yml"), limit=read_limit(form, directory))).scope for form in forms}
    assert scopes == {Scope(limit=tuple(sorted(set(patterns))))}
    shutil.rmtree(directory)


def test_tags_key_vars_and_the_project_option_are_passed_on(infra: Path) -> None:
    read = facts(
        infra,
        tags=["web,db"],
        skip_tags=["slow"],
        project="platform",
        key_vars=["env"],
        extra_vars={"env": "prod", "other": 1},
    )
    assert identify(read).scope == Scope(tags=("db", "web"), skip_tags=("slow",))
    assert identify(read).name == "platform playbooks/site.yml"
    assert read.key_vars == (("env", "prod"),)


AWX_VARS = {"awx_job_id": 42, "awx_job_launch_type": "manual", "awx_job_template_id": 7, "awx_inventory_id": 3}


@pytest.mark.parametrize("prefix", ["awx", "tower"])
def test_an_awx_job_is_the_same_in_every_container(infra: Path, tmp_path: Path, prefix: str) -> None:
    extra_vars = {name.replace("awx", prefix): value for name, value in AWX_VARS.items()}
    environ = {"AWX_HOST": "https://awx.example.com/"}
    runner = make_project(tmp_path / "runner/project", remote="")
    one = identity(infra, extra_vars=extra_vars, environ=environ)
    other = identity(
        runner,
        sources=["/runner/inventory/hosts"],
        extra_vars={**extra_vars, f"{prefix}_job_id": 43},
        environ=environ,
        machine=Machine("automation-job-43-x7z", runner),
    )
    assert one == other
    assert one.name == "awx.example.com template 7 inventory 3"


def test_the_awx_url_template_and_inventory_are_read_as_strings() -> None:
    environ = {"AWX_HOST": "https://x:y@AWX.example.com/"}
    assert read_job_template(environ, AWX_VARS) == JobTemplate("https://awx.example.com", "7", "3")
    assert read_job_template({}, {"awx_job_template_id": 7}) == JobTemplate("", "7", "")


@pytest.mark.parametrize("extra_vars", [{}, {"awx_job_id": 42, "awx_inventory_id": 3}])
def test_a_run_without_a_job_template_is_identified_by_its_project(infra: Path, extra_vars: dict) -> None:
    read = identity(infra, extra_vars=extra_vars, environ={"AWX_HOST": "https://awx.example.com"})
    assert read == identity(infra)


LAID_OUT_LIKE_ANSIBLE_RUNNER = ("project", "artifacts", "inventory")


@pytest.mark.parametrize(
    "path",
    [
        "/var/lib/jenkins/workspace/deploy@tmp/hosts",
        "/var/lib/rundeck/var/tmp/hosts",
        "/opt/x/inventory1234567890.ini",
        "/opt/x/ansible-inventory98765.yaml",
        "/home/me/packer-provisioner-ansible1234567",
    ],
)
def test_inventories_that_a_tool_writes_for_one_run_are_temporary(infra: Path, path: str) -> None:
    assert read_sources([path], infra, infra) == (Source(TEMPORARY, path),)


@pytest.mark.parametrize("name", ["inventory2.ini", "ansible-inventory-prod.yml", "ansible-inventory"])
def test_a_committed_inventory_with_such_a_name_is_not_temporary(infra: Path, name: str) -> None:
    assert read_sources([str(infra / name)], infra, infra) == (Source(IN_PROJECT, name),)


def test_a_temporary_file_in_the_project_is_temporary_too(infra: Path) -> None:
    path = infra / "inventory1234567890.ini"  # as Jenkins writes it into the workspace
    assert read_sources([str(path)], infra, infra) == (Source(TEMPORARY, str(path)),)


def test_what_lies_in_a_temporary_directory_outside_the_project_is_temporary(infra: Path, monkeypatch) -> None:
    outside = infra.parent / "hosts"
    assert read_sources([str(outside)], infra, infra) == (Source(ON_MACHINE, str(outside)),)
    monkeypatch.setattr(project, "temporary_directories", lambda: {infra.parent})
    assert read_sources([str(outside)], infra, infra) == (Source(TEMPORARY, str(outside)),)
    inside = infra / "inventories/prod"
    assert read_sources([str(inside)], infra, infra) == (Source(IN_PROJECT, "inventories/prod"),)


def test_the_temporary_directories_are_those_of_the_system_and_of_the_user(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert tmp_path in temporary_directories() and Path("/var/tmp") in temporary_directories()
    monkeypatch.setenv("TMPDIR", "")
    assert tmp_path not in temporary_directories() and Path.cwd() not in temporary_directories()


def test_the_inventory_of_ansible_runner_is_temporary(tmp_path: Path) -> None:
    for name in LAID_OUT_LIKE_ANSIBLE_RUNNER:
        (tmp_path / name).mkdir()
    root = tmp_path / "project"
    for path in (tmp_path / "inventory", tmp_path / "inventory" / "hosts"):
        assert read_sources([str(path)], root, root) == (Source(TEMPORARY, str(path)),)
    (tmp_path / "artifacts").rmdir()
    assert read_sources([str(path)], root, root) == (Source(ON_MACHINE, str(path)),)


def test_runs_with_a_temporary_inventory_share_a_key_if_their_hosts_are_the_same(infra: Path) -> None:
    def run(number: int, *hosts: str) -> Identity:
        return identity(infra, sources=[f"/x/tmp/{number}/hosts"], hosts=hosts)

    assert run(1, "web1", "web2") == run(2, "web2", "web1") != run(3, "web1")


@pytest.mark.parametrize("playbook", ["/dev/stdin", "/dev/fd/63", "/proc/self/fd/11"])
def test_a_playbook_on_standard_input_is_identified_by_its_plays_in_this_project(infra: Path, playbook: str) -> None:
    def run(*plays: str, directory: Path = infra) -> Identity:
        machine = Machine("runner-1", directory)
        return identity(infra, playbook=playbook, plays=plays, machine=machine, config_file=None)

    assert run("Deploy on web").name == "org/infra stdin: Deploy on web"
    assert run("Deploy on web") == run("Deploy on web", directory=infra / "playbooks") != run("Restart on web")
    assert run("Deploy on web") != run("Deploy on web", directory=infra.parent)


@pytest.mark.parametrize("hosts", [("localhost",), ("127.0.0.1", "::1"), ()])
def test_cron_jobs_on_two_machines_with_nothing_but_localhost_are_two(infra: Path, hosts: tuple[str, ...]) -> None:
    call = {"sources": ["localhost,"], "hosts": hosts}
    alpha, beta = (identity(infra, machine=Machine(name, infra), **call) for name in ("alpha", "beta"))
    assert alpha != beta
    alpha, beta = (identity(infra, machine=Machine(name, infra), is_ci=True, **call) for name in ("alpha", "beta"))
    assert alpha == beta, "the machines of a CI system are anonymous"
    call["hosts"] = (*hosts, "web1")
    alpha, beta = (identity(infra, machine=Machine(name, infra), **call) for name in ("alpha", "beta"))
    assert alpha == beta


def test_this_machine_is_known_even_if_the_current_directory_was_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("socket.gethostname", lambda: "runner-1")
    assert this_machine() == Machine("runner-1", tmp_path)

    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert this_machine() == Machine("runner-1", Path("/"))


def test_reading_starts_no_process(infra: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def started(*args: object, **kwargs: object) -> None:
        raise AssertionError("a process was started")

    for name in ("subprocess.Popen", "os.fork", "os.system", "os.posix_spawn"):
        monkeypatch.setattr(name, started)
    assert identity(infra, subset="web1").name == "org/infra playbooks/site.yml"
