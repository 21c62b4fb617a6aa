# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads Ansible's objects as its callbacks get them, and tells a `Recorder` in plain words what happened.

Must not decide what a failure is, nor keep a result, a task or a play longer than the play that it belongs to.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible import context
from ansible.executor.play_iterator import FailedStates, IteratingStates
from ansible.playbook.handler import Handler
from ansible.template import Templar

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._ansible.inventory import known_hosts
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._ansible.results import (
    GUARD_ACTION,
    GUARD_RESULT,
    data_of,
    host_of,
    output_of,
    task_of,
    text_of,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._ansible.task_queue import find_iterator, find_task_queue
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._run.model import Play, Run, Task, Verdict
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._run.recorder import Recorder

_GUARD_ROLE = "/callgoose/sqibs/roles/incident_guard/"

# What ansible-core calls the one play of an ad-hoc command (cli/adhoc.py).
_ADHOC = "__adhoc_playbook__"
_NAMESPACES = ("", "ansible.builtin.", "ansible.legacy.")
_INCLUDES = frozenset(space + name for space in _NAMESPACES for name in ("include_role", "include_tasks"))
# A host that did no more than these is not proven good.
_NOT_REAL = frozenset(
    space + name
    for space in _NAMESPACES
    for name in ("gather_facts", "import_role", "import_tasks", "meta", "setup", "validate_argument_spec")
)
_SPECIAL = _NOT_REAL | _INCLUDES | {GUARD_ACTION}


class EventReader:
    """Hands on the events of one ansible-playbook call. Ansible calls it from one process, one event at a time.

    :param recorder: gets to know what happened, and holds the run.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._playbook: Any = None
        self._variables: Any = None
        self._inventory: Any = None
        self._started: set[str] = set()
        self._play: Any = None
        self._tqm: Any = None
        self._iterator: Any = None
        self._has_tasks = False
        self._tasks: dict[tuple[str, bool, bool], Task] = {}
        self._including: list[Any] = []  # hosts for which an include was ok and may yet find nothing to include

    def playbook_started(self, playbook: Any) -> str | None:
        """Take up a run and return its playbook as it was named; or None where there is no run to record."""
        name = playbook._file_name
        plays = playbook.get_plays()
        if name == _ADHOC or not plays:
            return None
        self._playbook = playbook
        self._variables = plays[0].get_variable_manager()
        self._inventory = self._variables._inventory
        self._started = set()
        self._leave_play()
        self._recorder.begin(str(name), check_mode=bool(context.CLIARGS.get("check")))
        return str(name)

    def play_started(self, play: Any) -> None:
        """Note a play or its next batch: the inventory is restricted to that."""
        if not self._recorder.running:
            return  # ansible-console has plays without a playbook
        self._end_play()
        self._play = play
        self._tqm = find_task_queue()
        self._started.add(play._uuid)
        hosts = _names(self._inventory.get_hosts(play.hosts))
        matched = _names(self._inventory.get_hosts(play.hosts, ignore_restrictions=True))
        self._recorder.play_started(Play(play._uuid, _play_name(play), hosts, hosts if hosts == matched else matched))

    def task_started(self) -> None:
        """Note who plays the play, and which hosts were lost by what was included before this task."""
        if self._play is None:
            return
        self._has_tasks = True
        if self._iterator is None:
            self._iterator = find_iterator(self._play)
        elif self._including:
            for host in self._including:
                if self._iterator.is_failed(host):
                    self._recorder.dropped(host.name)
            self._including = []

    def ok(self, result: Any) -> None:
        """Note a task that was ok, in a few microseconds: most events are of this kind."""
        if self._play is None:
            return
        task = task_of(result)
        action = task.action
        if action not in _SPECIAL:
            self._recorder.ok(host_of(result).name)
        elif action in _INCLUDES:
            self._recorder.included(host_of(result).name, self._task(task))
            self._including.append(host_of(result))
        elif action == GUARD_ACTION:
            self._note_guard(result)

    def failed(self, result: Any, ignored: bool) -> None:
        """Note a task that failed."""
        if self._play is None:
            return
        task = task_of(result)
        if task.action == GUARD_ACTION:
            self._note_guard(result)
        if ignored:
            return
        host = host_of(result).name
        # A handler runs where it is flushed, wherever it is written.
        caught = self._is_rescuing(host) if isinstance(task, Handler) else _is_caught(task)
        self._recorder.failed(host, self._task(task, caught), output_of(data_of(result)))

    def unreachable(self, result: Any) -> None:
        """Note a host that could not be reached."""
        if self._play is None:
            return
        task = task_of(result)
        ignored = bool(task.ignore_unreachable)
        self._recorder.unreachable(host_of(result).name, self._task(task), output_of(data_of(result)), ignored)

    def playbook_ended(self, statistics: Any) -> Run:
        """Return the run, which has come to its end."""
        self._end_play()
        failures = dict(statistics.failures)
        for host, count in statistics.rescued.items():
            failures[host] = failures.get(host, 0) + count
        unstarted = [self._unstarted(play) for play in self._playbook.get_plays() if play._uuid not in self._started]
        self._playbook = None
        return self._recorder.end(failures, dict(statistics.dark), unstarted)

    def extra_vars(self) -> Mapping[str, Any]:
        """Return the call's extra vars."""
        return self._variables.extra_vars

    def inventory_hosts(self) -> frozenset[str]:
        """Return all hosts of the inventory as it is now, or none where a source of it was not read."""
        return known_hosts(self._inventory)

    def _leave_play(self) -> None:
        self._play = self._tqm = self._iterator = None
        self._has_tasks = False
        self._tasks = {}
        self._including = []

    def _end_play(self) -> None:
        if self._play is not None:
            self._recorder.play_ended(self._verdict())
        self._leave_play()

    def _verdict(self) -> Verdict | None:
        """Return what Ansible holds of the hosts now, or None where this strategy hides it."""
        if self._tqm is None:
            return None
        unreachable = frozenset(self._tqm._unreachable_hosts)
        if self._iterator is None:
            if self._has_tasks:
                return None
            # No task has come: whom the play has lost, it lost when it began.
            return Verdict(frozenset(self._play._removed_hosts) - unreachable, unreachable)
        failed = frozenset(self._iterator.get_failed_hosts())
        unfinished = frozenset(
            host
            for host, state in self._iterator.host_states.items()
            if state.run_state != IteratingStates.COMPLETE and host not in failed and host not in unreachable
        )
        return Verdict(failed, unreachable, unfinished, bool(self._iterator.end_play))

    def _task(self, task: Any, caught: bool = False) -> Task:
        """Return a plain task, the same one for each host: its texts are kept once."""
        play = self._play
        fatal = bool(task.run_once or task.any_errors_fatal or play.max_fail_percentage is not None)
        # A role that is used twice has the same tasks, in other blocks.
        key = (task._uuid, caught, fatal)
        plain = self._tasks.get(key)
        if plain is None:
            plain = self._tasks[key] = _read_task(task, caught, fatal)
        return plain

    def _is_rescuing(self, host: str) -> bool:
        """Return whether a failed handler has led this host into the rescue of the block that flushed it."""
        return self._iterator is not None and _is_rescued(self._iterator.get_state_for_host(host))

    def _note_guard(self, result: Any) -> None:
        report = data_of(result).get(GUARD_RESULT)
        if isinstance(report, Mapping):
            self._recorder.guarded(str(host) for host in report.get("hosts") or ())

    def _unstarted(self, play: Any) -> Play:
        """Return a play that never started, with its hosts if they can be known now."""
        try:
            variables = play.get_variable_manager().get_vars(play=play)
            pattern = Templar(loader=play.get_loader(), variables=variables).template(play.hosts)
            hosts = _names(self._inventory.get_hosts(pattern, ignore_restrictions=True))
        except Exception:
            # Ansible does this when the play starts; what the pattern needs may be what earlier plays did not bring.
            return Play(play._uuid, _play_name(play), frozenset(), None)
        return Play(play._uuid, _play_name(play), frozenset(), hosts)


def _names(hosts: list[Any]) -> frozenset[str]:
    return frozenset(host.name for host in hosts)


def _play_name(play: Any) -> str:
    hosts = play.hosts if isinstance(play.hosts, str) else ",".join(map(str, play.hosts or ()))
    return text_of(play.name or hosts).strip()


def _read_task(task: Any, caught: bool, fatal: bool) -> Task:
    path, _colon, line = (task.get_path() or "").rpartition(":")
    return Task(
        name=_task_name(task),
        action=text_of(task.action),
        path=text_of(path),
        line=int(line) if line.isdigit() else 0,
        caught=caught,
        fatal=fatal,
        guard=task.action == GUARD_ACTION or _GUARD_ROLE in path,
    )


def _task_name(task: Any) -> str:
    """Return the name as Ansible shows it, but as it is written: a templated one differs from host to host."""
    written = task.get_ds()
    name = written.get("name") if isinstance(written, Mapping) else None
    if not isinstance(name, str):
        return text_of(task.get_name())
    return text_of(f"{task._role.get_name()} : {name}" if task._role else name)


def _is_caught(task: Any) -> bool:
    """Return whether a failure of this task leads to the rescue of a block that it is written or included in.

    Blocks are copied as plays go on; what stays the same is the id of each block and task.
    """
    below = {task._uuid}
    node = task._parent
    while node is not None:
        if getattr(node, "rescue", None) and any(child._uuid in below for child in node.block):
            return True
        below.add(node._uuid)
        node = node._parent
    return False


def _is_rescued(state: Any) -> bool:
    """Return whether a host whose flushed handler has just failed goes on in a rescue.

    :param state: its `HostState`, or the one of a block below.
    """
    if state.run_state == IteratingStates.RESCUE:
        below = state.rescue_child_state
        return _is_rescued(below) if below else not state.fail_state & FailedStates.RESCUE
    if state.run_state == IteratingStates.TASKS and state.tasks_child_state:
        return bool(state.get_current_block().rescue) or _is_rescued(state.tasks_child_state)
    if state.run_state == IteratingStates.ALWAYS and state.always_child_state:
        return _is_rescued(state.always_child_state)
    return False
