# Everything that people and CI call. `make run` and `make test` set themselves up; they need Python 3.11+ with venv and pip.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# The tests start many processes; bytecode that is kept spares each of them a tenth of a second.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run check test test-all test-lowest drift sdk-matrix upload-sdks pytest-matrix lint docs site screenshots bench soak stress image clean help

run: $(VENV)/.run
	@$(BIN)/mockvod demo $(ARGS)

# What to run before each commit: about a minute on two idle cores.
check: lint
	@$(BIN)/pytest -q -n 2 --dist worksteal -m "not slow" $(ARGS)

test: lint
	@$(BIN)/pytest -q -n 2 --dist worksteal $(ARGS)

# The wheel, on every supported Python that is installed.
test-all: $(VENV)/.dev
	@$(BIN)/python -m tests.pythons $(ARGS)

# The wheel with the lowest versions of what it needs.
test-lowest: $(VENV)/.dev
	@$(BIN)/python -m tests.pythons --lowest $(ARGS)

# What the newest SDK of Tencent changes, or that of ARGS.
drift: $(VENV)/.dev
	@$(BIN)/python -m tests.drift $(ARGS)

# Tencent's SDKs, old and new, against mockvod; writes docs/compatibility.md.
sdk-matrix: $(VENV)/.dev
	@$(BIN)/python -m tests.matrix

# Tencent's upload SDKs for Python, Node and browsers against mockvod; writes docs/compatibility.md.
upload-sdks: $(VENV)/.dev
	@$(BIN)/python -m tests.matrix.uploads

# The fixtures under old and new pytest, with its asynchronous plugins; writes docs/compatibility.md.
pytest-matrix: $(VENV)/.dev
	@$(BIN)/python -m tests.matrix.pytests

lint: $(VENV)/.dev
	@$(BIN)/ruff check --output-format concise .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/pyright --pythonpath $(BIN)/python

# Writes the tables of docs/ and the types of settings and faults, from the code.
docs: $(VENV)/.dev
	@$(BIN)/python -m tests.tables
	@$(BIN)/python -m tests.option_types
	@$(BIN)/mockvod scenario schema > fixtures/scenarios/schema.json

# The documentation as a site with a search, in build/site. A broken link is an error.
site: $(VENV)/.dev
	@$(BIN)/python -m tests.site

# Hostile and random input for some minutes: make soak ARGS=20
soak: $(VENV)/.dev
	@$(BIN)/python -m benchmarks.soak $(ARGS)

# Clients that do everything at once for some minutes; counts everything again at the end: make stress ARGS=10
stress: $(VENV)/.dev
	@$(BIN)/python -X dev -m benchmarks.stress $(ARGS)

# Pictures of the console for README and docs, with the system's Chromium.
screenshots: $(VENV)/.dev
	@$(BIN)/python -m tests.screenshots

bench: $(VENV)/.dev
	@$(BIN)/python -m benchmarks $(ARGS)

# With Docker where there is one; `make image BUILD="…"` names another builder. The version is that of `git describe`:
# 1.2.3, or 1.2.3.post5+gabc five commits later.
BUILD ?= docker build -t mockvod
VERSION ?= $(or $(shell git describe --tags --match 'v[0-9]*' 2>/dev/null | sed 's/^v//; s/-/.post/; s/-/+/'),0.0.0)
image:
	@command -v $(firstword $(BUILD)) >/dev/null || { echo 'make image needs Docker, or BUILD="…" with another builder' >&2; exit 1; }
	$(BUILD) --build-arg VERSION=$(VERSION) .

.PHONY: test-containers
# The image in real containers; ENGINE is a command such as docker or podman, IMAGE the image.
ENGINE ?= docker
IMAGE ?= mockvod
test-containers: $(VENV)/.dev
	@MOCKVOD_ENGINE=$(ENGINE) MOCKVOD_IMAGE=$(IMAGE) $(BIN)/pytest -q -rs tests/containers $(ARGS)

# Sdist and wheel with their metadata checked, a server from the wheel in an empty environment, and its bill of materials.
.PHONY: package
UV := $(BIN)/python -m uv --quiet
package: $(VENV)/.dev
	rm -rf dist
	$(UV) build --out-dir dist
	$(UV) tool run twine check --strict dist/mockvod-*
	$(UV) venv --clear dist/env
	$(UV) pip install --python dist/env "$$(ls dist/*.whl)[server]"
	$(UV) tool run --from cyclonedx-bom cyclonedx-py environment dist/env --output-file dist/sbom.cdx.json
	test -e dist/mockvod-$$(dist/env/bin/mockvod --version | cut -d' ' -f2).tar.gz
	dist/env/bin/mockvod scenario check steady-stream
	dist/env/bin/python -P -c 'from mockvod.testing import MockVod; server = MockVod().start(); print(server.client.emit()); server.stop()'

# The workflows, Dependabot's file and the issue forms, against GitHub's schemas.
.PHONY: workflows
workflows: $(VENV)/.dev
	$(UV) tool run check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(UV) tool run check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(UV) tool run check-jsonschema --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	$(UV) tool run check-jsonschema --builtin-schema vendor.github-issue-forms \
	  .github/ISSUE_TEMPLATE/bug.yml .github/ISSUE_TEMPLATE/feature.yml

# Everything that a release does, without publishing; the image where there is an engine.
.PHONY: release-check
SDK = $$($(BIN)/python -c 'from importlib.metadata import version; print(version("tencentcloud-sdk-python-vod"))')
release-check: test package workflows
	$(MAKE) drift ARGS="$(SDK)"
	@if $(ENGINE) info >/dev/null 2>&1; then $(MAKE) image test-containers; else echo "$(ENGINE) does not answer: the image is not built" >&2; fi
	$(MAKE) site

clean:
	rm -rf $(VENV) build dist mockvod/_version.py .mypy_cache .ruff_cache .pytest_cache .hypothesis

help:
	@echo "make run     serve, and show an event's way in both modes (ARGS=\"--port 9000\" for settings)"
	@echo "make check   linters, type checker and the fast tests (ARGS=\"-k pull\" for pytest)"
	@echo "make test    linters, type checker and tests (ARGS=\"-k pull\" for pytest)"
	@echo "make test-all  the tests against the wheel, on every Python that is installed"
	@echo "make test-lowest  the tests against the wheel, with the lowest versions of what it needs"
	@echo "make drift   what the newest SDK of Tencent changes (ARGS=3.1.194 for another)"
	@echo "make sdk-matrix  Tencent's SDKs, old and new, against mockvod; writes docs/compatibility.md"
	@echo "make upload-sdks  Tencent's upload SDKs against mockvod; writes docs/compatibility.md"
	@echo "make pytest-matrix  the fixtures under old and new pytest; writes docs/compatibility.md"
	@echo "make lint    linters and type checker alone"
	@echo "make docs    write the tables of docs/, and the types of settings and faults"
	@echo "make site    build the documentation as a site, in build/site"
	@echo "make screenshots  take the pictures of the console"
	@echo "make bench   measure"
	@echo "make soak    send hostile and random input (ARGS=20 for minutes)"
	@echo "make stress  many clients at once, and a recount at the end (ARGS=10 for minutes)"
	@echo "make image   build the image with Docker"
	@echo "make test-containers  the image in real containers (ENGINE=podman IMAGE=mockvod for others)"
	@echo "make package  sdist and wheel in dist/, and what a release checks about them"
	@echo "make workflows  check the files of .github against their schemas"
	@echo "make release-check  everything that a release does, without publishing"
	@echo "make clean   remove what the others made"

# The environment. One that could not be made is removed: half of one would be taken for a whole one.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "mockvod needs Python 3.11 or newer: name one, as in  make PYTHON=python3.13" >&2; exit 1; }
	@echo "Setting up in $(VENV), once …" >&2
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "$(PYTHON) cannot make a virtual environment; on Debian and Ubuntu:  apt install python3-venv" >&2; exit 1; }

$(VENV)/.run: pyproject.toml | $(BIN)/python
	@$(BIN)/python -m pip install -q -e '.[server]'
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	@echo "Installing what the checks need …" >&2
	@$(BIN)/python -m pip install -q 'pip>=25.1'  # the first with --group
	@$(BIN)/python -m pip install -q -e '.[server,video,testcontainers]' --group dev
	@touch $@ $(VENV)/.run
