# The verbs of the project. `make train` and `make test` set up all they need on a fresh machine.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: train test check docs wheel clean

train: $(READY)  ## train EBGAN-PT on real digits, and say where samples, report and checkpoint are
	$(BIN)/ebgan train digits

test: $(READY)  ## run the tests, with one worker for each core
	$(BIN)/python -m pytest -n auto

check: $(READY)  ## lint, types, floors
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(READY)  ## build the documentation; a warning is an error
	$(BIN)/python -m sphinx -W -q -b html docs docs/_build/html

wheel: $(READY)  ## build the wheel and train from it in an environment of its own
	bash tools/try-wheel

clean:
	rm -rf $(VENV) dist docs/_build

# The checks run on the version of torch in constraints.txt.
$(READY): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,docs]'
	touch $(READY)
