#!/usr/bin/env bash
# Makes sure that Rust code can be built: says where to get Rust when cargo is missing, and
# installs the C compiler that Rust links with (and SQLite is compiled by) on Debian and Ubuntu.
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"

command -v cargo >/dev/null 2>&1 ||
  die "there is no cargo: install Rust (https://rustup.rs), open a new terminal, and try again"
if ! command -v cc >/dev/null 2>&1; then
  is_debian_like || die "there is no C compiler 'cc': install gcc or clang"
  apt_install gcc libc6-dev
fi
