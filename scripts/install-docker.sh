#!/usr/bin/env bash
# Makes a container engine answer. Nothing happens when one already does (DOCKER_HOST or
# /var/run/docker.sock). Otherwise, on Debian and Ubuntu, as root or with sudo: installs Docker
# Engine from the distribution's package and starts it: by systemd where systemd runs, else by
# hand, with a pid file by which stop-docker.sh stops exactly that process.
# On other systems: says what to install, and fails.
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"

log_file=/var/log/longshore-dockerd.log

say_what_to_install() {
  cat >&2 <<'TEXT'
error: no container engine answers, and this script can install one on Debian and Ubuntu only.
Install and start one of these, then run the command again:
  Fedora           sudo dnf install moby-engine && sudo systemctl start docker
  RHEL, CentOS     sudo dnf install podman && sudo systemctl start podman.socket
                   export DOCKER_HOST=unix:///run/podman/podman.sock
  Arch             sudo pacman -S docker && sudo systemctl start docker
  openSUSE         sudo zypper install docker && sudo systemctl start docker
  Alpine           sudo apk add docker && sudo rc-service docker start
  macOS, Windows   Docker Desktop (on Windows, run make inside WSL 2)
TEXT
  exit 1
}

installed_now=no

install_packages() {
  local packages=(docker.io iptables iproute2 ca-certificates)
  command -v dockerd >/dev/null 2>&1 || [ -x /usr/sbin/dockerd ] || installed_now=yes
  # Where the kernel enforces AppArmor, no container starts without its parser.
  if grep -qs Y /sys/module/apparmor/parameters/enabled; then packages+=(apparmor); fi
  apt_install "${packages[@]}"
  # Newer releases have the client in a package of its own.
  command -v docker >/dev/null 2>&1 || apt_install docker-cli
}

# Lets the calling user open the engine's socket until the engine restarts.
open_socket_to_user() {
  [ -w "$(engine_socket)" ] && return 0
  apt_install acl
  say "giving $(id -un) access to $(engine_socket) until the engine restarts"
  as_root setfacl -m "u:$(id -un):rw" "$(engine_socket)"
}

engine_ready() { [ -S "$(engine_socket)" ] && open_socket_to_user && engine_answers; }

# dockerd needs a working nat table. Where the kernel has no nftables, the legacy tools have it.
choose_iptables() {
  as_root iptables -t nat -L -n >/dev/null 2>&1 && return 0
  say "iptables over nftables does not work here: switching to iptables-legacy"
  as_root update-alternatives --set iptables /usr/sbin/iptables-legacy >&2
  as_root update-alternatives --set ip6tables /usr/sbin/ip6tables-legacy >&2
}

# Starts dockerd in a session of its own, so that it outlives the terminal and its signals.
start_by_hand() {
  choose_iptables
  say "starting dockerd by hand; its log is $log_file"
  as_root rm -f "$engine_pid_file"
  # shellcheck disable=SC2016 # expanded by the inner shell
  as_root setsid --fork sh -c \
    'PATH=$PATH:/usr/sbin:/sbin; exec dockerd --pidfile "$1" >>"$2" 2>&1' \
    sh "$engine_pid_file" "$log_file" </dev/null >/dev/null 2>&1
}

# Without systemd the package may start the engine by its init script; then it is ours to stop.
started_by_package() {
  [ "$installed_now" = yes ] && wait_until 3 test -s /var/run/docker.pid &&
    as_root cp /var/run/docker.pid "$engine_pid_file"
}

# dockerd writes its pid file at once and removes it when it gives up.
gave_up() { [ "$started" = by-hand ] && [ "$SECONDS" -ge 3 ] && ! engine_is_ours; }

ready_or_gave_up() { engine_ready || gave_up; }

start_engine() {
  local started=by-systemd
  if [ -d /run/systemd/system ]; then
    say "starting docker.service"
    as_root systemctl start docker.service
  elif ! engine_is_ours && ! started_by_package; then
    start_by_hand
    started=by-hand
    SECONDS=0
  fi
  wait_until 60 ready_or_gave_up || true
  engine_answers && return 0
  if [ -r "$log_file" ]; then grep -E '^[^t]|level=(error|fatal)' "$log_file" | tail -n 5 >&2; fi
  die "Docker Engine was started and does not answer at $(engine_socket)"
}

if ! engine_answers; then
  [ "${DOCKER_HOST:-unix:///var/run/docker.sock}" = unix:///var/run/docker.sock ] ||
    die "no engine answers at DOCKER_HOST=$DOCKER_HOST: start it, or unset DOCKER_HOST"
  is_debian_like || say_what_to_install
  install_packages
  start_engine
fi
say "a container engine answers"
