#!/bin/sh
# Installs what is missing and nothing else: servers by apt, Python packages from requirements.lock
# into .venv. Run again with everything there it ends in well under a second. Servers that already
# run are never touched: the packages used here register no service.
set -eu
cd "$(dirname "$0")/.."
PATH="$PATH:/usr/sbin:/usr/local/sbin:/sbin"
TOOLS=.stockd/tools
STAMP=$TOOLS/stamp

say() { printf '%s\n' "$*" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }
marks() { cat requirements.lock pyproject.toml scripts/setup.sh | cksum; }

missing_programs() {
    have mariadbd || printf 'mariadbd '
    have mariadb-install-db || printf 'mariadb-install-db '
    [ -x .venv/bin/python ] || best_python >/dev/null 2>&1 || printf 'python3(>=3.11) '
    [ -x .venv/bin/python ] || can_venv >/dev/null || printf "python3-venv "
}

# every interpreter in reach, once
pythons() {
    for dir in $(printf '%s' "$PATH" | tr ':' ' ') /usr/bin /usr/local/bin \
        "${PYENV_ROOT:-$HOME/.pyenv}"/versions/*/bin; do
        for name in python3 python3.11 python3.12 python3.13 python3.14; do
            case "$dir" in */.venv/bin | */shims) continue ;; esac
            [ -x "$dir/$name" ] && readlink -f "$dir/$name"
        done
    done | sort -u
}

# the fastest of them: an optimised build is 1.25 to 1.5 times a plain one
best_python() {
    for python in $(pythons); do
        "$python" -I -c '
import sys, time
v = sys.version_info
if not (3, 11) <= v[:2] < (3, 15) or v.releaselevel != "final":
    sys.exit(1)
best = 9.0
for _ in range(3):
    start = time.perf_counter()
    words = {}
    for n in range(30000):
        key = "%d^%05d" % (n & 255, n)
        words[key.split("^")[0]] = int(key[-3:]) + n
    best = min(best, time.perf_counter() - start)
print("%.4f %s" % (best, sys.executable))' 2>/dev/null || true
    done | sort -n | sed -n '1s/^[^ ]* //p' | grep .
}

can_venv() {
    for python in $(pythons); do
        "$python" -I -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 9))' \
            2>/dev/null && { printf '%s\n' "$python"; return 0; }
    done
    return 1
}

# what the page and its browser tests want; without them the tests say so and are skipped
wanted_packages() {
    { have php && php -m | grep -q '^mysqli$'; } || printf 'php-cli php-mysql '
    [ "${1:-}" = test ] || return 0
    have mariadb-dump || printf 'mariadb-client ' # `stockd backup` and its test; a client, no service
    have chromium || printf 'chromium '
    have chromedriver || printf 'chromium-driver '
    { have fc-list && [ -n "$(fc-list :lang=ko family)" ]; } || printf 'fonts-nanum fontconfig '
}

apt_get() {
    if [ "$(id -u)" = 0 ]; then
        DEBIAN_FRONTEND=noninteractive apt-get "$@"
    else
        sudo env DEBIAN_FRONTEND=noninteractive apt-get "$@"
    fi
}

may_install() {
    have apt-get || return 1
    [ "$(id -u)" = 0 ] && return 0
    have sudo || return 1
    sudo -n true 2>/dev/null || [ -t 0 ]
}

install_programs() {
    packages=""
    case "$1" in *mariadb*) packages="mariadb-server-core mariadb-client-core" ;; esac
    case "$1" in *python3*) packages="$packages python3 python3-venv" ;; esac
    say "apt: $packages"
    # shellcheck disable=SC2086  # a list
    if ! apt_get install -y -qq --no-install-recommends $packages >/dev/null 2>&1; then
        apt_get update -qq >&2
        # shellcheck disable=SC2086
        apt_get install -y -qq --no-install-recommends $packages >&2
    fi
}

refuse() {
    say "stockd: missing: $1- install them (Debian: mariadb-server-core mariadb-client-core" \
        "python3-venv), or run everything in containers: docker compose up"
    exit 1
}

install_packages() {
    mkdir -p "$TOOLS"
    if [ ! -x "$TOOLS/venv/bin/uv" ]; then
        say "uv"
        "$(can_venv)" -m venv "$TOOLS/venv"
        "$TOOLS/venv/bin/python" -m pip install -q --disable-pip-version-check uv >&2
    fi
    uv="$TOOLS/venv/bin/uv"
    # a mirror set up for pip counts for uv as well
    if [ -z "${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-}" ]; then
        mirror=${PIP_INDEX_URL:-$("$TOOLS/venv/bin/python" -m pip config get global.index-url 2>/dev/null || true)}
        [ -z "$mirror" ] || export UV_DEFAULT_INDEX="$mirror"
    fi
    if [ ! -x .venv/bin/python ]; then
        python=$(best_python)
        say "python: $python"
        "$uv" venv -q --python "$python" .venv
    fi
    say "packages from requirements.lock"
    "$uv" pip sync -q --python .venv/bin/python --require-hashes requirements.lock
    "$uv" pip install -q --python .venv/bin/python --no-deps -e .
}

missing=$(missing_programs)
if [ -n "$missing" ]; then
    may_install || refuse "$missing"
    install_programs "$missing"
    missing=$(missing_programs)
    [ -z "$missing" ] || refuse "$missing"
fi
wanted=$(wanted_packages "${1:-}")
if [ -n "$wanted" ] && may_install; then
    say "apt: $wanted"
    # shellcheck disable=SC2086  # a list
    apt_get install -y -qq --no-install-recommends $wanted >/dev/null 2>&1 || {
        apt_get update -qq >&2
        # shellcheck disable=SC2086
        apt_get install -y -qq --no-install-recommends $wanted >&2 || say "not installed: $wanted"
    }
fi
if [ ! -x .venv/bin/python ] || [ "$(cat "$STAMP" 2>/dev/null || true)" != "$(marks)" ]; then
    install_packages
    marks >"$STAMP"
fi
