# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the corpus: fills its templates with made-up secrets, and says what of a secret is left after masking.

Must not hold or make a secret that is real: all of them come from a generator with a fixed seed, when the tests run.

In a template, ``⟦kind⟧`` stands for a secret (:data:`KINDS`), ``‹BEGIN RSA›`` for the line with which a private key
begins, and ``⏎`` for a line break. Scanners for secrets find none of these. Lines that begin with ``## `` are comments.
"""

from __future__ import annotations

import base64
import itertools
import random
import re
import string
import zlib
from collections.abc import Callable
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"
# As many characters of a secret in a row as may not be left of it.
WINDOW = 8

_LOWER, _DIGITS, _HEX = string.ascii_lowercase, string.digits, "0123456789abcdef"
_WORDS = ("copper", "lantern", "meadow", "saddle", "walnut", "thimble", "harbour", "pigeon", "velvet", "cinder")
_BASE64 = string.ascii_letters + _DIGITS + "+/"


def _letters(alphabet: str) -> Callable[[random.Random, int], str]:
    return lambda dice, length: "".join(dice.choices(alphabet, k=length))


def _mixed(alphabet: str, *parts: str) -> Callable[[random.Random, int], str]:
    """Return a maker of strings that have a character of each part in every twelve."""

    def make(dice: random.Random, length: int) -> str:
        made = dice.choices(alphabet, k=length)
        for at, part in enumerate(itertools.islice(itertools.cycle(parts), 0, len(parts) * (1 + length // 12))):
            made[(at * 5 + 2) % length] = dice.choice(part)
        return "".join(made)

    return make


def _password(dice: random.Random, _length: int) -> str:
    return (
        dice.choice("BCDFGHKT")
        + dice.choice("aeiou")
        + "".join(dice.sample([*dice.choices(_LOWER, k=4), *dice.choices(_DIGITS, k=3), dice.choice("!.-_%+")], k=8))
        + dice.choice("mnrstxz")
    )


def _uuid(dice: random.Random, _length: int) -> str:
    return "-".join("".join(dice.choices(_HEX, k=size)) for size in (8, 4, 4, 4, 12))


def _basic(dice: random.Random, length: int) -> str:
    return base64.b64encode(f"app:{_password(dice, length)}".encode()).decode()


def _key(dice: random.Random, lines: int) -> str:
    body = "\n".join("".join(dice.choices(_BASE64, k=64)) for _line in range(lines))
    return f"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n"


def _key_in_base64(dice: random.Random, _length: int) -> str:
    return base64.b64encode(_key(dice, 4).encode()).decode().removeprefix("LS0tLS1CRUdJTi")


def _key_in_wrapped_base64(dice: random.Random, _length: int) -> str:
    return base64.encodebytes(_key(dice, 6).encode()).decode().removeprefix("LS0tLS1CRUdJTi").rstrip()


# What can stand in ⟦…⟧, with the length behind a colon.
KINDS: dict[str, Callable[[random.Random, int], str]] = {
    "pw": _password,
    "pwa": lambda dice, length: re.sub(r"\W", "x", _password(dice, length)),
    "word": lambda dice, _length: "".join(dice.choice(part) for part in ("bcdfgh", "aeiou", "klmnp") * 3),
    "phrase": lambda dice, _length: " ".join(dice.sample(_WORDS, k=3)),
    "an": _mixed(string.ascii_letters + _DIGITS, string.ascii_uppercase, _LOWER, _DIGITS),
    "lo": _mixed(_LOWER + _DIGITS, _LOWER, _DIGITS),
    "up": _mixed(string.ascii_uppercase + "234567", string.ascii_uppercase, "234567"),
    "b64": _mixed(_BASE64, string.ascii_uppercase, _LOWER, _DIGITS),
    "hex": _mixed(_HEX, "abcdef", _DIGITS),
    "hexu": _mixed(_HEX.upper(), "ABCDEF", _DIGITS),
    "di": _letters(_DIGITS),
    "uuid": _uuid,
    "basic": _basic,
    "pemb64": _key_in_base64,
    "pemwrap": _key_in_wrapped_base64,
}
_SLOT = re.compile(r"⟦(?P<kind>\w+)(?::(?P<length>\d+))?⟧|‹(?P<edge>BEGIN|END)(?P<what>[ A-Z]*?)(?P<block> BLOCK)?›")


def filled(template: str, seed: int = 0) -> tuple[str, list[str]]:
    """Return the template with secrets in it, and these secrets in the order of the text."""
    dice = random.Random(zlib.crc32(f"{seed} {template}".encode()))
    secrets: list[str] = []

    def fill(slot: re.Match[str]) -> str:
        if slot["edge"]:
            what = slot["what"] if not slot["block"] else slot["what"].removesuffix(" BLOCK")
            return f"-----{slot['edge']}{what} PRIVATE KEY{slot['block'] or ''}-----"
        secrets.append(KINDS[slot["kind"]](dice, int(slot["length"] or 0)))
        return secrets[-1]

    return _SLOT.sub(fill, template.replace("⏎", "\n")), secrets


def is_left(secret: str, masked: str) -> bool:
    """Return whether the masked text still has eight characters in a row of the secret (or all of a shorter one)."""
    lines = [line for line in secret.splitlines() if line]
    return any(line[at : at + WINDOW] in masked for line in lines for at in range(max(len(line) - WINDOW, 0) + 1))


def templates(directory: str) -> dict[str, list[str]]:
    """Return the templates of a directory of the corpus, by family: the name of the file."""
    return {
        path.stem: [
            line for line in path.read_text(encoding="utf-8").split("\n") if line and not line.startswith("## ")
        ]
        for path in sorted((CORPUS / directory).glob("*.txt"))
    }
