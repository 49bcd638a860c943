#!/usr/bin/env bash
# Tells whether a test run left something behind.
#   leftovers.sh list FILE     writes what is there now: containers labelled longshore.node
#                              or named longshore-*, networks named longshore-*, processes of
#                              programs under target/
#   leftovers.sh compare FILE  fails, naming it, if something is there that was not in FILE;
#                              what is just going away gets twenty seconds
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib/common.sh
. scripts/lib/common.sh

processes() {
  local exe pid
  for exe in /proc/[0-9]*/exe; do
    pid=${exe#/proc/}
    pid=${pid%/exe}
    case "$(readlink "$exe" 2>/dev/null)" in
      "$PWD"/target/*)
        printf 'process %s %s\n' "$pid" "$(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null)"
        ;;
    esac
  done
}

list() {
  {
    local filter
    for filter in label=longshore.node name=longshore-; do
      engine 30 ps --all --no-trunc --filter "$filter" \
        --format 'container {{.ID}} {{.Names}} {{.Image}}'
    done
    engine 30 network ls --no-trunc --filter name=longshore- --format 'network {{.ID}} {{.Name}}'
    processes
  } | sort --unique
}

nothing_new() {
  new=$(comm -13 "$before" <(list))
  [ -z "$new" ]
}

before=${2:?a file name is needed}
case "$1" in
  list) list >"$before" ;;
  compare)
    new=
    if ! wait_until 20 nothing_new; then
      printf '%s\n' "$new" >&2
      die "the lines above were left behind"
    fi
    say "nothing was left behind"
    ;;
  *) die "usage: leftovers.sh list|compare FILE" ;;
esac
