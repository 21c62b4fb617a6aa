# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How Sphinx renders the guides and the plugins' reference as one set of pages: see the session ``docs``.

Must not fetch other projects' inventories: the build works without network.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import docutils.nodes
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)

project = "Callgoose SQIBS"
author = copyright = "Callgoose SQIBS collection contributors"
extensions = ["sphinx_antsibull_ext"]
# Brings its own style sheets, script and search, so that a page loads nothing from another host.
html_theme = "furo"
html_title = "Callgoose SQIBS for Ansible"
html_theme_options = {
    "source_repository": "https://github.com/callgoose/ansible-collection-sqibs/",
}
html_static_path = ["static"]
html_css_files = ["wide.css"]
html_copy_source = False
antsibull_ext_color_scheme = "default-autodark"
highlight_language = "YAML+Jinja"
exclude_patterns = ["build"]

# The guides are read on GitHub and Galaxy too, so that they name each other and their pictures by whole addresses.
REPOSITORY = "https://github.com/callgoose/ansible-collection-sqibs"
GUIDE = re.compile(re.escape(f"{REPOSITORY}/blob/main/docs/docsite/rst/") + r"(\w+)\.rst(#.*)?")
GUIDES = "collections/callgoose/sqibs/docsite"
PICTURES = "https://raw.githubusercontent.com/callgoose/ansible-collection-sqibs/main/docs/images/"

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


def take_pictures_from_here(app, docname, source):
    """Let a page show the site's own copy of a picture."""
    source[0] = source[0].replace(PICTURES, "/images/")


def leave_contents_to_the_theme(app, doctree, docname):
    """Take out each page's own table of contents: the theme shows one beside it, and complains about a second."""
    for node in list(doctree.findall(docutils.nodes.topic)):
        if "contents" in node["classes"]:
            node.parent.remove(node)


def link_guides_to_each_other(app, doctree, docname):
    """Turn the address of a guide on GitHub into a link to its page, so that a reader stays on the site."""
    for node in doctree.findall(docutils.nodes.reference):
        match = GUIDE.fullmatch(node.get("refuri", ""))
        if match is None:
            continue
        guide = f"{GUIDES}/{match[1]}"
        if guide in app.env.found_docs:
            node["refuri"] = app.builder.get_relative_uri(docname, guide) + (match[2] or "")
            node["internal"] = True
        else:
            LOGGER.warning("There is no guide %s.rst.", match[1], location=node)


def setup(app):
    """Register the links and pictures with Sphinx."""
    # The session docs copies this directory to build/docs.
    shutil.copytree(Path(app.srcdir).parents[1] / "docs" / "images", Path(app.srcdir) / "images", dirs_exist_ok=True)
    app.connect("missing-reference", link_to_ansible)
    app.connect("source-read", take_pictures_from_here)
    app.connect("doctree-resolved", leave_contents_to_the_theme)
    app.connect("doctree-resolved", link_guides_to_each_other)
