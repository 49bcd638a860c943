#!/usr/bin/env bash
# The long runs. SOAK_KILLS sets how often the crash driver kills the server (5000), SOAK_SEEDS how
# many seeds the simulation runs (20000), SOAK_SEED what the choices of both follow from (the time).
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib/common.sh
. scripts/lib/common.sh

seed=${SOAK_SEED:-$(date +%s)}
say "crash driver, seed $seed"
cargo xtask crash --kills "${SOAK_KILLS:-5000}" --seed "$seed"

say "simulation, from seed $seed"
cargo xtask sim --seed "$seed" --seeds "${SOAK_SEEDS:-20000}"
