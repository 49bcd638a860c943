#!/usr/bin/env bash
# Stops the dockerd that install-docker.sh started by hand, and its bridge. An engine that runs as
# a service, or that somebody else started, is left alone. Containers still running are stopped
# by the engine itself and keep what they wrote.
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"

if engine_is_ours; then
  pid=$(cat "$engine_pid_file")
  # The process, not its pid file, which it removes a little earlier.
  gone() { [ ! -e "/proc/$pid" ]; }
  say "stopping dockerd (process $pid)"
  as_root sh -c "kill -TERM $pid"
  if ! wait_until 60 gone; then
    say "dockerd did not stop within 60 seconds: killing it"
    as_root sh -c "kill -KILL $pid"
    wait_until 10 gone || die "dockerd (process $pid) survives SIGKILL"
  fi
  as_root ip link delete docker0 2>/dev/null || true
fi
if [ -e "$engine_pid_file" ]; then as_root rm -f "$engine_pid_file"; fi
