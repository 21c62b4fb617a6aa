# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Says which incident a run belongs to: what is run, on which inventory, and on which part of it.

Must not read files, the environment or Ansible: surroundings.py collects the facts, this file only names them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

# 16 hexadecimal digits are 64 bits: keys of one account never meet by chance, and the name before them stays readable.
_HASH = 16
_KEY = 64

IN_PROJECT = "project"
ON_MACHINE = "machine"
INLINE = "inline"

_SCP_REMOTE = re.compile(r"(?:[^/@]*@)?(?:\[[^\]]*\]|[^/:]+):(?P<path>.*)")
_TRANSPORT = re.compile(r"^[A-Za-z0-9.+-]+::")


@dataclass(frozen=True)
class Scope:
    """The part of a playbook and an inventory that a run covers. Each is sorted and without duplicates; ``()`` is all.

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

    :param place: ``IN_PROJECT``, ``ON_MACHINE`` or ``INLINE``.
    :param text: for each of these the path from the project's root, the absolute path, the host list as given.
    """

    place: str
    text: str


@dataclass(frozen=True)
class JobTemplate:
    """What AWX says of the job: two identifiers that mean something only together with the address of that AWX."""

    url: str
    template_id: str
    inventory_id: str


@dataclass(frozen=True)
class IdentityFacts:
    """Everything an identity is made of, read beforehand.

    :param playbook: the path from the project's root, or a collection playbook's full name.
    :param project: the ``project`` option; it wins over ``remote``, and that over ``folder``.
    :param remote: the git remote's URL, in any form that git knows.
    :param folder: the name of the project's root folder.
    :param sources: the inventory sources in Ansible's order (a later one overrides an earlier one's variables).
    :param host_name: this machine's name. It joins only where a source is ``ON_MACHINE``.
    :param key_vars: names and values of the extra vars that tell runs apart, see :func:`key_var_values`.
    :param job_template: set in AWX, where it stands for project, playbook and inventory.
    :param relaunched: AWX started the job by *relaunch*, which sets a limit of its own: the limit does not count.
    :param limit: host patterns, with files read and the text split.
    :param tags: as given, perhaps several in one text, separated by commas. ``skip_tags`` likewise.
    """

    playbook: str
    project: str = ""
    remote: str = ""
    folder: str = ""
    sources: tuple[Source, ...] = ()
    host_name: str = ""
    key_vars: tuple[tuple[str, str], ...] = ()
    job_template: JobTemplate | None = None
    relaunched: bool = False
    limit: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    skip_tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Identity:
    """Which incidents a run can open and close.

    :param base: hexadecimal digest of project, playbook, inventory and key variables: one ledger for each.
    :param name: the same in readable words. It holds nothing that can be renamed without changing the base, so it is no
        title: a job template's name is in ``Origin.job_name``.
    """

    base: str
    name: str
    scope: Scope

    @property
    def key(self) -> str:
        """The ``incident_key``: at most 64 characters of ``a-z0-9.-``, equal wherever base and scope are equal."""
        return readable_key(self.name, self.base, self.scope.limit, self.scope.tags, self.scope.skip_tags)


@dataclass(frozen=True)
class NamedIdentity(Identity):
    """An identity whose incidents have a key of the user's choice.

    A run with ``--limit`` has a key of its own, as everywhere: without a ledger it could else close what it does not
    cover.
    """

    own_key: str = ""

    @property
    def key(self) -> str:
        if not self.scope.limit:
            return self.own_key
        return readable_key(self.own_key, self.base, self.scope.limit)


def identify(facts: IdentityFacts) -> Identity:
    """Return the identity of a run; equal facts give equal keys, in any order of limits and tags."""
    template = facts.job_template
    key_vars = sorted(facts.key_vars)
    if template:
        host = urlsplit(template.url).hostname or "awx"
        name = f"{host} template {template.template_id} inventory {template.inventory_id}"
        base = digest("awx", template.url, template.template_id, template.inventory_id, key_vars)
    else:
        project = facts.project.strip() or remote_path(facts.remote) or facts.folder
        name = f"{project} {facts.playbook}".strip()
        sources = [(source.place, source.text) for source in facts.sources]
        machine = facts.host_name.lower() if any(place == ON_MACHINE for place, text in sources) else ""
        base = digest("project", project, facts.playbook, sources, machine, key_vars)
    limit = () if facts.relaunched else facts.limit
    return Identity(base, _speakable(name), scope_of(limit, facts.tags, facts.skip_tags))


def part_of(whole: Identity, kind: str, *names: str) -> Identity:
    """Return the identity of a part of a run that has incidents of its own, apart from the run's and other parts'.

    :param kind: what sort of part, such as ``guard``; ``names`` say which one. The last name is shown.
    """
    return Identity(digest(whole.base, kind, *names), _speakable(f"{whole.name} {names[-1]}"), whole.scope)


def scope_of(limit: Iterable[str] = (), tags: Iterable[str] = (), skip_tags: Iterable[str] = ()) -> Scope:
    """Return the scope for these patterns and tags.

    Ansible hands ``("all",)`` for no tags. A limit of ``all`` or ``*`` takes nothing away, unless another pattern does.
    """
    patterns = _distinct(limit)
    if {"all", "*"} & set(patterns) and not any(pattern.startswith(("!", "&")) for pattern in patterns):
        patterns = ()
    wanted = _distinct(",".join(tags).split(","))
    return Scope(patterns, () if wanted == ("all",) else wanted, _distinct(",".join(skip_tags).split(",")))


def remote_path(url: str) -> str:
    """Return the path part of a git remote's URL: ``org/repo`` for ``https://user:pw@host/org/repo`` and its like.

    The forms are those of ``git-clone(1)``: URLs, ``[user@]host:path``, and paths of this machine, besides
    ``transport::address`` (``gitremote-helpers(7)``). A URL without a path gives its host, as ``codecommit://repo``.
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
    """Return the named extra vars that were given, as text: ``-e n=1`` and ``-e '{"n": 1}'`` mean the same."""
    return tuple((name, _as_text(extra_vars[name])) for name in sorted(set(names)) if name in extra_vars)


def readable_key(name: str, *parts: Any) -> str:
    """Return a key of at most 64 characters of ``a-z0-9.-``: the end of ``name``, then a hash of ``parts``.

    :param parts: all that tells this key from others, of plain types; ``name`` alone tells nothing apart.
    """
    slug = re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.")
    room = _KEY - _HASH - 1
    if len(slug) > room:
        # The end names the playbook. What remains of the word that is cut off would only look like a name.
        slug = slug[-room:]
        slug = slug.partition("-")[2] or slug
    return "-".join(part for part in (slug.strip("-."), digest(*parts)[:_HASH]) if part)


def digest(*parts: Any) -> str:
    """Return 64 hexadecimal digits that equal parts share, on every machine.

    :param parts: of plain types.
    """
    # ASCII escapes: a file name that is no UTF-8 has no other form that can be hashed.
    return hashlib.sha256(json.dumps(parts, separators=(",", ":")).encode("ascii")).hexdigest()


def _distinct(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({_speakable(text.strip()) for text in texts if text.strip()}))


def _speakable(text: str) -> str:
    """Return text that can be sent as UTF-8; the command line and file names may hold bytes that cannot."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return str(value)
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    except Exception:
        # A variable that refers to itself, or a vaulted one that cannot be opened: the run must not fail for its name.
        return ""
