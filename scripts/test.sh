#!/usr/bin/env bash
# Everything a change must pass, in stages, with a time table at the end. It fails, and never
# skips, when a tool or the container engine is missing. An engine that had to be started by hand
# is stopped again. PYTEST_WORKERS sets the number of black-box tests run at once (2: Docker
# wedges under many).
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib/common.sh
. scripts/lib/common.sh

python=$PWD/.venv/bin/python
# The drivers' code is checked and tested, too; it is no part of the product.
features=xtask/bench,xtask/crash
state=target/test-run
table=()
current=start
stage_start=$SECONDS
export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-never} PYTHONDONTWRITEBYTECODE=1

stage() {
  finish_stage
  current=$1
  stage_start=$SECONDS
  say "$1"
  "${@:2}"
}

finish_stage() {
  if [ "$current" = start ]; then return 0; fi
  table+=("$(printf '%6d s  %s' $((SECONDS - stage_start)) "$current")")
}

report() {
  local code=$?
  trap - EXIT
  set +e
  finish_stage
  if [ "${stop_engine:-no}" = yes ]; then scripts/stop-docker.sh || code=1; fi
  printf '\n'
  printf '%s\n' "${table[@]}"
  printf '%6d s  in all\n' "$SECONDS"
  if [ "$code" -eq 0 ]; then echo "all tests passed"; else echo "failed: $current"; fi
  exit "$code"
}
trap report EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# An engine can answer and yet start nothing, so one container is really run.
check_engine() {
  "$python" -m harness.images
  engine 60 run --rm --network none longshore-test/busybox:1 true ||
    die "the container engine answers, but could not run a container in 60 seconds: restart it"
}

no_leftovers() { scripts/leftovers.sh compare "$state/before"; }

black_box() {
  "$python" -m pytest tests/blackbox -n "${PYTEST_WORKERS:-2}" --dist worksteal --durations 10
}

if ! engine_answers && ! engine_is_ours; then stop_engine=yes; fi
mkdir -p "$state"
export PYTHONPATH=$PWD/tests/blackbox

stage "compiler" scripts/install-compiler.sh
stage "container engine" scripts/install-docker.sh
stage "test tools" scripts/install-test-tools.sh
stage "test image" check_engine
scripts/leftovers.sh list "$state/before"
stage "rustfmt" cargo fmt --all --check
stage "clippy" cargo clippy --locked --workspace --all-targets --features "$features" -- -D warnings
stage "codegen difference" cargo xtask codegen --check
stage "tidy" cargo xtask tidy
stage "build of the tests" cargo nextest run --locked --workspace --features "$features" --no-run
stage "unit, golden, property and engine tests" cargo nextest run --locked --workspace --features "$features"
stage "doc tests" cargo test --locked --workspace --doc --quiet
stage "release build" cargo build --locked --release --bin longshore
stage "black-box tests" black_box
stage "simulation" cargo xtask sim --seeds 1000
stage "simulation of planted bugs" cargo xtask sim --bugs
stage "crash driver" cargo xtask crash --kills 200
stage "benchmarks, small" cargo xtask bench --quick
stage "leftovers" no_leftovers
