# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The failure callback: Ansible's events in, one finished run out.

Must not decide anything about a run itself, and must not let an exception out: it never harms the run.
"""

from __future__ import annotations

DOCUMENTATION = r"""
name: callgoose_incident
type: notification
short_description: Trigger an incident when a run fails, and resolve it when a later run succeeds
version_added: 0.1.0
description:
  - Watches C(ansible-playbook). When a run fails, the callback triggers one Callgoose SQIBS incident with the hosts,
    the task and the error. Once every failed host has succeeded in later runs, it resolves the incident. Playbooks
    need no change.
  - A host counts as failed if a task failed on it and nothing caught the failure, if it was unreachable, or if the play
    ended before the host had finished. Ignored and rescued failures do not count.
  - Check mode, ad-hoc commands, C(--syntax-check) and C(--list-*) send nothing. No callback can see what stops Ansible
    before it starts a playbook, such as a YAML error, a missing role or a wrong C(--limit).
  - The callback never harms the run. The exit code does not change, and whatever goes wrong in the callback is a single
    warning.
  - For each option the environment variable takes precedence over C(ansible.cfg).
  - An option that is set to an empty string counts as not set, except O(source). An invalid value causes a warning, and
    then nothing is sent.
author:
  - Callgoose SQIBS collection contributors (@callgoose)
extends_documentation_fragment:
  # In this order: if two fragments describe the same key of an option, the first one counts.
  - callgoose.sqibs.connection.callback
  - callgoose.sqibs.connection
options:
  enabled:
    description: Whether the callback watches runs and sends anything.
    type: bool
    default: true
    env:
      - name: CALLGOOSE_ENABLED
    ini:
      - section: callback_callgoose_incident
        key: enabled
  severity:
    description:
      - The severity of the incidents. API Filters can match on it and set the urgency by it.
      - Capitals and white space around the value do not matter.
    type: str
    choices: [critical, error, warning, info]
    default: critical
    env:
      - name: CALLGOOSE_SEVERITY
    ini:
      - section: callback_callgoose_incident
        key: severity
  tags:
    description: Tags for Callgoose's tag-based maintenance mode.
    type: list
    elements: str
    default: []
    env:
      - name: CALLGOOSE_TAGS
    ini:
      - section: callback_callgoose_incident
        key: tags
  project:
    description:
      - The name of the project, which is part of the incident key. A success resolves only incidents of the same
        project.
      - The default is the path of the git remote. Without a remote it is the directory name of the git checkout or of
        C(ansible.cfg).
    type: str
    default: ''
    env:
      - name: CALLGOOSE_PROJECT
    ini:
      - section: callback_callgoose_incident
        key: project
  inventory_name:
    description:
      - The name of the inventory, as part of the incident key. Use it if the inventory's path or content differs from
        run to run, or if machines without a stable name run the playbook.
      - If not set, the inventory is identified by its path in the project, or by its path and the machine. An inventory
        in a temporary directory is identified by the names of its hosts.
    type: str
    default: ''
    env:
      - name: CALLGOOSE_INVENTORY_NAME
    ini:
      - section: callback_callgoose_incident
        key: inventory_name
  environment:
    description:
      - Which of several environments the run is about, such as V(production). The title of a page says it.
      - If not set, it is O(inventory_name), or else the name of the AWX inventory, or else what distinguishes the path
        of the inventory, such as C(production) in C(inventories/production/hosts.ini).
    type: str
    default: ''
    env:
      - name: CALLGOOSE_ENVIRONMENT
    ini:
      - section: callback_callgoose_incident
        key: environment
  job_url:
    description:
      - The link to an AWX job. V({host}) stands for the address of AWX, and V({id}) for the number of the job.
      - If not set, it is C({host}/#/jobs/playbook/{id}), which is right for AWX up to 24.6.1. Newer ones, and Ansible
        Automation Platform 2.5 and later, have another address, such as V({host}/execution/jobs/playbook/{id}/output).
        A job cannot tell which.
    type: str
    default: ''
    env:
      - name: CALLGOOSE_JOB_URL
    ini:
      - section: callback_callgoose_incident
        key: job_url
  runbook_url:
    description:
      - The link to the instructions for a failure. Each page says it.
      - The variable C(callgoose_runbook_url) of a task, a role or a play adds a link to the failures of its tasks.
    type: str
    default: ''
    env:
      - name: CALLGOOSE_RUNBOOK_URL
    ini:
      - section: callback_callgoose_incident
        key: runbook_url
  key_vars:
    description:
      - Names of extra vars that distinguish runs. With V(env), a run with C(-e env=stage) has other incidents than a
        run with C(-e env=prod).
    type: list
    elements: str
    default: []
    env:
      - name: CALLGOOSE_KEY_VARS
    ini:
      - section: callback_callgoose_incident
        key: key_vars
  playbooks:
    description:
      - Patterns for the playbooks to watch, such as V(deploy/*.yml). They match the path of a playbook in the project,
        or its full name in a collection. By default all playbooks are watched.
      - The playbooks of this collection, and playbooks that only import them, are never watched.
    type: list
    elements: str
    default: []
    env:
      - name: CALLGOOSE_PLAYBOOKS
    ini:
      - section: callback_callgoose_incident
        key: playbooks
  exclude_playbooks:
    description: Patterns for the playbooks not to watch. They take precedence over O(playbooks).
    type: list
    elements: str
    default: []
    env:
      - name: CALLGOOSE_EXCLUDE_PLAYBOOKS
    ini:
      - section: callback_callgoose_incident
        key: exclude_playbooks
  unreachable:
    description:
      - Whether an unreachable host counts as failed. With V(ignore) it counts neither as failed nor as recovered.
    type: str
    choices: [fail, ignore]
    default: fail
    env:
      - name: CALLGOOSE_UNREACHABLE
    ini:
      - section: callback_callgoose_incident
        key: unreachable
  page_limited_runs:
    description:
      - Whether a failure in a run with C(--limit) triggers an incident.
      - Such a run can always resolve an incident for the hosts that it covers.
    type: bool
    default: true
    env:
      - name: CALLGOOSE_PAGE_LIMITED_RUNS
    ini:
      - section: callback_callgoose_incident
        key: page_limited_runs
  after_failures:
    description:
      - How many consecutive runs must fail before an incident is triggered.
      - The ledger counts them. If it is lost after each job, a value above V(1) never triggers.
    type: int
    default: 1
    env:
      - name: CALLGOOSE_AFTER_FAILURES
    ini:
      - section: callback_callgoose_incident
        key: after_failures
  repeat_interval:
    description:
      - If the same hosts are still failing after this many seconds, the open incident is sent again.
      - Until then, a failing run sends nothing, unless a host joined the failed hosts, or the last trigger was not
        confirmed.
    type: float
    default: 14400
    env:
      - name: CALLGOOSE_REPEAT_INTERVAL
    ini:
      - section: callback_callgoose_incident
        key: repeat_interval
  on_interrupt:
    description:
      - What to do if the run is ended deliberately. This is by Ctrl-C, SIGTERM or SIGHUP (the terminal was closed), by
        C(q) in the debugger, by an aborted C(pause), or by the end of input at a prompt.
      - With V(ignore) the interruption counts as deliberate. With V(trigger) it counts as a failure.
    type: str
    choices: [ignore, trigger]
    default: ignore
    env:
      - name: CALLGOOSE_ON_INTERRUPT
    ini:
      - section: callback_callgoose_incident
        key: on_interrupt
  max_hosts:
    description: How many failed hosts an incident describes in full. Further hosts are only counted.
    type: int
    default: 20
    env:
      - name: CALLGOOSE_MAX_HOSTS
    ini:
      - section: callback_callgoose_incident
        key: max_hosts
  include_output:
    description: Whether to send the end of the failed task's standard output and standard error.
    type: bool
    default: true
    env:
      - name: CALLGOOSE_INCLUDE_OUTPUT
    ini:
      - section: callback_callgoose_incident
        key: include_output
  redact:
    description:
      - Regular expressions for what must not be sent, one per line. Every match is replaced.
      - Tokens, passwords, keys and similar secrets are always replaced. Results of tasks with C(no_log) are never sent.
    type: str
    default: ''
    env:
      - name: CALLGOOSE_REDACT
    ini:
      - section: callback_callgoose_incident
        key: redact
  stable_payload:
    description:
      - Whether to leave out what differs from run to run. This is the link to the run, its number, the user who started
        it, and the revision.
      - An incident that is sent again then has the same bytes.
    type: bool
    default: false
    env:
      - name: CALLGOOSE_STABLE_PAYLOAD
    ini:
      - section: callback_callgoose_incident
        key: stable_payload
  max_delay:
    description: How many seconds sending may delay the end of the command in total, whatever API and resolver do.
    type: float
    default: 15
    env:
      - name: CALLGOOSE_MAX_DELAY
    ini:
      - section: callback_callgoose_incident
        key: max_delay
  notify:
    description:
      - When to send. With V(end), everything is sent when the run ends.
      - With V(immediately), the first failure that no rescue can catch is sent while the run goes on, by a process of
        its own that lives on if the run is killed. The end of the run completes the incident.
    type: str
    choices: [end, immediately]
    default: end
    env:
      - name: CALLGOOSE_NOTIFY
    ini:
      - section: callback_callgoose_incident
        key: notify
  group_by:
    description:
      - With V(playbook) there is one incident for all failed hosts of a run. The name of a host variable gives one
        incident for each of its values among the failed hosts, such as C(owner) for one per team, or
        C(inventory_hostname) for one per host.
      - The value joins the incident key, and is sent as the field C(group), so that API Filters of a global token can
        route by it. Hosts without the variable have an incident of their own, without the field.
      - It needs the ledger. Without one, only the incident of hosts without the variable can be resolved.
    type: str
    default: playbook
    env:
      - name: CALLGOOSE_GROUP_BY
    ini:
      - section: callback_callgoose_incident
        key: group_by
  max_run_time:
    description:
      - How long a run may take, such as V(90m), V(26h) or V(8d). A run that takes longer counts as hanging.
      - The next run of the same playbook finds it, and so does the playbook C(callgoose.sqibs.watch).
      - If not set, no run counts as hanging.
    type: str
    default: ''
    env:
      - name: CALLGOOSE_MAX_RUN_TIME
    ini:
      - section: callback_callgoose_incident
        key: max_run_time
  overdue_after:
    description:
      - How long the playbook may go without a successful run of all hosts, such as V(26h) for one that runs every day.
      - A playbook that never succeeded counts from its first run. The playbook C(callgoose.sqibs.watch) finds it.
      - Set it where the schedule is. A run without it, such as one by hand, leaves what the last run with it has set.
        V(never) switches it off.
    type: str
    default: ''
    env:
      - name: CALLGOOSE_OVERDUE_AFTER
    ini:
      - section: callback_callgoose_incident
        key: overdue_after
  state_url:
    description:
      - The store of open incidents. V(sqlite:///) and a path is a file that only its owner can read. V(postgresql://)
        and a database is for several controllers, and needs the Python package C(psycopg).
      - A file is not used, and a warning says why, if another user owns the file, if another user than root owns
        its directory, or if every user can replace files there. This applies to root too.
      - The default is C(callgoose/state.sqlite3) in Ansible's home.
      - If the ledger cannot be kept, for example in a container that is deleted after the run, a later successful run
        of the same command still resolves the incident, because both runs have the same key.
    type: str
    default: ''
    env:
      - name: CALLGOOSE_STATE_URL
    ini:
      - section: callback_callgoose_incident
        key: state_url
requirements:
  - enabled in the configuration, with C(callbacks_enabled = callgoose.sqibs.callgoose_incident)
seealso:
  - ref: ansible_collections.callgoose.sqibs.docsite.page_on_failure
    description: The guide explains the rules, shows a page, and describes the setup in AWX.
  - module: callgoose.sqibs.callgoose_incident
"""

EXAMPLES = r"""
# In ansible.cfg. Only the first two lines are required:
#
# [defaults]
# callbacks_enabled = callgoose.sqibs.callgoose_incident
#
# [callback_callgoose_incident]
# severity = error
# tags = production
# exclude_playbooks = test/*.yml, try.yml
# key_vars = env
#
# In the environment, set by an AWX credential or a CI secret:
#
# export CALLGOOSE_API_TOKEN=...
#
# To disable the callback for one run:
#
# CALLGOOSE_ENABLED=false ansible-playbook site.yml
"""

import contextlib
import functools
from collections.abc import Callable
from typing import Any

from ansible.plugins.callback import CallbackBase

from ansible_collections.callgoose.sqibs.plugins.module_utils._errors import CallgooseError, OptionError
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._ansible.events import EventReader
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._ansible.task_queue import freeze_before_fork
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._callback.options import (
    documented_choices,
    read_options,
    without_empty_variables,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._callback.process_exit import ProcessExit
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._callback.session import Session
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._config import written_value
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._incident.delivery import Reconciliation
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._run.model import Run
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._run.recorder import Recorder


def harmless(event: Callable[..., None]) -> Callable[..., None]:
    """Turn exceptions of an event into a warning: since ansible-core 2.19, an exception can end the run."""

    @functools.wraps(event)
    def call(self: CallbackModule, *args: Any, **kwargs: Any) -> None:
        try:
            event(self, *args, **kwargs)
        except Exception as error:
            self._warn_of(error)

    return call


class CallbackModule(CallbackBase):
    """Passes Ansible's events on, and shows the results."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "callgoose.sqibs.callgoose_incident"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._exit = ProcessExit(self._aborted)
        self._has_warned = False

    def set_options(self, task_keys: Any = None, var_options: Any = None, direct: Any = None) -> None:
        """Read the options. Ansible calls this once, before the first event."""
        with without_empty_variables():
            super().set_options(task_keys, var_options, {**documented_choices(), **(direct or {})})
        try:
            # Not get_options(), which fails on ansible-core 2.16: CallbackBase does not set what it needs.
            options = read_options(self._plugin_options, written_value)
        except OptionError as error:
            self._warn(str(error))
            self.disabled = True
            return
        # Ansible does not call a disabled callback.
        self.disabled = not options["enabled"]
        self._recorder = Recorder(options["unreachable"] == "ignore")
        self._events = EventReader(self._recorder)
        self._session = Session(options)

    @harmless
    def v2_playbook_on_start(self, playbook: Any) -> None:
        name = self._events.playbook_started(playbook)
        if name is not None:
            self._has_warned = False
            self._exit.watch(self._display)
            self._show(self._session.begin(name, *self._events.context()))
            freeze_before_fork()

    @harmless
    def v2_playbook_on_play_start(self, play: Any) -> None:
        self._events.play_started(play)

    @harmless
    def v2_playbook_on_vars_prompt(self, *args: Any, **kwargs: Any) -> None:
        self._events.prompted()

    @harmless
    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        self._task_started(task)

    @harmless
    def v2_playbook_on_handler_task_start(self, task: Any) -> None:
        self._task_started(task)

    @harmless
    def v2_runner_on_ok(self, result: Any) -> None:
        self._events.ok(result)

    @harmless
    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._events.failed(result, ignore_errors)
        self._session.failed(self._recorder.so_far, self._events.groups)

    @harmless
    def v2_runner_on_skipped(self, result: Any) -> None:
        self._events.skipped()

    @harmless
    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._events.unreachable(result)
        self._session.failed(self._recorder.so_far, self._events.groups)

    @harmless
    def v2_playbook_on_stats(self, stats: Any) -> None:
        if self._recorder.running:
            self._finished(self._events.playbook_ended(stats))

    @harmless
    def _aborted(self, interrupted: bool) -> None:
        """Finish a run that did not reach its end, when the process ends.

        :param interrupted: whether somebody ended the process.
        """
        if self._recorder.running:
            # The process is ending anyway; an exception would only be printed.
            with contextlib.suppress(KeyboardInterrupt):
                self._finished(self._events.given_up(interrupted, self._exit.error))

    def _finished(self, run: Run) -> None:
        """Report a finished or aborted run, and show the result."""
        try:
            result = self._session.finish(run, self._events.inventory, self._events.groups)
        except KeyboardInterrupt:
            self._warn("it was interrupted while sending. The next run sends what may be missing.")
            raise
        self._show(result)

    def _task_started(self, task: Any) -> None:
        self._events.task_started(task)
        self._session.task_started(str(task.name or task.action))

    def _show(self, result: Reconciliation) -> None:
        """Show what was done, and what the user must know."""
        if result.done:
            # Imported only when needed: Ansible compiles each file of a collection again in each run.
            from ansible_collections.callgoose.sqibs.plugins.plugin_utils._ansible.display import announce

            announce(self._display, ", ".join(result.done))
        for note in result.notes:
            self._display.v(f"Callgoose: {note}")
        if result.warnings:
            self._warn(" ".join(result.warnings))

    def _warn_of(self, error: Exception) -> None:
        """Warn that this callback failed. If an event is missing, no host counts as recovered in this run."""
        self._recorder.doubt()
        # The message of any other exception may contain secrets.
        self._warn(str(error) if isinstance(error, CallgooseError) else f"it failed with a {type(error).__name__}")

    def _warn(self, message: str) -> None:
        """Show a warning, at most once in a run."""
        if not self._has_warned:
            self._has_warned = True
            self._display.warning(f"{self.CALLBACK_NAME}: {message}")
