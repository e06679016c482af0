#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# No function is longer than 60 lines, from `{` to `}` in column 0, and no file longer than 500, unless long.txt lists it.
. "$(dirname "$0")/lib.sh"

list=test/style/long.txt
max_function=60
max_file=500

# `path:function` or `path` for what is too long, and by how much.
too_long() {
    awk -v max_function="$max_function" -v max_file="$max_file" '
        FNR == 1 { if (file != "" && lines > max_file) print file, lines; file = FILENAME; start = 0 }
        { lines = FNR }
        # The last line before the brace that begins in column 0 with a name and a parenthesis is the signature.
        /^[A-Za-z_][^;]*\(/ && !/^(if|for|while|switch)[ (]/ {
            name = $0
            while (match(name, /__attribute__ *\(\(([^()]|\([^()]*\))*\)\)/))
                name = substr(name, 1, RSTART - 1) substr(name, RSTART + RLENGTH)
            sub(/ *\(.*/, "", name)
            sub(/.*[ *]/, "", name)
        }
        /^\{/ { start = FNR }
        /^\}/ { if (start && FNR - start + 1 > max_function) print FILENAME ":" name, FNR - start + 1; start = 0 }
        END { if (lines > max_file) print file, lines }' "$@"
}

mapfile -t files < <(c_files)
declare -A exempt=() seen=()
while read -r what reason; do
    case $what in '' | '#'*) continue ;; esac
    exempt[$what]=1
    [ -n "$reason" ] || offence "$list: $what stands there without a reason"
done <"$list"
while read -r what lines; do
    seen[$what]=1
    [ -n "${exempt[$what]-}" ] || offence "$what: $lines lines (a function may have $max_function, a file $max_file)"
done < <([ "${#files[@]}" -eq 0 ] || too_long "${files[@]}")
for what in "${!exempt[@]}"; do
    [ -n "${seen[$what]-}" ] || offence "$list: $what is not too long any more: remove the line"
done
finish "${#files[@]}" files
