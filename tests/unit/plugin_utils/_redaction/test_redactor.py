# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the redactor masks, what it leaves unchanged, and that no text makes it slow.

Must not hold anything that is, or looks to a scanner like, a real secret: secrets.txt says how it is written.
"""

from __future__ import annotations

import base64
import json
import re
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.patterns import MASK
from ansible_collections.callgoose.sqibs.plugins.plugin_utils._redaction.redactor import Redactor

CORPUS = Path(__file__).parent
TOKEN = 'to/ken+with "quotes" & ümlaut'

# In two parts, because secret scanners would report the whole marker.
BEGIN, END = (f"-----{edge} PRIVATE " + "KEY-----" for edge in ("BEGIN", "END"))
# Strings with which patterns begin, continue or end, and separators. Hostile text is built from these.
PIECES = (
    *("password", "token", "secret", "key", "_", "=", ": ", ":", "-", "--token ", "\\", '"', "'", "{", "[", "<", ">"),
    *("://", "@", "a", "A", "0", " ", "\t", "\n", "\\n", ",", "&", ";", "|", "/", ".", "$", "%", "("),
    *(BEGIN, END, "$ANSIBLE_VAULT;1.1;AES256\n", "61 "),
    *("mysql ", "-p", "curl -u ", "docker login ", "sshpass -p ", "echo a:", "chpasswd", "openssl pass:"),
    *("authorization: ", "bearer ", "basic ", "cookie: ", "eyJ", "xoxb-", "sk-", "Q~", "s.", "QUJDREVGR0hJSktM"),
    *("username a ", "enable secret 5 ", "bindpw ", "db_password is ", "-server key ", "a1", " -> ", "pass"),
    *("convertto-securestring -force ", "IDENTIFIED BY ", "digest a=", " response="),
    *(
        "key-string 7 ",
        "neighbor a ",
        "set ",
        " : ",
        "|",
        "| ",
        "\\n  ",
        "\n  ",
        "->",
        "Some(",
        "!vault ",
        "kind: Secret\n",
    ),
    *(
        "data:\n",
        "name=",
        "value=",
        "<![CDATA[",
        "</",
        "('",
        "LS0tLS1CRUdJTi",
        "AKIA0123456789AB",
        "passwd: ",
        "&pass=",
    ),
    *("hooks.slack.com/services/", "identified by '", "requirepass ", "Private-Lines: 1\n", "<token>", "value", MASK),
)
hostile_text = st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=30).map("".join)


def corpus(name: str) -> list[str]:
    lines = (CORPUS / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("# ") and line != "#"]


@pytest.mark.parametrize("line", corpus("secrets.txt"))
def test_a_secret_is_masked_and_the_rest_of_its_text_is_unchanged(line: str) -> None:
    marked = line.replace("⏎", "\n").replace("·", "")
    text = marked.replace("⟦", "").replace("⟧", "")
    assert Redactor().text(text) == re.sub("⟦.*?⟧", MASK, marked, flags=re.DOTALL)


@pytest.mark.parametrize("line", corpus("secrets.txt"))
def test_a_secret_is_masked_inside_other_output_and_inside_a_list(line: str) -> None:
    marked = line.replace("⏎", "\n").replace("·", "")
    text = f"TASK [x]\nok: [web1]\n{marked.replace('⟦', '').replace('⟧', '')}\n\nPLAY RECAP ***\n"
    masked = Redactor().data({"lines": [text]})["lines"][0]
    assert all(secret not in masked for secret in re.findall("⟦(.*?)⟧", marked, flags=re.DOTALL))
    assert masked.startswith("TASK [x]\nok: [web1]\n") and masked.endswith("\n\nPLAY RECAP ***\n")


@pytest.mark.parametrize("line", corpus("harmless.txt"))
def test_harmless_output_is_unchanged(line: str) -> None:
    assert Redactor(secrets=[TOKEN]).text(line) == line


def test_a_whole_log_of_harmless_output_is_unchanged() -> None:
    text = (CORPUS / "harmless.txt").read_text(encoding="utf-8")
    assert Redactor(secrets=[TOKEN]).text(text) == text


@pytest.mark.parametrize(
    "spelling",
    [
        TOKEN,
        quote(TOKEN, safe=""),
        json.dumps(TOKEN)[1:-1],
        base64.b64encode(TOKEN.encode()).decode(),
    ],
    ids=["as it is", "in a URL", "in JSON", "in base64"],
)
def test_a_known_secret_is_masked_in_every_encoding(spelling: str) -> None:
    masked = Redactor(secrets=[TOKEN]).text(f"sent {spelling} off")
    assert masked.rstrip("=") in (f"sent {MASK} off", f"sent {MASK}== off", f"sent {MASK}= off")


def test_if_a_known_secret_contains_another_the_longer_one_is_masked() -> None:
    assert Redactor(secrets=["hunter2", "hunter2-and-more"]).text("x hunter2-and-more y") == f"x {MASK} y"


def test_the_reason_of_an_item_whose_label_reads_like_a_secret_is_unchanged() -> None:
    reasons = "item db_password: cat: /no/x: No such file\nitem api_token: Destination /x does not exist"
    assert Redactor().text(reasons) == reasons
    assert Redactor().text("an item password: Xk9vQ2mZ7tLp4R") == f"an item password: {MASK}"


def test_a_very_short_known_secret_is_ignored() -> None:
    assert Redactor(secrets=["", "a", "the"]).text("the banana") == "the banana"


def test_a_known_secret_that_is_part_of_the_mask_does_not_change_the_mask() -> None:
    assert Redactor(secrets=["redacted"]).text("it is redacted") == f"it is {MASK}"


def test_a_user_pattern_masks_everything_it_matches() -> None:
    redactor = Redactor(extra_patterns=[r"EMP-\d{4}", r"(?i)project \w+"])
    assert redactor.text("EMP-1234 works at Project Apollo") == f"{MASK} works at {MASK}"


@pytest.mark.parametrize(
    "name",
    [
        *("rotate_password : Check the file", "rotate_password : restart", "api_token: hunter2", "pass=hunter2"),
        *("sk-europe-frankfurt-worker-prod-0001.example.com", "sk-0123456789abcdefghij0123456789abcdef", "/etc/token"),
        *("roles/secret/tasks/main.yml", "Set password to x1y2z3", "s.0123456789abcdefghijABCD", "auth=1 : token=2"),
    ],
)
def test_a_name_that_reads_like_a_secret_is_unchanged(name: str) -> None:
    assert Redactor(secrets=[TOKEN]).name(name) == name


def test_in_a_name_known_secrets_matches_of_the_users_patterns_and_issued_tokens_are_masked() -> None:
    redactor = Redactor(extra_patterns=[r"EMP-\d+"], secrets=["hunter2-hunter2"])
    token = "gh" + "p_0123456789abcdefghijABCDEFGHIJ012345"
    name = f"Copy hunter2-hunter2 of EMP-12 with {token} to https://app:pw12@git.example.com"
    assert redactor.name(name) == f"Copy {MASK} of {MASK} with {MASK} to https://app:{MASK}@git.example.com"


@given(hostile_text)
def test_masking_a_name_is_idempotent(text: str) -> None:
    redactor = Redactor(secrets=[TOKEN])
    once = redactor.name(text)
    assert redactor.name(once) == once


@pytest.mark.parametrize(
    ("pattern", "words"), [("(", "not a regular expression"), ("x*", "the empty string"), ("", "the empty string")]
)
def test_an_unusable_pattern_is_refused_and_named(pattern: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as error:
        Redactor(extra_patterns=[pattern])
    assert str(error.value).startswith(f"redact: {pattern!r} ")


def test_in_data_the_value_of_a_secret_key_is_masked_whatever_its_type() -> None:
    data = {"db_password": 1234, "tokens": ["a", "b"], "user": "app", "port": 22, "api_key": {"id": 1}, "ok": True}
    masked = {"db_password": MASK, "tokens": MASK, "user": "app", "port": 22, "api_key": MASK, "ok": True}
    assert Redactor().data(data) == masked


@pytest.mark.parametrize("value", [None, "", [], {}, True, False, "********", "{{ vault_password }}"])
def test_in_data_a_harmless_value_of_a_secret_key_is_unchanged(value: object) -> None:
    assert Redactor().data({"password": value}) == {"password": value}


def test_in_data_an_environment_variable_listed_by_name_and_value_is_masked() -> None:
    listed = [{"name": "DB_PASSWORD", "value": "hunter2"}, {"name": "DB_HOST", "value": "db1"}]
    assert Redactor().data(listed) == [{"name": "DB_PASSWORD", "value": MASK}, {"name": "DB_HOST", "value": "db1"}]


def test_in_data_the_argument_of_an_option_that_takes_a_secret_is_masked() -> None:
    assert Redactor().data(["app", "--token", "abcd", "-v"]) == ["app", "--token", MASK, "-v"]


def test_data_of_any_type_is_returned_as_json_data() -> None:
    data = {1: b"token=abcd", "set": {"b", "a"}, "tuple": (1, 2.5), "object": Path("/srv/app")}
    assert Redactor().data(data) == {
        "1": f"token={MASK}",
        "set": ["a", "b"],
        "tuple": [1, 2.5],
        "object": "/srv/app",
    }


def test_data_that_contains_itself_terminates() -> None:
    endless: list = []
    endless.append(endless)
    assert MASK in json.dumps(Redactor().data(endless))


@given(hostile_text)
def test_masking_text_is_idempotent(text: str) -> None:
    redactor = Redactor(secrets=[TOKEN])
    once = redactor.text(text)
    assert redactor.text(once) == once


@given(before=hostile_text, after=hostile_text)
def test_a_known_secret_is_masked_whatever_surrounds_it(before: str, after: str) -> None:
    assert TOKEN not in Redactor(secrets=[TOKEN]).text(before + TOKEN + after)


@given(st.recursive(st.none() | st.integers() | hostile_text, lambda inner: st.dictionaries(st.text(), inner)))
def test_masking_data_is_idempotent(data: object) -> None:
    redactor = Redactor()
    once = redactor.data(data)
    assert redactor.data(once) == once


def seconds(text: str) -> float:
    before = time.process_time()
    Redactor(secrets=[TOKEN]).text(text)
    return time.process_time() - before


@pytest.mark.parametrize(
    "unit",
    [
        *(" ", "\t", "a", "A1", "\\", '"', "password", "password=", "token: '", "--token ", "://", "://a:", "://a:b@"),
        *("curl -u ", "mysql -p", "sshpass -p ", BEGIN, f"{BEGIN}\n{END}", "bearer a"),
        *('"password":"', "echo a:", "$1$", "eyJ", "<password>", "[[", "{{", "Q~", "basic QUJD", "secret is : "),
        *("digest a=", "username a role ", "alter user identified ", "radius-server host ", "_password is a", "'pass'"),
        *("\\n", "key: |\n  ", "<token a=b>", "{'token': {", "('token', ", "name=token,", "value=a name=", "|token|"),
        *("token: the ", "key-string 7 ", "kind: Secret\ndata:\n", "a:1:b:c:", f"x {BEGIN}\nx QUJDREVGR0hJSktM\n"),
        *(
            f"a QUJDREVGR0hJSktM\n{END}\n",
            "LS0tLS1CRUdJTiBQ",
            "token -> a ",
            "\\\n",
            "pre-shared-key local ",
            "{{ token=",
        ),
        *('{"name": "DB_PASSWORD", "value": [', 'auth=("a",', "su <<<", "a:b@", "password:\n  - a\n"),
        *("snmp-server user a ", "aaa-server a\n key ", "keykey", "passpass", "no token : a", '{"auth":"QUJD'),
    ],
)
@pytest.mark.parametrize("start", ["", "password=", "curl -u ", "--token ", "https://", "authorization: ", "eyJ"])
def test_the_time_grows_linearly_with_the_text(start: str, unit: str) -> None:
    # 16 times the text takes 16 times as long, or 256 times if the time is quadratic. Less than 10 ms is noise.
    short = start + unit * (4_000 // len(unit))
    long = start + unit * (64_000 // len(unit))
    assert seconds(long) < 80 * max(seconds(short), 0.01)


@pytest.mark.parametrize("unit", ["password: '", "--token mysql ://", "all is well\n", f"{END}\n"])
def test_a_megabyte_from_a_hostile_host_takes_seconds_at_most(unit: str) -> None:
    assert seconds((unit * (1_000_000 // len(unit) + 1))[:1_000_000]) < 20
