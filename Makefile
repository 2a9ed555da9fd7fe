# Two commands are all a newcomer needs: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: demo sandbox test check format lint types templates compose bench package clean help

help:            ## what there is to make
	@grep -E '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:.*## +/\t/' | expand -t 12

$(INSTALLED): requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit("ekslab needs Python 3.11 or newer; this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else 0'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

demo: $(INSTALLED)      ## a lab from request to proof of empty, on this machine
	@$(BIN)/python -m sandbox demo

sandbox: $(INSTALLED)   ## leave the whole service running here and say how to use it
	@$(BIN)/python -m sandbox up

test: $(INSTALLED)      ## all tests
	$(BIN)/python -m pytest

check: format lint types templates test   ## the gate: what CI runs

format: $(INSTALLED)
	$(BIN)/ruff format --check .

lint: $(INSTALLED)
	$(BIN)/ruff check .

types: $(INSTALLED)
	$(BIN)/mypy

templates: $(INSTALLED) package   ## cfn-lint on the service's template and on the labs' stacks
	$(BIN)/cfn-lint build/sam.json
	$(BIN)/python -m pytest tests/test_chalice_files.py tests/statemachine -q

compose: $(INSTALLED)   ## rewrite .chalice/config.json, resources.json and policies/ from what is hand-written
	$(BIN)/python .chalice/compose.py

package: $(INSTALLED)
	@$(BIN)/python -m sandbox package

bench: $(INSTALLED)     ## measurements, each beside a peer or a limit
	@for module in $$(ls benchmarks/bench_*.py); do $(BIN)/python -m benchmarks.$$(basename $$module .py) || exit 1; done

clean:           ## everything that was made here
	rm -rf $(VENV) build .mypy_cache .ruff_cache .hypothesis
