# Two commands do all the set-up: `make demo` and `make test`. Each makes .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Other releases that the shipped models must run in: the oldest that pyproject.toml allows, and one between it and today's.
ONNXRUNTIMES := 1.20.1 1.23.2
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: demo test lint bench format clean

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/runtime.done: $(BIN)/python pyproject.toml
	$(PIP) -e .
	@touch $@

$(VENV)/test.done: $(VENV)/runtime.done Testing/constraints.txt
	$(PIP) -c Testing/constraints.txt -e '.[test]'
	@touch $@

# Beside the environment, not in it. A release without a wheel for this Python or platform is left out, and its test skips and says so.
$(VENV)/onnxruntime-%/.done: $(BIN)/python
	@rm -rf $(@D)
	@$(PIP) --no-deps --only-binary :all: --retries 1 --target $(@D) onnxruntime==$* && touch $@ \
	  || { rm -rf $(@D); echo "onnxruntime $* cannot be installed here, so the models are not tried in it"; }

# MONAI, PyTorch and onnx, for the networks of system A and for those beside ours.
$(VENV)/bench.done: $(VENV)/runtime.done Testing/constraints.txt
	$(PIP) -c Testing/constraints.txt -e '.[train]'
	@touch $@

$(VENV)/lint.done: $(BIN)/python pyproject.toml
	$(PIP) 'ruff>=0.8' 'mypy>=1.13' numpy
	@touch $@

# Segments the embedded head phantom with the shipped model, scores it and draws it.
demo: $(VENV)/runtime.done
	$(BIN)/braintumorseg demo --out braintumorseg-demo

# Times every model and whole volumes on this machine and writes docs/benchmarks.md; it takes long, and wants the machine for itself.
bench: $(VENV)/bench.done
	$(BIN)/braintumorseg benchmark --volumes -o docs

# All tests; those that need real scans or an absent package skip and say why.
test: $(VENV)/test.done $(ONNXRUNTIMES:%=$(VENV)/onnxruntime-%/.done)
	$(BIN)/python -m pytest -q

# Lint, format and types, three separate steps.
lint: $(VENV)/lint.done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/lint.done
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) braintumorseg-demo
