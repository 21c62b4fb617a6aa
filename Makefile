# Copyright (c) 2026, Callgoose SQIBS collection contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The commands of the README, and the checks for developers. Needs make and Python 3.11 or newer; creates its own .venv.
# Must not touch anything outside this directory.

VENV := .venv
INSTALLED := $(VENV)/.installed
CORE := ansible-core>=2.19,<2.22
# ansible-playbook does not start in a locale that is not UTF-8.
export LC_ALL := C.UTF-8

.PHONY: help demo sandbox test bench lint pictures clean

help:
	@echo 'make demo   shows incidents from trigger to resolve, with an emulated API on this machine (about a minute)'
	@echo 'make sandbox   starts an emulated API with a web page, to try playbooks without an account; Ctrl-C ends it'
	@echo 'make test   runs unit, integration and end-to-end tests on the newest ansible-core for this Python (under 10 minutes)'
	@echo 'make bench  compares time and memory with other ways, and writes docs/benchmarks.md (20 minutes, idle machine)'
	@echo 'make lint   checks style, types, licenses, changelog and documentation'
	@echo 'make pictures   makes the pictures in docs/images again, from real runs; needs Chromium'
	@echo 'make clean  removes everything that the commands above created'

demo: $(INSTALLED)
	@$(VENV)/bin/python -m tests.demo

sandbox: $(INSTALLED)
	@$(VENV)/bin/python -m tests.sandbox

test: $(INSTALLED)
	$(VENV)/bin/python tests/run_ansible_test.py integration --local
	$(VENV)/bin/python -m pytest -n 2 -m 'not matrix' tests/unit tests/integration/e2e

# EFFORT=full takes the sizes and rounds of the limits, and about an hour; EFFORT=quick shows that everything
# works, and writes into build/benchmarks.
EFFORT := short

bench: $(VENV)/.benchmarks
	$(VENV)/bin/python tests/benchmarks --effort $(EFFORT) --report $(if $(filter quick,$(EFFORT)),build/benchmarks,docs)

lint: $(VENV)/bin/nox
	$(VENV)/bin/nox -s lint ruff license-check extra-checks ansible-lint artifact typing changelog docs-check docs

pictures: $(VENV)/.pictures
	$(VENV)/bin/python -m tests.pictures

clean:
	rm -rf $(VENV) .nox .cache .ansible .hypothesis .mypy_cache .pytest_cache .ruff_cache build tests/output

# Set PYTHON=... to use another interpreter.
$(VENV)/bin/python:
	@for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
	  if "$$python" -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "Creating $(VENV) with $$("$$python" --version)"; rm -rf $(VENV); exec "$$python" -m venv $(VENV); \
	  fi; \
	done; \
	echo 'No Python 3.11 or newer with its venv module found (on Debian: apt install python3-venv).' >&2; \
	echo 'Install one, or give its path: make PYTHON=/path/to/python3 ...' >&2; exit 1

$(INSTALLED): $(VENV)/bin/python Makefile tests/requirements.txt tests/integration/requirements.txt
	@echo 'Installing ansible-core and the test requirements into $(VENV)'
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check '$(CORE)' -r tests/requirements.txt
	@touch $@

$(VENV)/.benchmarks: $(INSTALLED) tests/benchmarks/requirements.txt
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check '$(CORE)' -r tests/benchmarks/requirements.txt
	@touch $@

$(VENV)/.pictures: $(INSTALLED) tests/pictures/requirements.txt tests/integration/browser/requirements.txt
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check '$(CORE)' -r tests/pictures/requirements.txt
	@touch $@

$(VENV)/bin/nox: $(VENV)/bin/python .ci/requirements.txt
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r .ci/requirements.txt
	@touch $@
