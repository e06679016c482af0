# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Helpers shared by the scripts: where caches live, progress lines, errors.

# Progress goes to stderr, so that a script's result on stdout can be captured.
progress() { printf '==> %s\n' "$*" >&2; }

die() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# The kernel's makefiles work in no folder with a space or a colon in its path.
cache_dir() {
    local dir=${VMM_CACHE_DIR:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/vmm}
    case $dir in
    *[[:space:]:]*) die "the cache folder must have no space or colon in its path: \"$dir\"; set VMM_CACHE_DIR to another one" ;;
    esac
    mkdir -p "$dir" || die "cannot make the cache folder $dir; set VMM_CACHE_DIR to another one"
    (cd "$dir" && pwd)
}

# lock_builds CACHE KIND: from here to the script's end, also of a killed one's children, no other run builds this kind.
# So every work folder that is there is a killed run's. Look again for the result after this: another run may have made it.
lock_builds() {
    exec 9>"$1/$2-build.lock"
    if ! flock -n 9; then
        progress "waiting for another run that makes the same ($1/$2-build.lock)"
        flock 9
    fi
    find "$1" -maxdepth 1 -type d -name "$2-build.??????" -exec rm -rf {} +
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
