# shellcheck shell=bash
# Functions shared by the scripts of this folder: messages, root, apt, and the questions "does a
# container engine answer?" and "did we start it?". Sourced, never run.

# Holds the process id of the dockerd that install-docker.sh started by hand, and nothing else.
engine_pid_file=/run/longshore-dockerd.pid

say() { printf '==> %s\n' "$*" >&2; }

die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# Runs a command as root: directly, or through sudo, which asks only where there is a terminal.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif ! command -v sudo >/dev/null 2>&1; then
    die "'$*' needs root: run as root, or install sudo"
  elif [ -t 0 ]; then
    sudo "$@"
  else
    sudo -n "$@"
  fi
}

is_debian_like() {
  command -v apt-get >/dev/null 2>&1 && grep -Eq '^ID(_LIKE)?=.*(debian|ubuntu)' /etc/os-release
}

apt_update() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q -o Acquire::Retries=3 </dev/null >&2
}

# Installs those of the named Debian packages that are missing.
apt_install() {
  local package missing=()
  for package in "$@"; do
    dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
      missing+=("$package")
  done
  [ "${#missing[@]}" -eq 0 ] && return 0
  say "installing ${missing[*]} with apt-get"
  apt_update
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
    -o Acquire::Retries=3 "${missing[@]}" </dev/null >&2
}

# Prints the path of the engine's socket; nothing when DOCKER_HOST names another kind of address.
engine_socket() {
  case "${DOCKER_HOST:-}" in
    '') echo /var/run/docker.sock ;;
    unix://*) echo "${DOCKER_HOST#unix://}" ;;
  esac
}

# The docker command on the engine that longshore would use, whatever context is selected.
# engine SECONDS ARGUMENT...
engine() {
  timeout "$1" docker --host "${DOCKER_HOST:-unix:///var/run/docker.sock}" "${@:2}" </dev/null
}

# True when a container engine answers this user within ten seconds.
engine_answers() {
  if command -v docker >/dev/null 2>&1; then
    engine 10 version --format '{{.Server.Version}}' >/dev/null 2>&1
  else
    curl --silent --fail --max-time 10 --unix-socket "$(engine_socket)" \
      http://engine/_ping >/dev/null 2>&1
  fi
}

# True while the dockerd that install-docker.sh started by hand lives. A pid file that outlived
# its process (a reboot, a reused id) does not count.
engine_is_ours() {
  local pid
  pid=$(cat "$engine_pid_file" 2>/dev/null) && [ -n "$pid" ] &&
    [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = dockerd ]
}

# wait_until SECONDS COMMAND...: polls the command; false when it never succeeded in time.
wait_until() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$deadline" ] || return 1
    sleep 0.2
  done
}
