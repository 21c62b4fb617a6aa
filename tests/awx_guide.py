# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies the objects of awx_setup into the guide to AWX, so that both always show the same.

``python tests/awx_guide.py`` writes the guide; the tests compare.

Must not evaluate the objects' templates: AWX does.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
OBJECTS = Path("playbooks", "vars", "awx_objects.yml")
GUIDE = Path("docs", "docsite", "rst", "awx.rst")
BLOCK = re.compile(r"(?<=^\.\. generated: )(\w+)\n.*?(?=^\.\. end of generated$)", re.MULTILINE | re.DOTALL)
# What the names of the job templates and their files consist of.
PREFIX = "{{ sqibs_prefix }}"
PLAYBOOK = re.compile(r"\{\{ sqibs_playbooks\.(\w+) \}\}")


class Loader(yaml.SafeLoader):
    """Reads ``!unsafe`` as a plain string."""


class Dumper(yaml.SafeDumper):
    """Indents lists as yamllint wants it."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:
        return super().increase_indent(flow, False)


Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))


def generate(root: Path) -> str:
    """Return the guide as it should be.

    :param root: the directory of the collection.
    """
    objects = yaml.load((root / OBJECTS).read_text(encoding="utf-8"), Loader=Loader)
    return BLOCK.sub(lambda match: f"{match[1]}\n\n{_block(objects, match[1])}\n", (root / GUIDE).read_text("utf-8"))


def _block(objects: dict[str, Any], name: str) -> str:
    data = objects[f"sqibs_{name}"]
    if name == "job_templates":
        data = [_plain(template) for template in data]
    if isinstance(data, str):
        return _code("text", data)
    return _code("yaml", yaml.dump(data, Dumper=Dumper, sort_keys=False, width=1000))


def _plain(template: dict[str, str]) -> dict[str, str]:
    name = template["name"].replace(PREFIX, "Callgoose")
    playbook = PLAYBOOK.sub(r"callgoose_\1.yml", template["playbook"])
    return {**template, "name": name, "playbook": playbook}


def _code(language: str, text: str) -> str:
    return f".. code-block:: {language}\n\n{textwrap.indent(text.strip(), '   ')}\n"


if __name__ == "__main__":
    (ROOT / GUIDE).write_text(generate(ROOT), encoding="utf-8")
