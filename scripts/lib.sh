# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Helpers shared by the scripts: where caches live, progress lines, errors.

cache_dir() {
    local dir=${VMM_CACHE_DIR:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/vmm}
    mkdir -p "$dir"
    echo "$dir"
}

# Progress goes to stderr, so that a script's result on stdout can be captured.
progress() { printf '==> %s\n' "$*" >&2; }

die() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# run_logged LOG COMMAND...: the output goes to LOG, and to stderr only when the command fails.
run_logged() {
    local log=$1 status=0
    shift
    mkdir -p "$(dirname "$log")"
    "$@" >"$log" 2>&1 </dev/null || status=$?
    if [ "$status" -ne 0 ]; then
        tail -n 40 "$log" >&2
        printf '%s: failed with status %d: %s (whole output: %s)\n' "$(basename "$0")" "$status" "$*" "$log" >&2
    fi
    return "$status"
}

# configure_and_build PRESET LOG: builds all that can be built, also after an error.
configure_and_build() {
    run_logged "$2" cmake --preset "$1" && run_logged "$2.build" cmake --build --preset "$1" -- -k 0
}
