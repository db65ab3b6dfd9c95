# `make demo` trains on real digits; `make test` is all that CI runs. Both set up .venv first.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test tests setup lint browser docs bench notebooks clean

demo: .venv/installed
	@$(BIN)/convoscope train

test: lint tests

# Two processes share the tests, a file at a time and those of the browser last, as they are ordered.
tests: .venv/installed browser
	$(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

# Style, types and who may import whom.
lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

setup: .venv/installed

# torch comes first and pinned: the pin chooses the build, and everything else is happy with it. What was installed is
# compiled by all cores at once, which pip would do file after file; what is no Python 3 stays as it is.
.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --no-compile $$(grep '^torch==' constraints.txt)
	$(BIN)/python -m pip install --quiet --no-compile --editable '.[dev]' --constraint constraints.txt
	@$(BIN)/python -m compileall -qq -j 0 .venv/lib || true
	@touch $@

# The browser tests need Chromium; the one without windows works with less. It is installed where that is possible
# without asking: Debian, as root.
browser:
	@for name in chromium-headless-shell chromium chromium-browser google-chrome; do \
	  if command -v $$name >/dev/null; then exit 0; fi; done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  export DEBIAN_FRONTEND=noninteractive; apt-get update -qq && \
	  { apt-get install -y -qq chromium-headless-shell || apt-get install -y -qq chromium; } >/dev/null; \
	else echo "No Chromium here: the browser tests will be skipped."; fi

# Open site/index.html, or serve the folder: `python -m http.server --directory site`.
docs: export NO_MKDOCS_2_WARNING = 1
docs: .venv/installed
	$(BIN)/mkdocs build --strict --quiet
	$(BIN)/mkdocs build --strict --quiet --config-file mkdocs.es.yml

bench: .venv/installed
	$(BIN)/python -m benchmarks $(BENCH)

# Brings both files of each notebook of the lesson into step: the one that was changed last counts.
notebooks: .venv/installed
	$(BIN)/jupytext --quiet --sync notebooks/*/*.md
	$(BIN)/python -m notebooks.pair

clean:
	rm -rf .venv site build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
