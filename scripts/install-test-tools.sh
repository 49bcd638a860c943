#!/usr/bin/env bash
# Brings what the tests need into the repository's folder, and nothing into the system beyond
# Python's venv module: a Python environment in .venv from tests/blackbox/requirements.txt,
# Debian's busybox-static and docker-registry unpacked (not installed: their packages start
# services) under target/test-tools, and cargo-nextest when cargo has none.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib/common.sh
. scripts/lib/common.sh

requirements=tests/blackbox/requirements.txt
venv=.venv
tools=target/test-tools

python_environment() {
  if cmp -s "$requirements" "$venv/requirements.installed"; then return 0; fi
  say "installing the Python packages of $requirements into $venv"
  command -v python3 >/dev/null 2>&1 || apt_install python3
  rm -rf "$venv"
  if ! python3 -m venv "$venv" >/dev/null 2>&1; then
    apt_install python3-venv
    rm -rf "$venv"
    python3 -m venv "$venv"
  fi
  "$venv/bin/python" -m pip --quiet --disable-pip-version-check --no-input install \
    --retries 5 --timeout 60 --requirement "$requirements"
  cp "$requirements" "$venv/requirements.installed"
}

unpacked() { [ -x "$tools/busybox" ] && [ -x "$tools/docker-registry" ]; }

# Unpacks Debian packages into $tools without installing them.
debian_tools() {
  if unpacked; then return 0; fi
  is_debian_like ||
    die "make test needs Debian or Ubuntu: it takes busybox-static and docker-registry from there"
  say "unpacking busybox-static and docker-registry into $tools"
  rm -rf "$tools"
  mkdir -p "$tools/packages" "$tools/unpacked"
  (cd "$tools/packages" && apt-get download -q busybox-static docker-registry) >&2 || {
    apt_update
    (cd "$tools/packages" && apt-get download -q busybox-static docker-registry) >&2
  }
  local package
  for package in "$tools"/packages/*.deb; do dpkg-deb --extract "$package" "$tools/unpacked"; done
  # The folder of the programs differs from release to release.
  find "$tools/unpacked" -type f \( -name busybox -o -name docker-registry \) \
    -path '*/bin/*' -exec cp -t "$tools" {} +
  unpacked || die "busybox-static and docker-registry do not hold the programs of their names"
}

nextest() {
  cargo nextest --version >/dev/null 2>&1 && return 0
  say "building cargo-nextest"
  cargo install --locked cargo-nextest
}

python_environment
debian_tools
nextest
