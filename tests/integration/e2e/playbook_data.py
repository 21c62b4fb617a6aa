# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads data and tasks of the collection's playbooks and templates them in this process, to test many cases quickly.

Must not know what they mean. A run of ansible-playbook for each case would take minutes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from jinja2 import Environment

OMIT = "__omitted__"

try:
    from ansible.template import trust_as_template as trusted
except ImportError:  # before ansible-core 2.19, every string was a template

    def trusted(value: Any) -> Any:
        """Return the value unchanged."""
        return value


TRUSTED = {} if trusted.__module__ == __name__ else {"trusted_as_template": True}


def playbooks(collections_path: Path) -> Path:
    """Return the directory of the installed collection's playbooks."""
    return collections_path / "ansible_collections" / "callgoose" / "sqibs" / "playbooks"


class PlaybookData:
    """Variables, with methods that evaluate expressions with them.

    :ivar variables: by name; a value may contain templates.
    """

    def __init__(self, *files: Path) -> None:
        self._loader = DataLoader()
        self.variables: dict[str, Any] = {"omit": OMIT}
        for file in files:
            self.variables.update(self.load(file))

    def load(self, path: Path) -> Any:
        """Return the data of a YAML file, without evaluating its templates."""
        return self._loader.load_from_file(str(path), **TRUSTED)

    def value(self, expression: str, **more: Any) -> Any:
        """Return the value of a Jinja expression, such as a variable's name or a condition."""
        return self.template(trusted(f"{{{{ {expression} }}}}"), **more)

    def template(self, data: Any, **more: Any) -> Any:
        """Return loaded data with its templates evaluated.

        :param more: further variables.
        """
        return Templar(self._loader, variables={**self.variables, **more}).template(data)


def compile_each_template_once(patch: pytest.MonkeyPatch) -> None:
    """Give Jinja's compiler a memory: it takes most of the time, and Ansible makes a new environment each time."""
    compile_template = Environment.compile
    known: dict[Any, Any] = {}

    def compile_once(environment: Environment, source: Any, *args: Any, **kwargs: Any) -> Any:
        if args or kwargs or not isinstance(source, str):
            return compile_template(environment, source, *args, **kwargs)
        key = (type(environment), str(source))
        if key not in known:
            known[key] = compile_template(environment, source)
        return known[key]

    patch.setattr(Environment, "compile", compile_once)
