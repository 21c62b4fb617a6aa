# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Computes which incident a run belongs to, from what is run, on which inventory, and with which limit and tags.

Must not read files, the environment or Ansible: _context/project.py collects the facts.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote, urlsplit

# 16 hexadecimal digits are 64 bits: enough to avoid collisions within one account, and there is room for a name.
_HASH = 16
_KEY = 64

IN_PROJECT = "project"
ON_MACHINE = "machine"
INLINE = "inline"
TEMPORARY = "temporary"

_HASH_AT_END = re.compile(rf"-[0-9a-f]{{{_HASH}}}$")
_SCP_REMOTE = re.compile(r"(?:[^/@]*@)?(?:\[[^\]]*\]|[^/:]+):(?P<path>.*)")
_TRANSPORT = re.compile(r"^[A-Za-z0-9.+-]+::")


@dataclass(frozen=True)
class Scope:
    """The part of a playbook and an inventory that a run covers.

    Each field is sorted and has no duplicates; ``()`` means everything.

    :param limit: the host patterns of ``--limit``.
    :param tags: the tags of ``--tags``.
    :param skip_tags: the tags of ``--skip-tags``.
    """

    limit: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    skip_tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """One inventory source.

    :param place: ``IN_PROJECT``, ``ON_MACHINE``, ``INLINE``, or ``TEMPORARY`` for a file that only this run has.
    :param text: by ``place``: the path relative to the project's root, the absolute path, the host list, or the
        absolute path, which does not count.
    """

    place: str
    text: str


@dataclass(frozen=True)
class JobTemplate:
    """The job template of an AWX job. The two ids are unique only together with the address of that AWX."""

    url: str
    template_id: str
    inventory_id: str


@dataclass(frozen=True)
class IdentityFacts:
    """Everything that an identity is computed from.

    :param playbook: the path relative to the project's root, or a collection playbook's full name.
    :param project: the ``project`` option; it takes precedence over ``remote``, and ``remote`` over ``folder``.
    :param remote: the git remote's URL, in any form that git accepts.
    :param folder: the name of the project's root directory.
    :param sources: the inventory sources in Ansible's order (a later one overrides an earlier one's variables).
    :param inventory_name: the ``inventory_name`` option; if set, it replaces ``sources``, ``inventory_content`` and
        ``host_name``.
    :param inventory_content: names of hosts; they replace the text of sources that are ``TEMPORARY``.
    :param host_name: this machine's name. It is used only if a source is ``ON_MACHINE``, or the inventory ``is_local``.
    :param is_local: the inventory names nothing but the machine itself, and the machine is known by its name.
    :param key_vars: names and values of the extra vars that distinguish runs, see :func:`key_var_values`.
    :param job_template: set in AWX, where it replaces project, playbook and inventory.
    :param limit: host patterns, with files read and strings split.
    :param tags: as given; one string may hold several, separated by commas. ``skip_tags`` likewise.
    """

    playbook: str
    project: str = ""
    remote: str = ""
    folder: str = ""
    sources: tuple[Source, ...] = ()
    inventory_name: str = ""
    inventory_content: tuple[str, ...] = ()
    host_name: str = ""
    is_local: bool = False
    key_vars: tuple[tuple[str, str], ...] = ()
    job_template: JobTemplate | None = None
    limit: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    skip_tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Identity:
    """Which incidents a run can open and resolve.

    :param base: hexadecimal digest of project, playbook, inventory and key variables. Each base has its own ledger.
    :param name: the same in words. It contains nothing that can be renamed without changing the base, so it is not
        suitable as a title: a job template's name is in ``Origin.job_name``.
    """

    base: str
    name: str
    scope: Scope

    @property
    def unlimited(self) -> Identity:
        """The identity of the same run without ``--limit``."""
        return replace(self, scope=replace(self.scope, limit=()))

    @property
    def whole(self) -> Identity:
        """The identity of the same run without limit and tags."""
        return replace(self, scope=Scope())

    @property
    def key(self) -> str:
        """The ``incident_key``: at most 64 characters of ``a-z0-9.-``, equal wherever base and scope are equal."""
        return readable_key(self.name, self.base, self.scope.limit, self.scope.tags, self.scope.skip_tags)


@dataclass(frozen=True)
class NamedIdentity(Identity):
    """An identity whose incidents have a key that the user chose.

    A run with ``--limit`` still gets its own key. Otherwise, without a ledger, it could resolve an incident whose hosts
    it does not cover.
    """

    own_key: str = ""

    @property
    def key(self) -> str:
        if not self.scope.limit:
            return self.own_key
        return readable_key(self.own_key, self.base, self.scope.limit)


def identify(facts: IdentityFacts) -> Identity:
    """Return the identity of a run. Equal facts give equal keys; the order of limits and tags does not matter."""
    template = facts.job_template
    key_vars = sorted(facts.key_vars)
    if template:
        host = urlsplit(template.url).hostname or "awx"
        name = f"{host} template {template.template_id} inventory {template.inventory_id}"
        base = digest("awx", template.url, template.template_id, template.inventory_id, key_vars)
    else:
        project = facts.project.strip() or remote_path(facts.remote) or facts.folder
        name = f"{project} {facts.playbook}".strip()
        base = digest("project", project, facts.playbook, *_inventory(facts), key_vars)
    return Identity(base, _encodable(name), scope_of(facts.limit, facts.tags, facts.skip_tags))


def _inventory(facts: IdentityFacts) -> tuple[list[tuple[str, str]], str]:
    """Return what identifies the inventory, and the name of the machine that it belongs to, if it belongs to one."""
    if facts.inventory_name:
        return [("named", facts.inventory_name)], ""
    content = digest(*sorted(facts.inventory_content))
    sources = [(source.place, content if source.place == TEMPORARY else source.text) for source in facts.sources]
    is_of_machine = facts.is_local or any(place == ON_MACHINE for place, _text in sources)
    return sources, facts.host_name.lower() if is_of_machine else ""


def part_of(whole: Identity, kind: str, *names: str) -> Identity:
    """Return the identity of a part of a run that has its own incidents, separate from the run's and other parts'.

    :param kind: the kind of part, such as ``guard``.
    :param names: what identifies the part; the last name is shown.
    """
    return Identity(digest(whole.base, kind, *names), _encodable(f"{whole.name} {names[-1]}"), whole.scope)


def scope_of(limit: Iterable[str] = (), tags: Iterable[str] = (), skip_tags: Iterable[str] = ()) -> Scope:
    """Return the scope for these patterns and tags.

    Without ``--tags``, Ansible passes ``("all",)``. A limit of ``all`` or ``*`` counts as no limit, unless another
    pattern excludes hosts.
    """
    patterns = _distinct(limit)
    if {"all", "*"} & set(patterns) and not any(pattern.startswith(("!", "&")) for pattern in patterns):
        patterns = ()
    selected = _distinct(",".join(tags).split(","))
    return Scope(patterns, () if selected == ("all",) else selected, _distinct(",".join(skip_tags).split(",")))


def remote_path(url: str) -> str:
    """Return the path part of a git remote's URL, such as ``org/repo`` for ``https://user:pw@host/org/repo``.

    The forms are those of ``git-clone(1)``: URLs, ``[user@]host:path`` and local paths; also ``transport::address``
    (``gitremote-helpers(7)``). A URL without a path, such as ``codecommit://repo``, gives its host.
    """
    url = _TRANSPORT.sub("", url.strip())
    scheme, separator, rest = url.partition("://")
    if separator and "/" not in scheme:
        authority, _slash, path = rest.partition("/")
        path = unquote(re.split(r"[?#]", path, maxsplit=1)[0])
        path = path if path.strip("/") else authority.rpartition("@")[2].lower()
    else:
        scp = _SCP_REMOTE.fullmatch(url)
        path = scp["path"] if scp else url
    parts = [part for part in path.split("/") if part not in ("", ".", "~")]
    return "/".join(parts).removesuffix(".git").rstrip("/")


def key_var_values(names: Iterable[str], extra_vars: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return the named extra vars that were given, as strings: ``-e n=1`` and ``-e '{"n": 1}'`` are equal."""
    return tuple((name, _as_string(extra_vars[name])) for name in sorted(set(names)) if name in extra_vars)


def key_of_group(key: str, group: str) -> str:
    """Return the ``incident_key`` of a group of hosts of a run with this key; for the group ``""`` it is the same."""
    return readable_key(f"{_HASH_AT_END.sub('', key)} {group}", key, group) if group else key


def readable_key(name: str, *parts: Any) -> str:
    """Return a key of at most 64 characters of ``a-z0-9.-``: the end of ``name``, then a hash of ``parts``.

    :param parts: everything that distinguishes this key from others, of plain types; ``name`` is not hashed.
    """
    slug = re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.")
    room = _KEY - _HASH - 1
    if len(slug) > room:
        # Keep the end: it names the playbook. Drop the rest of a word that was cut: it would look like a name.
        slug = slug[-room:]
        slug = slug.partition("-")[2] or slug
    return "-".join(part for part in (slug.strip("-."), digest(*parts)[:_HASH]) if part)


def digest(*parts: Any) -> str:
    """Return a hash of 64 hexadecimal digits. Equal parts give equal digests on every machine.

    :param parts: of plain types.
    """
    # ASCII escapes, because a file name that is not valid UTF-8 cannot be encoded otherwise.
    return hashlib.sha256(json.dumps(parts, separators=(",", ":")).encode("ascii")).hexdigest()


def _distinct(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({_encodable(text.strip()) for text in texts if text.strip()}))


def _encodable(text: str) -> str:
    """Return a string that can be encoded as UTF-8; the command line and file names may contain bytes that cannot."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _as_string(value: Any) -> str:
    if isinstance(value, str):
        return str(value)
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    except Exception:
        # A variable that refers to itself, or a vaulted one that cannot be decrypted, must not break the run.
        return ""
