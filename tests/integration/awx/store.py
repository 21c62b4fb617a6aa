# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects of an emulated AWX: what is created, changed, found and attached.

Must not speak HTTP. What AWX refuses is in the other files of this directory, and in :class:`Store` where it needs to
know other objects.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from ansible_collections.callgoose.sqibs.tests.integration.awx import contexts, credential_rules, notification_rules
from ansible_collections.callgoose.sqibs.tests.integration.awx.refusal import Refusal, wrong

KINDS = {
    "organizations": "organization",
    "credential_types": "credential_type",
    "credentials": "credential",
    "projects": "project",
    "inventories": "inventory",
    "execution_environments": "execution_environment",
    "job_templates": "job_template",
    "workflow_job_templates": "workflow_job_template",
    "workflow_job_template_nodes": "workflow_job_template_node",
    "schedules": "schedule",
    "notification_templates": "notification_template",
}
UNIFIED = ("job_templates", "workflow_job_templates", "projects")
ATTACHED = {
    "credentials": "credentials",
    "notification_templates_success": "notification_templates",
    "notification_templates_error": "notification_templates",
    "galaxy_credentials": "credentials",
    "success_nodes": "workflow_job_template_nodes",
    "failure_nodes": "workflow_job_template_nodes",
    "always_nodes": "workflow_job_template_nodes",
}
DEFAULTS: dict[str, dict[str, Any]] = {
    "credential_types": {"managed": False, "kind": "cloud", "inputs": {}, "injectors": {}},
    "credentials": {"organization": None, "inputs": {}},
    "projects": {"scm_type": "git", "status": "successful", "organization": None, "scm_revision": "0f1e2d3c"},
    "execution_environments": {"organization": None},
    "job_templates": {
        "inventory": None,
        "playbook": "",
        "extra_vars": "",
        "execution_environment": None,
        "ask_inventory_on_launch": False,
        "ask_limit_on_launch": False,
        "ask_variables_on_launch": False,
    },
    "workflow_job_templates": {"organization": None, "extra_vars": ""},
    "workflow_job_template_nodes": {"extra_data": {}, "all_parents_must_converge": False},
    "schedules": {"enabled": True, "extra_data": {}},
    "notification_templates": {"messages": dict.fromkeys(notification_rules.EVENTS)},
}


class Store:
    """All objects, by endpoint and ID.

    :ivar playbooks: the playbooks that AWX knows of each project, by the project's ID.
    :ivar pushed: those that it finds when it synchronizes the project, or None if that fails.
    """

    def __init__(self) -> None:
        self.objects: dict[str, dict[int, dict[str, Any]]] = {endpoint: {} for endpoint in KINDS}
        self.attached: dict[tuple[str, int, str], list[int]] = {}
        self.playbooks: dict[int, list[str]] = {}
        self.pushed: dict[int, list[str] | None] = {}
        self.settings = {"TOWER_URL_BASE": contexts.AWX}
        self._last = 0

    def add(self, endpoint: str, **fields: Any) -> dict[str, Any]:
        """Create an object without AWX's checks, as if it had always been there, and return it."""
        self._last += 1
        item = {
            "id": self._last,
            "type": KINDS[endpoint],
            "url": f"/api/v2/{endpoint}/{self._last}/",
            "description": "",
            **copy.deepcopy(DEFAULTS.get(endpoint, {})),
            **fields,
        }
        self.objects[endpoint][self._last] = item
        return item

    def get(self, endpoint: str, number: Any) -> dict[str, Any]:
        """Return one object.

        :raises Refusal: there is none.
        """
        if endpoint not in KINDS or not str(number).isdigit() or int(number) not in self.objects[endpoint]:
            raise Refusal(404, {"detail": "Not found."})
        return self.objects[endpoint][int(number)]

    def one(self, endpoint: str, name: str) -> dict[str, Any]:
        """Return the object with this name, for tests."""
        (item,) = (item for item in self.objects[endpoint].values() if item.get("name") == name)
        return item

    def find(self, endpoint: str, query: Mapping[str, str]) -> list[dict[str, Any]]:
        """Return the objects that match all conditions and one of the ``or__`` conditions, as AWX filters lists."""
        sources = UNIFIED if endpoint == "unified_job_templates" else (endpoint,)
        if any(source not in KINDS for source in sources):
            raise Refusal(404, {"detail": "Not found."})
        items = [item for source in sources for item in self.objects[source].values()]
        every = {name: value for name, value in query.items() if not name.startswith("or__")}
        some = {name.removeprefix("or__"): value for name, value in query.items() if name.startswith("or__")}
        return [
            item
            for item in items
            if all(matches(item, name, value) for name, value in every.items())
            and (not some or any(matches(item, name, value) for name, value in some.items()))
        ]

    def attached_to(self, endpoint: str, number: int, relation: str) -> list[dict[str, Any]]:
        """Return what is attached to an object."""
        if relation == "workflow_nodes":
            return self.find("workflow_job_template_nodes", {"workflow_job_template": str(number)})
        if relation not in ATTACHED:
            raise Refusal(404, {"detail": "Not found."})
        return [self.get(ATTACHED[relation], other) for other in self.attached.get((endpoint, number, relation), [])]

    def attach(self, endpoint: str, number: int, relation: str, other: int) -> None:
        """Attach an object to another, or refuse a second credential of one type."""
        new = self.get(ATTACHED[relation], other)
        others = self.attached.setdefault((endpoint, number, relation), [])
        if relation == "credentials":
            kinds = [self.get("credentials", one)["credential_type"] for one in others]
            if new["credential_type"] in kinds:
                name = self.get("credential_types", new["credential_type"])["name"]
                raise Refusal(400, {"error": f"Cannot assign multiple {name} credentials."})
        if other not in others:
            others.append(other)

    def detach(self, endpoint: str, number: int, relation: str, other: int) -> None:
        """Detach an object from another."""
        self.attached[endpoint, number, relation].remove(other)

    def create(self, endpoint: str, data: Mapping[str, Any]) -> dict[str, Any]:
        """Create an object as a request does.

        :raises Refusal: what AWX would answer.
        """
        whole = {**copy.deepcopy(DEFAULTS.get(endpoint, {})), **data}
        item = {**data, **self._checked(endpoint, whole, {})}
        return self.add(endpoint, **item)

    def change(self, endpoint: str, number: int, data: Mapping[str, Any]) -> dict[str, Any]:
        """Change an object as a request does.

        :raises Refusal: what AWX would answer.
        """
        item = self.get(endpoint, number)
        item.update({**data, **self._checked(endpoint, {**item, **data}, item)})
        return item

    def synchronize(self, number: int) -> bool:
        """Synchronize a project, and return whether that succeeded."""
        project = self.get("projects", number)
        found = self.pushed.get(number, self.playbooks.get(number, []))
        project["status"] = "failed" if found is None else "successful"
        if found is not None:
            self.playbooks[number] = found
        return found is not None

    def _checked(self, endpoint: str, whole: dict[str, Any], old: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields that AWX itself sets or alters."""
        check = getattr(self, f"_check_{endpoint}", None)
        return check(whole, old) if check else {}

    def _check_credential_types(self, whole: dict[str, Any], old: Mapping[str, Any]) -> dict[str, Any]:
        if old and old["inputs"] != whole["inputs"] and self.find("credentials", {"credential_type": str(old["id"])}):
            detail = "Modifications to inputs are not allowed for credential types that are in use"
            raise Refusal(403, {"detail": detail})
        if whole["kind"] not in ("cloud", "net"):
            raise wrong("kind", f"Must be 'cloud' or 'net', not {whole['kind']}")
        credential_rules.check_type(whole["inputs"], whole["injectors"])
        return {}

    def _check_credentials(self, whole: dict[str, Any], old: Mapping[str, Any]) -> dict[str, Any]:
        kind = self.get("credential_types", whole["credential_type"])
        credential_rules.check_credential(kind, whole["inputs"], is_new=not old)
        held = old.get("inputs", {})
        kept = {
            name: held[name] if value == credential_rules.MASK else value for name, value in whole["inputs"].items()
        }
        return {"inputs": kept}

    def _check_job_templates(self, whole: dict[str, Any], _old: Mapping[str, Any]) -> dict[str, Any]:
        if not whole.get("project"):
            raise wrong("project", "This field is required.")
        project = self.get("projects", whole["project"])
        if whole["playbook"] not in self.playbooks.get(project["id"], []):
            raise wrong("playbook", "Playbook not found for project.")
        if not whole["inventory"] and not whole["ask_inventory_on_launch"]:
            raise wrong("inventory", "You must either set a default value or ask to prompt on launch.")
        return {"organization": project["organization"]}

    def _check_schedules(self, whole: dict[str, Any], _old: Mapping[str, Any]) -> dict[str, Any]:
        start, _space, rule = whole["rrule"].partition(" ")
        if not start.startswith("DTSTART") or not start.endswith("Z"):
            raise wrong("rrule", "Valid DTSTART required in rrule. Value should start with: DTSTART:YYYYMMDDTHHMMSSZ")
        if not rule.startswith("RRULE:") or "INTERVAL=" not in rule:
            raise wrong("rrule", f"INTERVAL required in rrule: {rule}")
        return {}

    def _check_notification_templates(self, whole: dict[str, Any], old: Mapping[str, Any]) -> dict[str, Any]:
        notification_rules.check_messages(whole["messages"], contexts.example())
        messages = notification_rules.merge(old["messages"], whole["messages"]) if old else whole["messages"]
        configuration = notification_rules.complete(whole["notification_configuration"])
        return {"notification_configuration": configuration, "messages": messages}


def matches(item: Mapping[str, Any], name: str, value: str) -> bool:
    """Return whether a field has this value in a query; AWX refuses a field that does not exist."""
    if name not in item:
        raise Refusal(400, {"detail": f"{item['type']} has no field named '{name}'"})
    return str(item[name]).lower() == value.lower() if isinstance(item[name], bool) else str(item[name]) == value
