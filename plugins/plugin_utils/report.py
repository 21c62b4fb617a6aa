# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Says what a page says: a run's failures as data for the ledger, and an incident's failures as the event to send.

Must stay bounded whatever a run brings, and the same bytes for the same failures: no clock, no durations, no order of
events. All text of others is cleaned first, then redacted, then cut: a cut must not hide a secret from its pattern.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import accumulate
from typing import Any

from ansible_collections.callgoose.sqibs.plugins.module_utils.event import (
    RESOLVED,
    TRIGGERED,
    Event,
    canonical_json,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.incidents import Send
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.origin import Origin
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.recorder import MESSAGE_LIMIT, OUTPUT_LIMIT, SHORT_LIMIT
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.redact import Redactor
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.run import (
    FAILED,
    LOST,
    NOT_REACHED,
    UNREACHABLE,
    Failure,
    Run,
)
from ansible_collections.callgoose.sqibs.plugins.plugin_utils.texts import (
    beginning,
    cleaned,
    ending,
    listed,
    one_line,
    shortened,
    without_cut_line,
    without_cut_word,
)

# The kind of what an aborted run's pseudo-host has; the others are run.py's.
ABORTED = "aborted"

TITLE_LIMIT = 120  # characters
CONTENT_LIMIT = 8 * 1024  # bytes
DETAILS_LIMIT = 16 * 1024  # bytes of canonical JSON

# What the ledger keeps of a host: bytes of its texts, how many failures, and characters of the message of a host
# that is not kept in full.
_KEPT_MESSAGE = 2048
_KEPT_OUTPUT = 1024
_KEPT_NAME = 256
_KEPT_FAILURES = 3
_BRIEF_MESSAGE = 200
# Characters of a long message that are looked at to find its first _BRIEF_MESSAGE ones without secrets.
_BRIEF_WINDOW = 512

# Causes come before what they led to.
_KINDS = (ABORTED, FAILED, UNREACHABLE, LOST, NOT_REACHED)
_WORDS = {
    ABORTED: "Aborted: the run started and never reached its end. The output of ansible-playbook says why.",
    FAILED: "Failed",
    UNREACHABLE: "Unreachable",
    LOST: "Lost: ansible-core took the host out of the play, and no message was given by ansible-core.",
    NOT_REACHED: "Not reached: the play ended before it was done.",
}
_VERBS = {FAILED: "failed on", UNREACHABLE: "could not reach", LOST: "lost", NOT_REACHED: "did not reach"}
_LABELS = {"message": "Message", "stderr": "End of stderr", "stdout": "End of stdout"}
# Of a message the beginning says most, of an output the end.
_CUTS = {"message": beginning, "stderr": ending, "stdout": ending}
# A finding that is shown gets at least so many bytes, and leaves some for as many others as make _SHARES in all.
_SMALLEST_SHARE = 1000
_SHARES = 6
# Bytes of a task's name or path in a page; the fewest of a text that are worth showing; outputs of one finding.
_SHOWN_NAME = 160
_SMALLEST_TEXT = 60
_SHOWN_OUTPUTS = 5
# Room for the line that counts what is not shown.
_REST_ROOM = 128


@dataclass(frozen=True)
class ReportOptions:
    """What the user decides about pages.

    :param severity: ``critical``, ``error``, ``warning`` or ``info``.
    :param source: for the event; empty sends none.
    :param max_hosts: how many hosts are kept in full, and named with one failure; the others are counted.
    :param include_output: whether the end of stdout and stderr is sent.
    :param stable_payload: leave out what differs from run to run: its link, number, user and revision.
    """

    severity: str = "critical"
    tags: tuple[str, ...] = ()
    source: str = ""
    max_hosts: int = 20
    include_output: bool = True
    stable_payload: bool = False


@dataclass(frozen=True)
class Subject:
    """What a page is about.

    :param name: the job template's name, else the playbook's path in the project, or a guard's name.
    :param root: the project's folder, to which paths are shown relative; empty where there is none.
    """

    name: str
    origin: Origin
    root: str = ""


def failure_data(run: Run, redactor: Redactor, options: ReportOptions, root: str) -> dict[str, dict[str, Any]]:
    """Return for each failed host what a page can say of it later, as plain data: all that the ledger keeps.

    :param root: the project's folder, absolute.
    :returns: by host ``{"failures": [{"kind", "task", "path", "line", "message", "stdout", "stderr"}, …]}``, what is
        empty left out; of all but ``max_hosts`` hosts only the first failure, in brief.
    """
    texts = _Texts(redactor)
    in_full = _most_telling(run, options.max_hosts)
    data: dict[str, dict[str, Any]] = {}
    for host, failures in run.failures.items():
        if host in in_full:
            kept = [_in_full(failure, texts, root, options) for failure in failures[:_KEPT_FAILURES]]
        else:
            kept = [_in_brief(failure, texts, root) for failure in failures[:1]]
        data[host] = {"failures": kept}
    return data


def aborted_data(run: Run, redactor: Redactor, options: ReportOptions, root: str) -> dict[str, Any]:
    """Return the same for the pseudo-host of a run that never reached its end; nobody knows more of it than that."""
    return {"failures": [{"kind": ABORTED}]}


def event_for(
    send: Send, subject: Subject, options: ReportOptions, total_hosts: int, redactor: Redactor | None = None
) -> Event:
    """Return the event that says what ``send`` is about.

    :param total_hosts: hosts that the run's plays matched.
    :param redactor: the ledger may hold texts from before a pattern was added, and names are redacted only here;
        without one, the built-in patterns do it.
    """
    redactor = redactor or Redactor()
    name = beginning(redactor.text(one_line(subject.name)), _KEPT_NAME)
    episode = {"episode": send.episode} if send.episode else {}
    source = one_line(options.source)
    if send.state == RESOLVED:
        return Event(
            state=RESOLVED,
            incident_key=send.key,
            title=f"{_short_name(name, TITLE_LIMIT - 20)} works again",
            content=f"{name} works again: no host is left on which it failed.",
            source=source,
            details=episode,
        )
    page = _Page(name, _Findings(send, options, redactor), _run_words(subject.origin, options, redactor), total_hosts)
    return Event(
        state=TRIGGERED,
        incident_key=send.key,
        title=page.title(),
        content=page.content(),
        severity=options.severity,
        source=source,
        tags=tuple(one_line(tag) for tag in options.tags),
        details={**page.details(), **episode},
    )


# From a run to what the ledger keeps.


def _most_telling(run: Run, most: int) -> set[str]:
    """Return the hosts to keep in full: by name, but some of each failing task; last those that only suffer from it."""
    seen: Counter[tuple[Any, ...]] = Counter()
    ranks: list[tuple[bool, int, str]] = []
    for host in sorted(run.failures):
        first = run.failures[host][0]
        place = (first.kind, first.task, first.path, first.line)
        ranks.append((first.kind == NOT_REACHED, seen[place], host))
        seen[place] += 1
    return {host for _is_late, _nth, host in sorted(ranks)[: max(most, 0)]}


class _Texts:
    """Cleans, redacts and cuts texts, equal ones once: a thousand hosts often fail with the same words."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._names: dict[str, str] = {}
        self._messages: dict[str, str] = {}
        self._briefs: dict[str, str] = {}
        self._outputs: dict[str, str] = {}

    def name(self, text: str) -> str:
        if text not in self._names:
            self._names[text] = beginning(self._redactor.text(one_line(text)), _KEPT_NAME)
        return self._names[text]

    def message(self, text: str) -> str:
        if text not in self._messages:
            self._messages[text] = beginning(self._redacted_message(text), _KEPT_MESSAGE)
        return self._messages[text]

    def brief(self, text: str) -> str:
        if text not in self._briefs:
            window = text[:_BRIEF_WINDOW]
            message = self._redacted_message(text if window == text else without_cut_word(window))
            self._briefs[text] = shortened(message, _BRIEF_MESSAGE)
        return self._briefs[text]

    def output(self, text: str) -> str:
        if text not in self._outputs:
            whole = text if len(text) not in (OUTPUT_LIMIT, SHORT_LIMIT) else without_cut_line(text)
            self._outputs[text] = ending(self._redactor.text(cleaned(whole)), _KEPT_OUTPUT)
        return self._outputs[text]

    def _redacted_message(self, text: str) -> str:
        # a text of just the recorder's limit was cut there
        whole = text if len(text) not in (MESSAGE_LIMIT, SHORT_LIMIT) else without_cut_word(text)
        return self._redactor.text(cleaned(whole))


def _in_full(failure: Failure, texts: _Texts, root: str, options: ReportOptions) -> dict[str, Any]:
    return _without_empty(
        {
            **_in_brief(failure, texts, root),
            "message": texts.message(failure.message),
            "stdout": texts.output(failure.stdout) if options.include_output else "",
            "stderr": texts.output(failure.stderr) if options.include_output else "",
        }
    )


def _in_brief(failure: Failure, texts: _Texts, root: str) -> dict[str, Any]:
    return _without_empty(
        {
            "kind": failure.kind,
            "task": texts.name(failure.task or failure.action),
            "path": texts.name(_relative(failure.path, root)),
            "line": failure.line if failure.path else 0,
            "message": texts.brief(failure.message),
        }
    )


def _relative(path: str, root: str) -> str:
    top = root.rstrip("/") + "/"
    return path[len(top) :] if root and path.startswith(top) else path


def _without_empty(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if value}


# From what the ledger keeps to what a page says.


@dataclass
class _Finding:
    """One thing that went wrong, and on which hosts."""

    kind: str
    task: str
    path: str
    line: int
    message: str
    hosts: set[str] = field(default_factory=set)
    outputs: dict[tuple[str, str], set[str]] = field(default_factory=dict)  # hosts by stderr and stdout

    @property
    def order(self) -> tuple[Any, ...]:
        return (_KINDS.index(self.kind), -len(self.hosts), self.path, self.line, self.task, self.message)


class _Findings:
    """An incident's failures: hosts with the same task and the same message together, causes first."""

    def __init__(self, send: Send, options: ReportOptions, redactor: Redactor) -> None:
        members = send.incident.members
        self._redactor = redactor
        self._named = max(options.max_hosts, 0)
        self.aborted = sorted(host[1:] for host in members if host.startswith("*"))
        self._entries = {host: _entries(member.failure) for host, member in members.items()}
        self.kinds = {host: _kind(entries[0]) for host, entries in self._entries.items() if not host.startswith("*")}
        self.hosts = sorted(self.kinds)
        self.all = sorted(self._found(options), key=lambda finding: finding.order)

    def _found(self, options: ReportOptions) -> list[_Finding]:
        found: dict[tuple[Any, ...], _Finding] = {}
        everything = [(host, entry) for host in sorted(self._entries) for entry in self._entries[host]]
        # A host in brief joins those in full whose message begins like its own, so those come first.
        for host, entry in sorted(everything, key=lambda item: len(_text(item[1], "message")) <= _BRIEF_MESSAGE):
            line = entry.get("line")
            place = (_kind(entry), _text(entry, "task"), _text(entry, "path"), line if isinstance(line, int) else 0)
            message = _text(entry, "message")
            finding = found.get((*place, message))
            if not finding:
                finding = found[(*place, message)] = _Finding(*place, message)
                found.setdefault((*place, shortened(message, _BRIEF_MESSAGE)), finding)
            finding.hosts.add(host)
            output = (_text(entry, "stderr"), _text(entry, "stdout"))
            if any(output) and options.include_output:
                finding.outputs.setdefault(output, set()).add(host)
        return list({id(finding): finding for finding in found.values()}.values())

    def text(self, text: str, most: int) -> str:
        """Return a text of one line as it may leave."""
        return beginning(self._redactor.text(one_line(text)), most)

    def lines(self, text: str) -> str:
        """Return a text of several lines as it may leave, apart from its length."""
        return self._redactor.text(cleaned(text))

    def names(self, hosts: Collection[str], most: int) -> list[str]:
        """Return the names of the first hosts, as many as are named and fit into ``most`` bytes."""
        names = [self.text(host, _KEPT_NAME) for host in sorted(hosts)[: self._named]]
        sizes = accumulate(len(name.encode("utf-8")) + 3 for name in names)
        return [name for name, size in zip(names, sizes, strict=True) if size <= most]


def _entries(failure: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return a member's failures, never none: what another version of this collection has kept is worth a page too."""
    failures = failure.get("failures")
    entries = [entry for entry in failures if isinstance(entry, Mapping)] if isinstance(failures, list) else []
    return entries or [failure]


def _kind(entry: Mapping[str, Any]) -> str:
    kind = _text(entry, "kind")
    return kind if kind in _KINDS else FAILED


def _text(entry: Mapping[str, Any], name: str) -> str:
    value = entry.get(name)
    return value if isinstance(value, str) else ""


@dataclass(frozen=True)
class _Page:
    """One trigger's title, content and details.

    :param name: of the subject, ready to leave; ``run`` likewise what is known of where it ran.
    """

    name: str
    findings: _Findings
    run: Mapping[str, str]
    total_hosts: int

    def title(self) -> str:
        task = next((finding.task for finding in self.findings.all if finding.kind == FAILED), "")
        task = self.findings.text(task, _KEPT_NAME)
        name = _short_name(self.name, 48)
        for shown in (3, 2, 1, 0):
            what = f"{name} {self._what_happened(shown)}"
            room = TITLE_LIMIT - len(what) - 2
            if task and (len(task) <= room or (shown == 0 and room >= 10)):
                return f"{what}: {shortened(task, room)}"
            if len(what) <= TITLE_LIMIT and (shown == 0 or not task):
                return what
        return shortened(f"{name} {self._what_happened(0)}", TITLE_LIMIT)

    def content(self) -> str:
        head = f"{self.name} {self._what_happened(0)}."
        foot = "\n".join(_run_lines(self.run))
        budget = _Budget(CONTENT_LIMIT - len(f"{head}\n\n{foot}".encode()) - _REST_ROOM)
        sections: list[str] = []
        for finding, share in budget.shares(self.findings.all):
            section = self._section(finding, share)
            budget.left -= len(section.encode()) + 2
            sections.append(section)
        rest = self.findings.all[len(sections) :]
        if rest:
            hosts = len(set().union(*(finding.hosts for finding in rest)))
            sections.append(f"Not shown: {len(rest)} more failures, on {hosts} hosts.")
        return "\n\n".join(filter(None, (head, *sections, foot)))

    def details(self) -> dict[str, Any]:
        findings = self.findings
        names = findings.names(findings.hosts, 2048)
        details = _without_empty(
            {
                "name": self.name,
                "failed_hosts": len(findings.hosts),
                "total_hosts": self.total_hosts,
                "hosts": names,
                "more_hosts": len(findings.hosts) - len(names),
                "aborted": bool(findings.aborted),
                "run": dict(self.run),
            }
        )
        budget = _Budget(DETAILS_LIMIT - len(canonical_json(details)) - _REST_ROOM)
        shown: list[dict[str, Any]] = []
        for finding, share in budget.shares(findings.all):
            entry = self._entry(finding, share)
            budget.left -= len(canonical_json(entry)) + 1
            shown.append(entry)
        return _without_empty({**details, "failures": shown, "more_failures": len(findings.all) - len(shown)})

    def _what_happened(self, named: int) -> str:
        """Return what a title says after the name, with so many hosts named."""
        kinds = self.findings.kinds
        aborted = "was aborted before its end" if self.findings.aborted else ""
        if not kinds:
            return aborted or "failed"
        late = [host for host in self.findings.hosts if kinds[host] == NOT_REACHED]
        hosts = [host for host in self.findings.hosts if kinds[host] != NOT_REACHED] or late
        # the task that a title ends with is the first finding's
        first = next(finding.hosts for finding in self.findings.all if finding.kind != ABORTED)
        happened = {kinds[host] for host in hosts}
        verb = _VERBS[happened.pop()] if len(happened) == 1 else _VERBS[FAILED]
        # an incident can have hosts of earlier runs, which this run's plays did not match
        of_all = f" of {self.total_hosts}" if self.total_hosts >= len(kinds) else ""
        is_many = (self.total_hosts if of_all else len(hosts)) > 1
        what = f"{verb} {len(hosts)}{of_all} host{'s' if is_many else ''}"
        if named:
            hosts.sort(key=lambda host: (host not in first, host))
            names = [shortened(self.findings.text(host, _KEPT_NAME), 40) for host in hosts[:named]]
            what += f" ({listed(names, len(hosts))})"
        if late and hosts is not late:
            what += f", {len(late)} not reached"
        return "; ".join(filter(None, (aborted, what)))

    def _section(self, finding: _Finding, share: int) -> str:
        """Return what the content says of one finding, in at most ``share`` bytes."""
        task, path = self._place(finding)
        lines = [] if finding.kind == FAILED and task else [_WORDS[finding.kind]]
        if task:
            place = f"{path}:{finding.line}" if path and finding.line else path
            lines.append(f"Task: {task} ({place})" if place else f"Task: {task}")
        if finding.kind == ABORTED:
            limits = " / ".join(filter(None, self.findings.aborted))
            lines += [f"Limit: {self.findings.text(limits, share // 4)}"] if limits else []
        else:
            names = listed(self.findings.names(finding.hosts, share // 4), len(finding.hosts))
            lines.append(f"Host{'s' if len(finding.hosts) > 1 else ''}: {names}")
        budget = share - len("\n".join(lines).encode())
        texts = self._texts(finding)
        for position, (name, host, text) in enumerate(texts):
            label = _LABELS[name] + (f" on {host}" if host else "")
            room = budget // min(len(texts) - position, 3) - len(label.encode()) - 4
            if room < _SMALLEST_TEXT:
                break
            if "\n" in text:
                indented = "\n".join(f"  {line}" for line in text.splitlines())
                lines.append(f"{label}:\n{_CUTS[name](indented, room)}")
            else:
                lines.append(f"{label}: {_CUTS[name](text, room)}")
            budget -= len(lines[-1].encode()) + 1
        return "\n".join(lines)

    def _entry(self, finding: _Finding, share: int) -> dict[str, Any]:
        """Return what the details say of one finding, in at most ``share`` bytes of JSON."""
        task, path = self._place(finding)
        is_of_hosts = finding.kind != ABORTED
        names = self.findings.names(finding.hosts, share // 8) if is_of_hosts else []
        entry: dict[str, Any] = {
            "kind": finding.kind,
            "task": task,
            "path": path,
            "line": finding.line,
            "hosts": names,
            "more_hosts": len(finding.hosts) - len(names) if is_of_hosts else 0,
        }
        # JSON writes quotes, backslashes and line breaks as two bytes.
        budget = (share - len(canonical_json(entry))) // 2
        for name, _host, text in self._texts(finding):
            room = budget // (3 - len(entry.keys() & _CUTS.keys())) - 20 if name not in entry else 0
            if room >= _SMALLEST_TEXT:
                entry[name] = _CUTS[name](text, room)
                budget -= len(entry[name].encode()) + 20
        return _without_empty(entry)

    def _place(self, finding: _Finding) -> tuple[str, str]:
        return self.findings.text(finding.task, _SHOWN_NAME), self.findings.text(finding.path, _SHOWN_NAME)

    def _texts(self, finding: _Finding) -> list[tuple[str, str, str]]:
        """Return what was said, with the host where hosts differ: ``message``, ``stderr`` or ``stdout``, host, text."""
        texts = [("message", "", self.findings.lines(finding.message))]
        # hosts came in the order of their names, so outputs did
        for (stderr, stdout), hosts in list(finding.outputs.items())[:_SHOWN_OUTPUTS]:
            host = "" if hosts == finding.hosts else self.findings.text(min(hosts), 100)
            texts += [("stderr", host, self.findings.lines(stderr)), ("stdout", host, self.findings.lines(stdout))]
        return [text for text in texts if text[2]]


@dataclass
class _Budget:
    """Bytes that are left for findings."""

    left: int

    def shares(self, findings: Sequence[_Finding]) -> Iterator[tuple[_Finding, int]]:
        """Give each finding its share, as long as there is enough left; the caller takes off what it has used."""
        for position, finding in enumerate(findings):
            if self.left < _SMALLEST_SHARE:
                return
            yield finding, max(self.left // min(len(findings) - position, _SHARES), _SMALLEST_SHARE)


def _run_words(origin: Origin, options: ReportOptions, redactor: Redactor) -> dict[str, str]:
    if options.stable_payload:
        return {}
    words = {name: redactor.text(one_line(value)) for name, value in asdict(origin).items() if name != "job_name"}
    return {name: beginning(value, 512 if name == "url" else _SHOWN_NAME) for name, value in words.items() if value}


def _run_lines(run: Mapping[str, str]) -> Iterator[str]:
    if run.get("url") or run.get("run_id"):
        yield f"{run.get('system', '')} run: {run.get('url') or run.get('run_id')}".lstrip()
    if run.get("user"):
        yield f"Started by: {run['user']}"
    if run.get("revision"):
        yield f"Revision: {run['revision']}"


def _short_name(name: str, most: int) -> str:
    """Return the end of a name, at most ``most`` characters: of a path that is what tells it from others."""
    return name if len(name) <= most else "…" + name[1 - most :]
