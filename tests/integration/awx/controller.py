# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An AWX on loopback: the endpoints of its REST API that the modules of awx.awx use for this collection's objects.

Must not run jobs, and must not be more generous than AWX: what a real AWX refuses, it refuses with the same words.
"""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from ansible_collections.callgoose.sqibs.tests.integration.awx import credential_rules
from ansible_collections.callgoose.sqibs.tests.integration.awx.refusal import Refusal
from ansible_collections.callgoose.sqibs.tests.integration.awx.store import ATTACHED, Store

PAGE = 25
PREFIX = "/api/v2/"


class Awx:
    """A running AWX, with an administrator's token and one of an organization's administrator.

    :param platform: be the controller of an Ansible Automation Platform, which has the same API at another path.
    :ivar store: its objects.
    :ivar requests: the method and path of each request, in order.
    :ivar may_write: whether the organization's administrator may create and change objects.
    :ivar down_for: the endpoint, such as schedules, whose changes end in a server error.
    """

    admin = "admin-token"
    organization_admin = "organization-token"

    def __init__(self, platform: bool = False) -> None:
        self.prefix = "/api/controller/v2/" if platform else PREFIX
        self.product = ("Red Hat Ansible Automation Platform", "24.6.1") if platform else ("AWX", "24.6.1")
        self.store = Store()
        self.requests: list[tuple[str, str]] = []
        self.may_write = True
        self.down_for = ""
        handler = type("Handler", (_Handler,), {"awx": self})
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Awx:
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def writes(self) -> list[tuple[str, str]]:
        """The requests that were to change something."""
        return [request for request in self.requests if request[0] != "GET"]

    def answer(self, method: str, path: str, query: Mapping[str, str], data: Any, token: str) -> tuple[int, Any]:
        """Return the status and the body of an answer.

        :raises Refusal: what AWX refuses.
        """
        if token not in (self.admin, self.organization_admin):
            raise Refusal(401, {"detail": "Authentication credentials were not provided."})
        if not path.startswith(self.prefix):
            raise Refusal(404, {"detail": "The requested resource could not be found."})
        parts = path.removeprefix(self.prefix).strip("/").split("/")
        if token != self.admin and (
            parts[0] == "settings" or (method != "GET" and (parts[0] == "credential_types" or not self.may_write))
        ):
            raise Refusal(403, {"detail": "You do not have permission to perform this action."})
        if method != "GET" and parts[0] == self.down_for:
            raise Refusal(500, {"detail": "A server error has occurred."})
        return self._route(method, parts, query, data)

    def _route(self, method: str, parts: list[str], query: Mapping[str, str], data: Any) -> tuple[int, Any]:
        store = self.store
        match (method, *parts):
            case ("GET", "settings", "system"):
                return 200, store.settings
            case ("GET", "project_updates", number):
                return 200, _update(int(number), failed=store.get("projects", number)["status"] == "failed")
            case ("GET", "projects", number, "playbooks"):
                return 200, store.playbooks.get(store.get("projects", number)["id"], [])
            case ("POST", "projects", number, "update"):
                store.synchronize(int(number))
                return 202, _update(int(number), failed=False)
            case ("GET", endpoint):
                return 200, _page(
                    f"{PREFIX}{endpoint}/", [self._shown(item) for item in self._find(endpoint, query)], query
                )
            case ("POST", endpoint):
                return 201, self._shown(store.create(endpoint, data))
            case ("GET", endpoint, number):
                return 200, self._shown(store.get(endpoint, number))
            case ("PATCH", endpoint, number):
                return 200, self._shown(store.change(endpoint, int(number), data))
            case ("GET", endpoint, number, relation):
                items = store.attached_to(endpoint, store.get(endpoint, number)["id"], relation)
                return 200, _page(f"{PREFIX}{'/'.join(parts)}/", [self._shown(item) for item in items], query)
            case ("POST", endpoint, number, relation) if relation in ATTACHED:
                act = store.detach if data.get("disassociate") else store.attach
                act(endpoint, store.get(endpoint, number)["id"], relation, data["id"])
                return 204, None
        raise Refusal(405, {"detail": f'Method "{method}" not allowed.'})

    def _find(self, endpoint: str, query: Mapping[str, str]) -> list[dict[str, Any]]:
        return self.store.find(endpoint, {name: value for name, value in query.items() if name != "page"})

    def _shown(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """Return an object as AWX shows it: secrets masked, with the addresses of what belongs to it."""
        shown = {**item, "related": {"update": f"{item['url']}update/"}, "summary_fields": {}}
        if item["type"] == "credential":
            secret = credential_rules.secret_fields(self.store.get("credential_types", item["credential_type"]))
            shown["inputs"] = {
                name: credential_rules.MASK if name in secret and value else value
                for name, value in item["inputs"].items()
            }
        if item["type"] == "workflow_job_template_node":
            endpoint = "workflow_job_template_nodes"
            for relation in ("success_nodes", "failure_nodes", "always_nodes"):
                shown[relation] = self.store.attached.get((endpoint, item["id"], relation), [])
        return shown


def _update(project: int, failed: bool) -> dict[str, Any]:
    return {
        "id": project,
        "type": "project_update",
        "url": f"{PREFIX}project_updates/{project}/",
        "status": "failed" if failed else "successful",
        "failed": failed,
        "finished": "2026-11-27T03:00:00Z",
        "event_processing_finished": True,
        "elapsed": 1.0,
        "started": "2026-11-27T03:00:00Z",
        "scm_revision": "a1b2c3d4",
    }


def _page(path: str, items: list[dict[str, Any]], query: Mapping[str, str]) -> dict[str, Any]:
    number = int(query.get("page", 1))
    more = len(items) > number * PAGE
    following = f"{path}?{urlencode({**query, 'page': number + 1})}" if more else None
    return {"count": len(items), "next": following, "results": items[(number - 1) * PAGE : number * PAGE]}


class _Handler(http.server.BaseHTTPRequestHandler):
    awx: Awx

    def _respond(self) -> None:
        parts = urlsplit(self.path)
        self.awx.requests.append((self.command, parts.path))
        data = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"null")
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        try:
            status, body = self.awx.answer(self.command, parts.path, dict(parse_qsl(parts.query)), data, token)
        except Refusal as refusal:
            status, body = refusal.status, refusal.answer
        content = b"" if body is None else json.dumps(body).replace(PREFIX, self.awx.prefix).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("X-API-Product-Name", self.awx.product[0])
        self.send_header("X-API-Product-Version", self.awx.product[1])
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PATCH = do_DELETE = _respond

    def log_message(self, *_arguments: Any) -> None:
        """Print nothing."""
