#!/usr/bin/env bash
# with-docker.sh COMMAND [ARGUMENT...]: runs the command with a container engine at hand. An engine
# that had to be started by hand for it is stopped again afterwards, whatever the command did.
set -euo pipefail
scripts=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=scripts/lib/common.sh
. "$scripts/lib/common.sh"

stop_engine() {
  trap - EXIT
  "$scripts/stop-docker.sh"
}

if ! engine_answers && ! engine_is_ours; then
  trap stop_engine EXIT
fi
"$scripts/install-docker.sh"
"$@"
