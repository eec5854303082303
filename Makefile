# make demo    audit, split and train on the bundled sample data, or your own: make demo IMAGES=path/to/images
# make test    lint, types and tests; sets itself up on a fresh clone
# make kernels what depends on floating point, under another kernel of linear algebra: make kernels KERNEL=SkylakeX
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
IMAGES ?= sample_data/shapes
OUT ?= dataprep-out

.PHONY: demo test lint types tests kernels browser install-test clean

demo: $(VENV)/.installed-train
	$(BIN)/dataprep audit "$(IMAGES)" --out "$(OUT)"
	$(BIN)/dataprep split --out "$(OUT)"
	$(BIN)/dataprep train-baseline --out "$(OUT)"

test: lint types tests

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-test
	$(BIN)/mypy

tests: $(VENV)/.installed-test
	$(BIN)/pytest -q -n 2 --dist loadfile

# A kernel of OpenBLAS that this processor can run and does not run by itself.
KERNEL ?= $(shell grep -q avx512f /proc/cpuinfo 2>/dev/null && echo Haswell || echo Sandybridge)

kernels: $(VENV)/.installed-test
	OPENBLAS_CORETYPE=$(KERNEL) $(BIN)/pytest -q -n 2 --dist loadfile tests/probes tests/checks tests/neighbours tests/splits tests/augment

install-test: $(VENV)/.installed-test

$(VENV)/.made: Makefile
	$(PYTHON) -c 'import sys; sys.exit("dataprep needs Python 3.11 or newer; this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.installed: $(VENV)/.made pyproject.toml setup.py dataprep/measures/kernel.c constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

# torch first, alone and pinned: whatever is resolved later finds it there.
$(VENV)/.installed-train: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[train]"
	touch $@

$(VENV)/.installed-test: $(VENV)/.made pyproject.toml setup.py dataprep/measures/kernel.c constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[test]"
	touch $@ $(VENV)/.installed

clean:
	rm -rf $(VENV) build dist dataprep/measures/_kernel*.so .mypy_cache .ruff_cache .pytest_cache
