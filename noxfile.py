# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks that antsibull-nox.toml does not have, each a session with its own environment: ``nox -l`` lists them all.

Must not need anything but Python and a package index: no containers, no Galaxy server, no other host.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import antsibull_nox
import nox

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "tests"))
import run_ansible_test  # noqa: E402  (found by the line above)

nox.needs_version = ">=2026.10.20"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"
nox.options.error_on_missing_interpreters = True
# A check that downloads an interpreter on its own would hide that this machine lacks one.
nox.options.download_python = "never"

BUILD = ROOT / "build"
COLLECTION = BUILD / "collections" / "ansible_collections" / "callgoose" / "sqibs"
INSTALLED = {"ANSIBLE_COLLECTIONS_PATH": str(BUILD / "collections")}
REPORTS = BUILD / "reports"
HOME = ROOT / ".cache" / "home"
# ansible-core's releases, oldest first, with the Pythons that each runs on as a controller.
CORES = {
    "2.16": ("3.10", "3.11", "3.12"),
    "2.17": ("3.10", "3.11", "3.12"),
    "2.18": ("3.11", "3.12", "3.13"),
    "2.19": ("3.11", "3.12", "3.13"),
    "2.20": ("3.12", "3.13", "3.14"),
    "2.21": ("3.12", "3.13", "3.14"),
}
MODULE_PYTHON = "3.8"
# The release of ansible-core that `make test` has used just before; .ci/run sets it. Nothing is tested on it twice.
TESTED = os.environ.get("SQIBS_TESTED_CORE", "")
# The unit tests of code that imports ansible-core.
ON_ANSIBLE = ("module_utils", *(f"plugin_utils/{name}" for name in ("_ansible", "_callback", "_context", "_guard")))


def find_pythons() -> set[str]:
    """Put the real interpreters behind pyenv's shims on PATH and return the versions that can be run.

    A shim of a version that pyenv has not selected is on PATH but does not run; the real one lies with pyenv.
    """
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    folders = [folder for folder in os.environ["PATH"].split(os.pathsep) if not folder.endswith("/shims")]
    os.environ["PATH"] = os.pathsep.join([*folders, *map(str, sorted(pyenv.glob("versions/3.*/bin")))])
    wanted = {MODULE_PYTHON, *(version for versions in CORES.values() for version in versions)}
    return {version for version in wanted if runs(f"python{version}")}


def runs(python: str) -> bool:
    """Return whether this interpreter exists and can make environments."""
    found = shutil.which(python)
    if not found:
        return False
    return subprocess.run([found, "-c", "import ensurepip"], capture_output=True, check=False).returncode == 0


def plan(pythons: set[str]) -> dict[str, str]:
    """Return the Python for each ansible-core: for the oldest its oldest, for the others their newest."""
    usable = {core: [version for version in versions if version in pythons] for core, versions in CORES.items()}
    usable = {core: versions for core, versions in usable.items() if versions}
    return {core: versions[0 if core == next(iter(usable)) else -1] for core, versions in usable.items()}


def leave_the_users_home() -> None:
    """Give every session a home in this directory, without the user's Ansible configuration and collections.

    The package installers keep the user's configuration and cache.
    """
    user = Path.home()
    os.environ.setdefault("XDG_CONFIG_HOME", str(user / ".config"))
    os.environ.setdefault("UV_CACHE_DIR", str(user / ".cache" / "uv"))
    os.environ.setdefault("PIP_CACHE_DIR", str(user / ".cache" / "pip"))
    HOME.mkdir(parents=True, exist_ok=True)
    private = run_ansible_test.private_environment(HOME)
    for name in set(os.environ) - set(private):
        del os.environ[name]
    os.environ.update(private)
    # antsibull-nox looks for collections on this machine otherwise, for which each of its sessions needed Ansible.
    os.environ["ANTSIBULL_NOX_IGNORE_INSTALLED_COLLECTIONS"] = "true"


PYTHONS = find_pythons()
PLAN = plan(PYTHONS)
OLDEST, NEWEST = next(iter(PLAN)), list(PLAN)[-1]
leave_the_users_home()


@nox.session(python=False)
def matrix(session: nox.Session) -> None:
    """Say which interpreters were found and what therefore is tested, and what is not."""
    for core, versions in CORES.items():
        tested = (
            f"on Python {PLAN[core]}" if core in PLAN else f"NOT TESTED: none of Python {', '.join(versions)} found"
        )
        session.log(f"ansible-core {core}: {tested}")
    session.log(
        f"modules on Python {MODULE_PYTHON}: {'tested' if MODULE_PYTHON in PYTHONS else 'NOT TESTED: not found'}"
    )


# Plain `nox` and .ci/run do the sessions in the order in which they stand here, quick ones first.
antsibull_nox.load_antsibull_nox_toml()


def cores(*names: str):
    """Parametrise a session over these ansible-core versions, each on the Python that the plan gives it."""
    return nox.parametrize("python,core", [nox.param(PLAN[name], name, id=name) for name in dict.fromkeys(names)])


def environment(session: nox.Session, core: str, *more: str) -> None:
    """Install one ansible-core and what the tests need."""
    session.install(f"ansible-core=={core}.*", "-r", "tests/requirements.txt", *more)


def pytest(session: nox.Session, *words: str, env: dict[str, str] | None = None) -> None:
    """Run pytest, with a report that .ci/run counts."""
    REPORTS.mkdir(parents=True, exist_ok=True)
    report = REPORTS / f"{session.name.replace('/', '-')}.xml"
    session.run("python", "-m", "pytest", f"--junit-xml={report}", *words, *session.posargs, env=env)


def workers(session: nox.Session) -> str:
    """Return pytest-xdist's option for two processes in all: .ci/run runs two sessions at a time."""
    return "-n1" if session.parallel else "-n2"


@nox.session(python=PLAN[NEWEST])
def artifact(session: nox.Session) -> None:
    """The artifact, installed in build/collections for the sessions that look at it, as ansible-lint sees it there."""
    session.install(f"ansible-core=={NEWEST}.*", "ansible-lint>=26,<27")
    shutil.rmtree(BUILD / "collections", ignore_errors=True)
    session.run("python", "tests/artifact.py", str(BUILD / "collections"))
    # galaxy-importer, in build-import-check, lets some rules pass, and its own session does not fail on its warnings.
    session.chdir(COLLECTION)
    session.run("ansible-lint", "--profile=production", "--strict", "--offline", "--nocolor", env=INSTALLED)


@nox.session(python=PLAN[NEWEST])
def ruff(session: nox.Session) -> None:
    """ruff over all Python files; antsibull-nox moves them first, so that the settings for single paths miss them."""
    session.install("ruff>=0.17,<0.18")
    session.run("ruff", "check", *session.posargs)


@nox.session(python=PLAN[NEWEST], requires=["artifact"])
def typing(session: nox.Session) -> None:
    """mypy over the installed plugins."""
    session.install(f"ansible-core=={NEWEST}.*", "mypy>=2,<3", "types-requests>=2.31,<3", "psycopg>=3.2,<4")
    session.chdir(COLLECTION)
    words = [f"--config-file={ROOT}/pyproject.toml", f"--cache-dir={ROOT}/.cache/mypy"]
    package = "ansible_collections.callgoose.sqibs.plugins"
    session.run("mypy", *words, "-p", package, env={"MYPYPATH": str(BUILD / "collections")})


@nox.session(python=PLAN[NEWEST])
def changelog(session: nox.Session) -> None:
    """The changelog and its fragments."""
    session.install(f"ansible-core=={NEWEST}.*", "antsibull-changelog>=0.30,<1")
    session.run("antsibull-changelog", "lint")
    session.run("antsibull-changelog", "lint-changelog-yaml", "changelogs/changelog.yaml")


@nox.session(python=PLAN[NEWEST], requires=["artifact"])
def docs(session: nox.Session) -> None:
    """The guides and the plugins' reference as HTML, in build/docs/html: a dead link or a broken reference fails."""
    session.install(f"ansible-core=={NEWEST}.*", "-r", ".ci/docs/requirements.txt")
    source = BUILD / "docs"
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(ROOT / ".ci" / "docs", source)
    source.chmod(0o700)  # antsibull-docs writes into no folder that others may write to
    words = ["--use-current", "--fail-on-error", f"--dest-dir={source}"]
    session.run("antsibull-docs", "collection", *words, "callgoose.sqibs", env=INSTALLED)
    session.run("sphinx-build", "-q", "-W", "--keep-going", "-n", "-b", "html", str(source), str(source / "html"))


@nox.session(python=MODULE_PYTHON, requires=["artifact"], default=MODULE_PYTHON in PYTHONS)
def module_python(session: nox.Session) -> None:
    """What a delegated task runs on its host, on the oldest Python and libraries for that, without ansible-core."""
    session.install("hypothesis", "pytest", "requests==2.31.0", "urllib3<2")
    # The rest of that directory needs the sandbox or ansible-core.
    words = [f"--ignore=tests/unit/module_utils/{name}" for name in ("_client", "_task_runner")]
    pytest(session, *words, "tests/unit/module_utils", env={"SQIBS_TEST_COLLECTIONS": str(BUILD / "collections")})


@nox.session
@cores(*(core for core in PLAN if core != TESTED))
def unit(session: nox.Session, core: str) -> None:
    """The unit tests: all on both ends of the range, and those of code that knows ansible-core on every version."""
    environment(session, core)
    words = ["tests/unit"] if core in (OLDEST, NEWEST) else [f"tests/unit/{name}" for name in ON_ANSIBLE]
    pytest(session, workers(session), *words)


@nox.session
@cores(OLDEST, NEWEST)
def e2e(session: nox.Session, core: str) -> None:
    """Real ansible-playbook runs over the artifact, on both ends of the range."""
    environment(session, core)
    words = ["-m", "matrix"] if core == TESTED else [] if core == NEWEST else ["-m", "not any_core"]
    pytest(session, workers(session), "tests/integration/e2e", *words)


@nox.session(python=PLAN[NEWEST])
def eda(session: nox.Session) -> None:
    """The rulebooks, run by the real ansible-rulebook; needs Java 17 or newer."""
    environment(session, NEWEST, "-r", "tests/integration/eda/requirements.txt")
    pytest(session, "tests/integration/eda")


@nox.session(python=PLAN[NEWEST])
def browser(session: nox.Session) -> None:
    """The sandbox's page in the system's Chromium."""
    environment(session, NEWEST, "-r", "tests/integration/browser/requirements.txt")
    pytest(session, "tests/integration/browser")


def prepare_ansible_test() -> None:
    """Lay out in its home what lets ansible-test install packages from the index alone."""
    for source in ROOT.glob(".nox/ansible-test-*/lib/python3.*/site-packages/ansible_test/_internal"):
        run_ansible_test.cache_pip_bootstrap(HOME, source / "python_requirements.py")
    run_ansible_test.keep_pip_settings(HOME)


def drop_scratch() -> None:
    """Remove ansible-test's scratch directory, which antsibull-nox 1.10 cannot copy back: it is nested too deep."""
    shutil.rmtree("tests/output/.tmp", ignore_errors=True)


# antsibull-nox.toml has these for containers and for ansible-core from git alone. What they fail on is fixed, not
# ignored: tests/unit/test_artifact.py holds that there are no ignore files.
for part, where in (("sanity", ["--local"]), ("integration", ["--venv", "--requirements"])):
    for release in dict.fromkeys((OLDEST, NEWEST)):
        antsibull_nox.add_ansible_test_session(
            name=f"ansible-test-{part}-{release}",
            description=f"ansible-test {part} with ansible-core {release}.",
            ansible_test_params=[part, *where, "--color=no"],
            ansible_core_version=release,
            ansible_core_source="pypi",
            callback_before=prepare_ansible_test,
            callback_after=drop_scratch,
            default=True,
        )


@nox.session(python=PLAN[NEWEST], requires=["artifact"])
def molecule(session: nox.Session) -> None:
    """Molecule's scenarios in extensions/molecule, which use the built and installed artifact."""
    session.install(f"ansible-core=={NEWEST}.*", "-r", "tests/integration/requirements.txt", "molecule>=26,<27")
    session.run("molecule", "test", *(session.posargs or ["--all"]), env=INSTALLED)


@nox.session(name="oracle-quick")
@cores(OLDEST, NEWEST)
def oracle_quick(session: nox.Session, core: str) -> None:
    """The quick part of the session oracle."""
    environment(session, core, "pip")  # pip downloads ansible-core's own playbooks
    pytest(session, workers(session), "tests/integration/oracle", "-m", "quick")


@nox.session(default=False)
@cores(OLDEST, NEWEST)
def oracle(session: nox.Session, core: str) -> None:
    """ansible-core's own control-flow playbooks with the callback and under guards, beside the same without."""
    environment(session, core, "pip")
    pytest(session, workers(session), "tests/integration/oracle")


@nox.session(default=False)
@cores(OLDEST, NEWEST)
def benchmarks(session: nox.Session, core: str) -> None:
    """Time and memory beside other ways to do the same, against the limits; needs an idle machine for an hour."""
    environment(session, core, "-r", "tests/benchmarks/requirements.txt")
    session.run("python", "tests/benchmarks", *session.posargs)


@nox.session(python=PLAN[NEWEST])
def charts(session: nox.Session) -> None:
    """The page and the charts of the benchmarks: unit tests that need matplotlib, so other sessions leave them out."""
    environment(session, NEWEST, "matplotlib>=3.10,<4")
    pytest(session, *(f"tests/unit/benchmarks/test_{name}.py" for name in ("chart", "report")))
