#!/bin/bash
# Install what Berth needs and start a Docker engine if none answers. Running it again is quick and changes nothing.
# Usage: scripts/setup.sh [packages|venv|engine]…   (all three without an argument)
set -euo pipefail
cd "$(dirname "$0")/.."

readonly packages=(python3-venv docker.io docker-compose iptables nftables mmdebstrap openssh-client postgresql-client-15 git curl chromium libnss3-tools)
readonly engine_log=/var/log/berth-dockerd.log

say() { echo "setup: $*"; }
fail() { printf '%s\n' "setup: $*" "See docs/troubleshooting.md#setting-up-this-machine" >&2; exit 1; }

install_packages() {
  local missing=() package
  for package in "${packages[@]}"; do
    dpkg-query --show --showformat='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  command -v apt-get >/dev/null || fail "this needs Debian 12 (apt-get is missing)."
  ((EUID == 0)) || fail "Debian packages are missing and only root may install them. Type: sudo apt-get install ${missing[*]}"
  say "installing Debian packages: ${missing[*]}"
  apt-get update -qq || fail "apt-get update failed. Check the network, then type: make setup"
  DEBIAN_FRONTEND=noninteractive apt-get install -yqq --no-install-recommends "${missing[@]}" >/dev/null \
    || fail "apt-get could not install ${missing[*]}. Type: apt-get install ${missing[*]}"
}

make_venv() {
  local wanted python=/usr/bin/python3
  # Debian's own, which is built with optimizations; one that comes earlier in PATH (pyenv) often is not.
  [[ -x $python ]] || python=python3
  wanted=$({ "$python" --version; cat requirements.txt requirements-dev.txt constraints.txt; } | sha256sum)
  [[ -x .venv/bin/python && $(cat .venv/.requirements 2>/dev/null) == "$wanted" ]] && return 0
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
    || fail "Python 3.11 or newer is needed; $("$python" --version) is here."
  say "installing the Python packages into .venv (about a minute)"
  "$python" -m venv --clear .venv
  .venv/bin/pip install --quiet --disable-pip-version-check -r requirements-dev.txt -c constraints.txt 2> >(grep -v "^WARNING: Location" >&2) \
    || fail "pip could not install requirements-dev.txt. Check the network, then type: make setup"
  echo "$wanted" >.venv/.requirements
}

engine_answers() { docker info >/dev/null 2>&1; }

start_engine() {
  engine_answers && return 0
  ((EUID == 0)) || fail "no Docker engine answers, and only root may start one. Type: sudo systemctl start docker && sudo usermod -aG docker $USER (then log in again)"
  if [[ -d /run/systemd/system ]]; then
    say "starting Docker (systemctl start docker)"
    systemctl start docker
  else
    say "starting dockerd (no service manager runs here; its log: $engine_log)"
    # A dockerd that was killed leaves its process id behind, and the next one would refuse to start.
    if [[ -f /var/run/docker.pid ]] && ! kill -0 "$(cat /var/run/docker.pid)" 2>/dev/null; then rm -f /var/run/docker.pid; fi
    setsid nohup dockerd >"$engine_log" 2>&1 </dev/null &
  fi
  for _ in $(seq 60); do
    engine_answers && return 0
    sleep 0.5
  done
  fail "dockerd does not answer after 30 s. Look at its log: tail $engine_log"
}

for step in "${@:-all}"; do
  case $step in
    packages) install_packages ;;
    venv) make_venv ;;
    engine) start_engine ;;
    all) install_packages; make_venv; start_engine ;;
    *) fail "there is no step $step. Use packages, venv or engine." ;;
  esac
done
