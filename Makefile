# Each target sets up what it needs in .venv, from plain Python 3.11 or newer.

PYTHON ?= python3
VENV := $(CURDIR)/.venv
# Passed to pip for torch alone, for example to choose a CPU build.
TORCH_OPTIONS ?=
# What `make figure` makes.
FIG ?=

export PATH := $(VENV)/bin:$(PATH)

.PHONY: help env figure reproduce test reduced lint unit docs bench lock clean figure-named torch-hint

help:
	@echo "make env         the environment in .venv; then: source .venv/bin/activate"
	@echo "make figure FIG=fig3_3"
	@echo "                 one figure, as snakemake --cores all fig3_3 makes it"
	@echo "make reproduce   all figures and tables, at the thesis's full scale"
	@echo "make test        lint, types and all tests"
	@echo "make reduced     the whole workflow at reduced widths"
	@echo "make docs        the documentation site, into site/"
	@echo "make bench       the benchmarks of benchmarks/"
	@echo "make lock        renew the lock files (needs uv)"
	@echo "make clean       remove results and site, not data nor the archive"
	@echo
	@echo "On Linux pip takes the CUDA build of torch, several GB. Without a GPU, a CPU build does:"
	@echo "make env TORCH_OPTIONS=\"--index-url ADDRESS\", the address from PyTorch's installation page (CPU)"

env: $(VENV)/run-ready
	@echo "The environment is ready. Now: source .venv/bin/activate; dynparam demo"

figure: figure-named $(VENV)/run-ready
	snakemake --cores all $(FIG)

figure-named:
	@test -n "$(FIG)" || { echo "make figure: which one? Name it: make figure FIG=fig3_3" >&2; exit 2; }

reproduce: $(VENV)/run-ready
	snakemake --cores all

reduced: $(VENV)/run-ready
	snakemake --cores all --configfile config/reduced.yaml

test: lint unit

lint: $(VENV)/test-ready
	ruff check .
	ruff format --check .
	snakefmt --check Snakefile workflow
	mypy
	lint-imports

unit: $(VENV)/test-ready
	pytest --numprocesses 2 --dist loadscope --max-worker-restart 0

docs: $(VENV)/test-ready
	mkdocs build --strict
	@echo "open site/index.html, or for the search: python -m http.server --directory site"

bench: $(VENV)/test-ready
	python -m benchmarks.one_step
	python -m benchmarks.law
	python -m benchmarks.training_epoch
	python -m benchmarks.training_at_once
	python -m benchmarks.page

$(VENV)/run-ready: requirements-torch.txt requirements-torch-needs.lock requirements.lock pyproject.toml | torch-hint
	$(call install,requirements.lock)
	touch $@

$(VENV)/test-ready: requirements-torch.txt requirements-torch-needs.lock requirements-dev.lock pyproject.toml | torch-hint
	$(call install,requirements-dev.lock)
	touch $@ $(VENV)/run-ready

# Said before several GB are fetched that a machine without a GPU has no use for.
torch-hint:
	@if [ "$$(uname -s)" = Linux ] && ! command -v nvidia-smi >/dev/null && [ -z "$(TORCH_OPTIONS)" ] \
		&& ! ls -d $(VENV)/lib/python*/site-packages/torch >/dev/null 2>&1; then \
		echo "There seems to be no GPU here, and pip is about to fetch torch's CUDA build, several GB."; \
		echo "A CPU build is a tenth of it. To take one, stop this (Ctrl-C) and name an index of CPU builds, whose"; \
		echo "address is on PyTorch's installation page: make env TORCH_OPTIONS=\"--index-url ADDRESS\""; \
	fi

define install
	@$(PYTHON) -c 'import sys; sys.exit("dynparam needs Python 3.11 or newer; name one with make PYTHON=..." if sys.version_info < (3, 11) else 0)'
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-torch-needs.lock
	python -m pip install --quiet --disable-pip-version-check $(TORCH_OPTIONS) -r requirements-torch.txt
	python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(1)
	python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	python -m pip check
endef

# torch and torchvision stay out: they are in requirements-torch.txt, and what torch needs besides the CUDA
# libraries in a file of its own, which is installed before it and with hashes.
UV_OPTIONS = --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url
UV_COMPILE = uv pip compile pyproject.toml $(UV_OPTIONS) --overrides requirements-override.txt
TORCH_NEEDS = filelock fsspec jinja2 networkx numpy pillow setuptools sympy typing-extensions

lock:
	$(UV_COMPILE) --extra build --extra workflow --output-file requirements.lock
	$(UV_COMPILE) --extra build --extra workflow --extra cluster --extra dev --extra docs --constraint requirements.lock --output-file requirements-dev.lock
	printf '%s\n' $(TORCH_NEEDS) | uv pip compile - $(UV_OPTIONS) --constraint requirements.lock --output-file requirements-torch-needs.lock

clean:
	find results -mindepth 1 -maxdepth 1 -not -name archive -exec rm -r {} +
	rm -rf site
