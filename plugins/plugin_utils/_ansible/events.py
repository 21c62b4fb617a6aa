# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Translates the events that Ansible passes to callbacks into plain values for a `Recorder`.

Must not decide what counts as a failure, and must not keep Ansible's objects after the play they belong to.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any

from ansible import constants as C
from ansible import context
from ansible.executor.play_iterator import IteratingStates
from ansible.playbook.handler import Handler
from ansible.template import Templar

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._ansible.host_states import has_failed, rescuing_block
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._ansible.inventory import (
    groups_of,
    is_template,
    read_inventory,
    source_hosts,
    without_pattern_warnings,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._ansible.reasons import plain
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._ansible.results import (
    GUARD_ACTION,
    GUARD_RESULT,
    data_of,
    host_of,
    result_output,
    task_of,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._ansible.runbook import runbook_of
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._ansible.task_queue import find_iterator, find_task_queue
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._ansible.tasks import catching_block, read_task
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._ansible.values import text_of
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._run.model import (
    Inventory,
    Play,
    Run,
    Task,
    Verdict,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._run.recorder import Recorder

# The name that ansible-core gives the playbook of an ad-hoc command (cli/adhoc.py).
_ADHOC = "__adhoc_playbook__"
_NAMESPACES = ("", "ansible.builtin.", "ansible.legacy.")
_INCLUDES = frozenset(space + name for space in _NAMESPACES for name in ("include_role", "include_tasks"))
# How ansible.builtin.pause fails after Ctrl-C and A.
_PAUSE = frozenset(space + "pause" for space in _NAMESPACES)
_PAUSE_ABORTED = "user requested abort!"
# A host on which only these succeeded does not count as succeeded.
_NO_PROOF = frozenset(
    space + name
    for space in _NAMESPACES
    for name in ("gather_facts", "import_role", "import_tasks", "meta", "setup", "validate_argument_spec")
)
_SPECIAL = _NO_PROOF | _INCLUDES | {GUARD_ACTION}


class EventReader:
    """Passes the events of one ansible-playbook call to a recorder. Ansible sends them one at a time, from one process.

    :param recorder: records each run of the call.
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
        self._has_tasks = self._expects_results = self._has_results = False
        self._last_task: Any = None
        self._tasks: dict[tuple[str, str, bool, bool], Task] = {}
        self._including: list[Any] = []  # hosts with a successful include whose file or role may still not load

    def playbook_started(self, playbook: Any) -> str | None:
        """Start a run and return its playbook as given on the command line, or None if there is no run to record."""
        name = playbook._file_name
        plays = playbook.get_plays()
        if name == _ADHOC or not plays:
            return None
        self._playbook = playbook
        self._variables = plays[0].get_variable_manager()
        self._inventory = self._variables._inventory
        self._started = set()
        self._is_prompting = False
        self._leave_play()
        is_templated = any(is_template(play) for play in plays)
        self._recorder.begin(str(name), bool(context.CLIARGS.get("check")), is_templated)
        return str(name)

    def play_started(self, play: Any) -> None:
        """Note the start of a play or of its next batch. Ansible has restricted the inventory to its hosts."""
        if not self._recorder.running:
            return  # ansible-console runs plays without a playbook
        self._is_prompting = False
        self._end_play()
        self._play = play
        self._tqm = find_task_queue()
        self._started.add(play._uuid)
        hosts = _names(self._inventory.get_hosts(play.hosts))
        matched = _names(self._inventory.get_hosts(play.hosts, ignore_restrictions=True))
        self._recorder.play_started(Play(play._uuid, _play_name(play), hosts, hosts if hosts == matched else matched))

    def prompted(self) -> None:
        """Note that Ansible asks for a variable of the next play (``vars_prompt``)."""
        # Without a terminal, Ansible asks nothing, so whatever ends the run then is no decision.
        self._is_prompting = sys.__stdin__ is not None and sys.__stdin__.isatty()

    def task_started(self, task: Any) -> None:
        """Find the play's iterator, and note the hosts that it has dropped or cleared before this task."""
        if self._play is None:
            return
        self._has_tasks = True
        # meta tasks have no results.
        self._expects_results = self._expects_results or task.action not in C._ACTION_META
        self._last_task = task
        if self._iterator is None:
            self._iterator = find_iterator(self._play)
            return
        if self._failing:
            self._note_cleared()
        if self._including:
            for host in self._including:
                if self._iterator.is_failed(host):
                    self._recorder.dropped(host.name)
                else:
                    self._recorder.rescued(host.name, self._rescuing_block(host.name))
            self._including = []

    def ok(self, result: Any) -> None:
        """Note a task that succeeded. Must be fast, since most events are of this kind."""
        if self._play is None:
            return
        self._has_results = True
        task = task_of(result)
        action = task.action
        if action not in _SPECIAL:
            self._recorder.ok(host_of(result).name)
        elif action in _INCLUDES:
            self._recorder.included(host_of(result).name, self._task(task, catching_block(task)))
            self._including.append(host_of(result))
        elif action == GUARD_ACTION:
            self._note_guard(result)

    def failed(self, result: Any, ignored: bool) -> None:
        """Note a task that failed."""
        if self._play is None:
            return
        self._has_results = True
        task = task_of(result)
        if task.action == GUARD_ACTION:
            self._note_guard(result)
        if ignored:
            return
        host = host_of(result)
        # A handler belongs to the block that flushes it, not to the place where it is written.
        caught_by = self._rescuing_block(host.name) if isinstance(task, Handler) else catching_block(task)
        if not caught_by:
            self._failing.append(host)
        output = result_output(result)
        if not caught_by and task.action in _PAUSE and output.message.endswith(_PAUSE_ABORTED):
            self._recorder.interrupt()
        self._recorder.failed(host.name, self._task(task, caught_by, host), output)

    def skipped(self) -> None:
        """Note a skipped task: a host that skips it has a result."""
        self._has_results = True

    def unreachable(self, result: Any) -> None:
        """Note an unreachable host."""
        if self._play is None:
            return
        self._has_results = True
        task = task_of(result)
        ignored = bool(task.ignore_unreachable)
        host = host_of(result)
        self._recorder.unreachable(host.name, self._task(task, failed_on=host), result_output(result), ignored)

    def playbook_ended(self, statistics: Any) -> Run:
        """End the run and return it."""
        self._end_play()
        failures = dict(statistics.failures)
        for host, count in statistics.rescued.items():
            failures[host] = failures.get(host, 0) + count
        unstarted = [self._unstarted(play) for play in self._playbook.get_plays() if play._uuid not in self._started]
        self._playbook = None
        return self._recorder.end(failures, dict(statistics.dark), unstarted)

    def given_up(self, interrupted: bool, error: str) -> Run:
        """Return the run, which never reached its end.

        :param interrupted: whether it was ended deliberately.
        :param error: the message of the error that ended it; empty if it is not known.
        """
        last_task = None if self._last_task is None else self._task(self._last_task)
        # End of input at a prompt is as deliberate as Ctrl-C there.
        return self._recorder.give_up(interrupted or self._is_prompting, last_task, plain(text_of(error)))

    def context(self) -> tuple[list[Any], Mapping[str, Any], list[str]]:
        """Return the plays of the playbook, the extra vars of the call, and the hosts of the inventory's sources."""
        return self._playbook.get_plays(), self._variables.extra_vars, source_hosts(self._inventory)

    def inventory(self) -> Inventory:
        """Return the hosts of the inventory as it is now."""
        return read_inventory(self._inventory)

    def groups(self, hosts: Iterable[str], variable: str) -> dict[str, str]:
        """Return, by host, the value of a host variable; empty for a host that does not have it."""
        return groups_of(hosts, variable, self._inventory, self._variables)

    def _leave_play(self) -> None:
        self._play = self._tqm = self._iterator = None
        self._has_tasks = self._expects_results = self._has_results = False
        self._last_task = None
        self._tasks = {}
        self._including = []
        self._failing: list[Any] = []  # hosts with a failure that no rescue catches

    def _end_play(self) -> None:
        if self._play is not None:
            self._recorder.play_ended(self._verdict())
            if self._expects_results and not self._has_results:
                self._recorder.play_without_results()
        self._leave_play()

    def _verdict(self) -> Verdict | None:
        """Return how Ansible counts each host now, or None if this strategy hides it."""
        if self._tqm is None:
            return None
        unreachable = frozenset(self._tqm._unreachable_hosts)
        if self._iterator is None:
            if self._has_tasks:
                return None
            # No task has started: the play dropped these hosts when it began.
            return Verdict(frozenset(self._play._removed_hosts) - unreachable, unreachable)
        failed = frozenset(self._iterator.get_failed_hosts())
        unfinished = frozenset(
            host
            for host, state in self._iterator.host_states.items()
            if state.run_state != IteratingStates.COMPLETE and host not in failed and host not in unreachable
        )
        return Verdict(failed, unreachable, unfinished, bool(self._iterator.end_play))

    def _task(self, task: Any, caught_by: str = "", failed_on: Any = None) -> Task:
        """Return a plain task. All hosts share one object, to store its strings once.

        :param caught_by: the block whose rescue catches its failure; see `Task`.
        :param failed_on: the host on which it failed. The first one's link to instructions serves all.
        """
        play = self._play
        fatal = bool(task.run_once or task.any_errors_fatal or play.max_fail_percentage is not None)
        # If a role is used twice, both uses have the same tasks, but in different blocks.
        key = (task._uuid, caught_by, fatal, failed_on is not None)
        known = self._tasks.get(key)
        if known is None:
            runbook = runbook_of(task, failed_on, play) if failed_on else ""
            known = self._tasks[key] = read_task(task, caught_by, fatal, runbook)
        return known

    def _note_cleared(self) -> None:
        """Note the failed hosts that the play continues with: ``meta: clear_host_errors`` sends no event."""
        states = self._iterator.host_states
        cleared = [host for host in self._failing if host.name in states and not has_failed(states[host.name])]
        if cleared:
            self._failing = [host for host in self._failing if host not in cleared]
            self._recorder.cleared(host.name for host in cleared)

    def _rescuing_block(self, host: str) -> str:
        """Return the id of the block in whose rescue this host continues; empty if it is in none."""
        return "" if self._iterator is None else rescuing_block(self._iterator.get_state_for_host(host))

    def _note_guard(self, result: Any) -> None:
        report = data_of(result).get(GUARD_RESULT)
        if isinstance(report, Mapping):
            self._recorder.guarded(str(host) for host in report.get("hosts") or ())

    def _unstarted(self, play: Any) -> Play:
        """Return a play that never started, with its hosts if they can be determined."""
        try:
            # Its variables include the hosts of its pattern.
            with without_pattern_warnings():
                variables = play.get_variable_manager().get_vars(play=play)
                pattern = Templar(loader=play.get_loader(), variables=variables).template(play.hosts)
                hosts = _names(self._inventory.get_hosts(pattern, ignore_restrictions=True))
        except Exception:
            # The pattern may need variables that earlier plays would have set.
            return Play(play._uuid, _play_name(play), frozenset(), None)
        return Play(play._uuid, _play_name(play), frozenset(), hosts)


def _names(hosts: list[Any]) -> frozenset[str]:
    return frozenset(host.name for host in hosts)


def _play_name(play: Any) -> str:
    hosts = play.hosts if isinstance(play.hosts, str) else ",".join(map(str, play.hosts or ()))
    return text_of(play.name or hosts).strip()
