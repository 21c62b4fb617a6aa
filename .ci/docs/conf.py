# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How Sphinx renders the guides and the plugins' reference as one set of pages: see the session ``docs``.

Must not fetch other projects' inventories: the build works without network.
"""

from __future__ import annotations

import docutils.nodes

project = "Callgoose SQIBS"
author = copyright = "Callgoose SQIBS collection contributors"
extensions = ["sphinx_antsibull_ext"]
html_theme = "alabaster"
# Room for a line of the guides' examples.
html_theme_options = {"page_width": "1200px", "body_max_width": "auto"}
html_copy_source = False
highlight_language = "YAML+Jinja"
pygments_style = "sphinx"
exclude_patterns = ["build"]

# Labels of Ansible's own documentation that the generated pages and our plugins' texts refer to.
ANSIBLE_DOCUMENTATION = "https://docs.ansible.com/ansible/latest/"
ANSIBLE_PAGES = {
    "action_plugins": "plugins/action.html",
    "ansible_configuration_settings": "reference_appendices/config.html",
    "callback_plugins": "plugins/callback.html",
    "common_return_values": "reference_appendices/common_return_values.html",
}


def link_to_ansible(app, env, node, contnode):
    """Return a link to Ansible's documentation for a label that lies there, or None: then Sphinx reports the label."""
    label = node["reftarget"]
    page = ANSIBLE_PAGES.get(label)
    if page is None and label.startswith("ansible_collections.ansible.builtin."):
        plugin = label.removeprefix("ansible_collections.ansible.builtin.").split("__")[0]
        page = f"collections/ansible/builtin/{plugin}.html"
    if page is None:
        return None
    return docutils.nodes.reference("", "", contnode, internal=False, refuri=ANSIBLE_DOCUMENTATION + page)


def setup(app):
    """Register the links with Sphinx."""
    app.connect("missing-reference", link_to_ansible)
