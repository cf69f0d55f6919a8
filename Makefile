# Every target uses the Node of the lockfile, never an older one of the system.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
NODE := node_modules/.bin/node
.DEFAULT_GOAL := help
.PHONY: help packages setup verify unit generate test test-envoy-gateway test-own-cluster explore demo demo-down cluster-up cluster-down plugin images bench-bridge bench-connections bench-evidence bench-operator mutation clean

help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

packages:
	@tools/setup/packages.sh

setup: packages ## Install what is missing and build the tools of the test cluster (cached per machine)
	@$(NODE) tools/setup/main.ts

verify: packages ## Check format, types, lint, generated files, dead code, and run the unit tests
	@EXPLORE_WORLDS=$${EXPLORE_WORLDS:-250} $(NODE) test/run.ts lint types generated dead-code unit

unit: packages ## Run the unit tests
	@$(NODE) node_modules/vitest/vitest.mjs run --project unit --project unit-processes

generate: packages ## Write the generated files again
	@$(NODE) tools/generate.ts

test: setup ## Run every check and every suite, the ones on a real cluster too
	@$(NODE) test/run.ts

test-envoy-gateway: setup ## Run the suites of router Gateway with Envoy Gateway, and what only it can: copies of requests (minutes more to build)
	@$(NODE) test/images/envoy.ts
	@LLMBRIDGE_GATEWAY=EnvoyGateway $(NODE) node_modules/vitest/vitest.mjs run --project cluster --project optional test/e2e/gateway test/e2e/baseline test/e2e/mirroring

test-own-cluster: packages ## Install and run a bridge on the cluster that LLMBRIDGE_KUBECONFIG names, and remove it again
	@test -n "$$LLMBRIDGE_KUBECONFIG" || { echo "error: LLMBRIDGE_KUBECONFIG names no cluster; set it to the path of a kubeconfig." >&2; exit 1; }
	@$(NODE) node_modules/vitest/vitest.mjs run --project cluster test/e2e/own-cluster.cluster.test.ts

explore: setup ## Kill, blind and mislead the operator at every moment of a rollout, change every field (LLMBRIDGE_SEED=n: a sample)
	@LLMBRIDGE_EXPLORE=$${LLMBRIDGE_SEED:-all} $(NODE) node_modules/vitest/vitest.mjs run --project server test/faults/explore.server.test.ts test/faults/fields.server.test.ts

demo: setup ## Watch the product work on a real cluster
	@$(NODE) test/demo.ts

demo-down: cluster-down ## Remove all that the demo made

cluster-up: packages ## Start a real Kubernetes 1.35 with Prometheus on this machine
	@$(NODE) test/cluster/main.ts up

cluster-down: packages ## Stop it and remove everything of it
	@$(NODE) test/cluster/main.ts down

plugin: packages ## Pack kubectl llmbridge as an archive with a manifest for krew
	@$(NODE) tools/plugin.ts

images: packages ## Build the images and say how large they are
	@$(NODE) test/images/main.ts

bench-bridge: packages ## Measure the bridge against a bare proxy in the same run
	@$(NODE) tools/build.ts bridge
	@$(NODE) bench/bridge.ts

bench-connections: setup ## Count what is cut of thousands of streams and WebSockets by a promotion and a rollback (STREAMS, AGENTS)
	@$(NODE) bench/connections.ts $${STREAMS:-1000} $${AGENTS:-1000}

bench-evidence: packages ## Simulate canaries beside other methods, Kayenta, Argo Rollouts and Flagger, and write docs/evidence.md (RUNS)
	@$(NODE) bench/evidence.ts --runs=$${RUNS:-10000} --write

bench-operator: packages ## Measure the operator against Argo Rollouts on a real control plane (an hour; OBJECTS, PODS, ONLY, EDITS, SOAK, STORM, STORM_MINUTES)
	@$(NODE) bench/operator.ts $${OBJECTS:-1000} $${PODS:-20} $${ONLY:+--only=$$ONLY} $${EDITS:+--edits=$$EDITS} $${SOAK:+--soak=$$SOAK} $${STORM:+--storm=$$STORM} $${STORM_MINUTES:+--storm-minutes=$$STORM_MINUTES} --write

mutation: packages ## Change evidence/ and rollout/ in small ways and count what no unit test notices (an hour; ONLY=operator/rollout/split.ts)
	@node_modules/.bin/stryker run tools/mutation/stryker.config.json --incremental $${ONLY:+--mutate "$$ONLY,!operator/**/*.test.ts"}

clean: ## Remove what was built in this folder (the cache of the machine stays)
	@rm -rf dist
