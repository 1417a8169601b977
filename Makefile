# Every recipe is one line; the work is in ci/ and in cargo. `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: help tools demo test soak lint check fmt deny docs book synth linerate clean

help: ## this list
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

tools: ## install the pinned simulation and synthesis tools into build/ (no root)
	@ci/setup

demo: ## generate the engine, run a capture through its simulation, hold it against the model
	@ci/demo

test: tools check lint ## everything CI runs: checks, lints, all tests
	@ci/test

soak: tools ## random traffic for hours: make soak SEEDS=500
	@ci/soak $(SEEDS)

lint: ## formatting, clippy, links of the API documentation
	@ci/lint

check: ## layering of the crates, generated pages, links of the book
	@ci/check-layering && ci/docs --check

fmt: ## format all Rust code
	cargo fmt --all

deny: ## licences and origins of the dependencies (needs cargo-deny)
	cargo deny --locked check licenses bans sources

docs: ## write the block pages of the book from the blocks' own headers
	@ci/docs

book: docs ## the documentation as HTML in build/book (needs mdbook)
	@ci/book

synth: ## Yosys and nextpnr-ecp5 on the engine or a block: PRESET= (or all) BLOCK= SEEDS= PART=
	@ci/synth $(or $(PRESET),ecp5-10g) $(if $(BLOCK),--block $(BLOCK)) $(if $(SEEDS),--seeds $(SEEDS)) $(if $(PART),--part $(PART))

linerate: ## simulate every kind of traffic at the wire's pace, every STEP-th frame length; writes docs/src/linerate.md
	@cargo run --release --locked --quiet -p pagetrain-testbench --example linerate -- $(or $(STEP),1)

clean: ## remove everything built, the tools too
	rm -rf build && cargo clean
