# make chat: everything a newcomer needs.  make test: everything a change must pass.
PYTHON ?= python3
PORT ?= 7860
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
TORCH := torch==2.13.0
# PyTorch's own index has CPU builds; its default build for Linux pulls gigabytes of CUDA.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu

.PHONY: chat test lint format bench constraints clean

chat: $(VENV)/.installed
	@$(BIN)/qa build
	@$(BIN)/qa serve --port $(PORT)

test: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest

lint: $(VENV)/.test
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

format: $(VENV)/.test
	$(BIN)/ruff check --fix . && $(BIN)/ruff format .

bench: $(VENV)/.test
	$(BIN)/python -m benchmarks.asking

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# A wheel that pip is configured to find locally serves first, else PyTorch's CPU index.
$(VENV)/.torch: $(BIN)/python
	@$(PIP) install --quiet --no-deps --no-index $(TORCH) 2>/dev/null \
	  || $(PIP) install --no-deps --index-url $(TORCH_INDEX) $(TORCH)
	@touch $@

$(VENV)/.installed: $(VENV)/.torch pyproject.toml constraints.txt
	@echo "installing (once; a few minutes) ..."
	@$(PIP) install --quiet --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.torch pyproject.toml constraints.txt
	@$(PIP) install --quiet --constraint constraints.txt --editable ".[test,training]"
	@touch $(VENV)/.installed $@

constraints: $(VENV)/.test
	@$(PIP) install --quiet uv
	@(sed -n '/^#/p' constraints.txt; echo "$(TORCH)" > $(VENV)/torch.txt; \
	  $(BIN)/uv pip compile --universal --python-version 3.10 --all-extras pyproject.toml -c $(VENV)/torch.txt \
	    --no-header --no-annotate -q | grep -v -E '^(nvidia-|cuda-|triton)') > constraints.new && mv constraints.new constraints.txt

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
