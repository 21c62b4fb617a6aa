# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWX's rules for credential types and credentials, and how a credential reaches a job.

Must not store anything. Source: ``CredentialTypeInputField``, ``CredentialTypeInjectorField``,
``CredentialInputField`` in AWX 24's ``awx/main/fields.py``, and ``inject_credential`` in its
``awx/main/models/credential.py``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import StrictUndefined, TemplateSyntaxError, UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from ansible_collections.callgoose.sqibs.tests.integration.awx.refusal import wrong

MASK = "$encrypted$"
NAME = re.compile(r"^[a-zA-Z_]+[a-zA-Z0-9_]*$")
FILE = re.compile(r"^template(\.[a-zA-Z_]+[a-zA-Z0-9_]*)?$")
FIELD_KEYS: Mapping[str, type] = {
    "type": str,
    "format": str,
    "choices": list,
    "id": str,
    "label": str,
    "help_text": str,
    "multiline": bool,
    "secret": bool,
    "default": object,
}
# Of AWX's ENV_BLOCKLIST.
BLOCKED = {"PATH", "PYTHONPATH", "JOB_ID", "INVENTORY_ID", "AWX_HOST", "PROJECT_REVISION"}


class Files:
    """What ``tower.filename`` is in an injector: one path, or one for each label."""


def check_type(inputs: Mapping[str, Any], injectors: Mapping[str, Any]) -> None:
    """Refuse a credential type as AWX does.

    :raises Refusal: what AWX would answer.
    """
    _check_inputs(inputs)
    _check_injectors(inputs, injectors)


def _check_inputs(inputs: Mapping[str, Any]) -> None:
    if set(inputs) - {"fields", "required"}:
        raise wrong("inputs", f"Additional properties are not allowed ({set(inputs)})")
    seen: set[str] = set()
    for field in inputs.get("fields", []):
        for key, value in field.items():
            if key not in FIELD_KEYS or not isinstance(value, FIELD_KEYS[key]):
                raise wrong("inputs", f"Schema validation error in relative path fields: {key}")
        if not NAME.match(field.get("id", "")) or "label" not in field:
            raise wrong("inputs", f"{field.get('id')} is an invalid variable name")
        if field["id"] == "tower" or field["id"] in seen:
            raise wrong("inputs", f"field IDs must be unique ({field['id']})")
        seen.add(field["id"])
        kind = field.get("type", "string")
        if kind not in ("string", "boolean"):
            raise wrong("inputs", f"{kind} is not one of ['string', 'boolean']")
        if kind != "string" and {"choices", "multiline", "format", "secret"} & set(field):
            raise wrong("inputs", f"not allowed for {kind} type ({field['id']})")
    if not all(isinstance(name, str) for name in inputs.get("required", [])):
        raise wrong("inputs", "required is not a list of strings")


def _check_injectors(inputs: Mapping[str, Any], injectors: Mapping[str, Any]) -> None:
    if set(injectors) - {"file", "env", "extra_vars"}:
        raise wrong("injectors", f"Additional properties are not allowed ({set(injectors)})")
    for name, template in injectors.get("env", {}).items():
        if not NAME.match(name) or not isinstance(template, str) or not template.isascii():
            raise wrong("injectors", f"Schema validation error in relative path env.{name}")
        if name.startswith("ANSIBLE_"):
            reason = "may affect Ansible configuration so its use is not allowed in credentials."
            raise wrong("injectors", f"Environment variable {name} {reason}")
        if name in BLOCKED:
            raise wrong("injectors", f"Environment variable {name} is not allowed to be used in credentials.")
    files = injectors.get("file", {})
    if not all(FILE.match(name) for name in files) or ("template" in files and len(files) > 1):
        raise wrong("injectors", "Must use multi-file syntax when injecting multiple files")
    example = {field["id"]: "EXAMPLE" for field in inputs.get("fields", [])}
    example["tower"] = {"filename": _files(files, lambda _label: "EXAMPLE_FILENAME")}
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
    for section in ("file", "env"):
        for name, template in injectors.get(section, {}).items():
            try:
                environment.from_string(template).render(example)
            except UndefinedError as error:
                raise wrong("injectors", f"{name} uses an undefined field ({error})") from error
            except TemplateSyntaxError as error:
                raise wrong("injectors", f"Syntax error rendering template for {name} ({error})") from error


def check_credential(kind: Mapping[str, Any], inputs: Mapping[str, Any], is_new: bool) -> None:
    """Refuse a credential's inputs as AWX does. A missing required field is not refused: the job fails later.

    :param kind: the credential type.
    :raises Refusal: what AWX would answer.
    """
    fields = {field["id"]: field for field in kind["inputs"].get("fields", [])}
    for name, value in inputs.items():
        if name not in fields:
            raise wrong("inputs", f"Additional properties are not allowed ('{name}' was unexpected)")
        if not isinstance(value, str):
            raise wrong("inputs", f"{value!r} is not of type 'string'")
        if is_new and value == MASK and fields[name].get("secret"):
            raise wrong("inputs", f"{MASK} is a reserved keyword, and cannot be used for {name}.")
        choices = fields[name].get("choices")
        if choices and value not in choices:
            raise wrong("inputs", f"{value!r} is not one of {choices}")


def secret_fields(kind: Mapping[str, Any]) -> set[str]:
    """Return the IDs of the fields that AWX stores encrypted."""
    return {field["id"] for field in kind["inputs"].get("fields", []) if field.get("secret")}


def inject(
    kind: Mapping[str, Any], inputs: Mapping[str, str], write: Callable[[str, str], str]
) -> tuple[dict[str, str], str]:
    """Return what a credential adds to the environment of a job, and why the job cannot start.

    :param kind: the credential type.
    :param inputs: the credential's, with the secrets.
    :param write: writes a file of the job with this label and content, and returns its path.
    :returns: the environment variables, and AWX's explanation or an empty string.
    """
    missing = [name for name in kind["inputs"].get("required", []) if not inputs.get(name)]
    if missing:
        return {}, f"Job cannot start because Credential does not provide one or more required fields ({missing})."
    environment = ImmutableSandboxedEnvironment()
    namespace: dict[str, Any] = {name: value for name, value in inputs.items() if value}
    templates = kind["injectors"].get("file", {})
    namespace["tower"] = {
        "filename": _files(
            templates, lambda label: write(label, environment.from_string(templates[label]).render(namespace))
        )
    }
    variables = kind["injectors"].get("env", {})
    return {name: environment.from_string(text).render(namespace) for name, text in variables.items()}, ""


def _files(templates: Mapping[str, str], path_of: Callable[[str], str]) -> Any:
    if "template" in templates:
        return path_of("template")
    files = Files()
    for label in templates:
        setattr(files, label.partition(".")[2], path_of(label))
    return files
