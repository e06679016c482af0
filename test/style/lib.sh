# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Shared by the style checks. Each check takes the root of a tree as its argument, prints one line per offence and exits 1 if
# there was any; 77 when a tool is missing. A check that finds nothing to look at fails: it would pass for ever.
set -euo pipefail
root=${1:?usage: $0 ROOT}
cd "$root"
offences=0

offence() {
    printf '%s\n' "$*"
    offences=$((offences + 1))
}

# finish COUNT WHAT: COUNT is how many things were looked at.
finish() {
    [ "$1" -gt 0 ] || offence "found no $2 in $root"
    printf '%s: %d %s, %d offences\n' "$(basename "$0" .sh)" "$1" "$2" "$offences"
    [ "$offences" -eq 0 ] || exit 1
    exit 0
}

existing() {
    local folder
    for folder in "$@"; do
        [ ! -d "$folder" ] || echo "$folder"
    done
}

# Every C file of the project.
c_files() {
    mapfile -t folders < <(existing src test benches guest-drivers)
    find "${folders[@]}" -type f \( -name '*.c' -o -name '*.h' \) | LC_ALL=C sort
}

# Every text file of the project that people write: sources, scripts, build files.
text_files() {
    mapfile -t folders < <(existing src test benches guest-drivers scripts .ci)
    {
        find "${folders[@]}" -type f ! -path '*/corpus_*/*' ! -name '*.bin'
        find . -maxdepth 1 -type f \( -name 'CMakeLists.txt' -o -name '*.md' -o -name '.clang-*' \) -printf '%f\n'
    } | LC_ALL=C sort
}

# Scripts, by their first line.
scripts_of() {
    mapfile -t folders < <(existing scripts test benches .ci guest-drivers)
    find "${folders[@]}" -type f ! -name '*.c' ! -name '*.h' -exec awk -v pattern="$1" 'FNR == 1 && $0 ~ pattern { print FILENAME }' {} + |
        LC_ALL=C sort
}

# C without comments, strings and character constants; line numbers stay.
strip_c() { awk -f "$(dirname "${BASH_SOURCE[0]}")/strip_c.awk" "$1"; }
