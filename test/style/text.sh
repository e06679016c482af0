#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every text file: no trailing white space, a newline at the end, the licence in its first three lines, and no to-do without
# the condition under which it becomes due ("TODO when ...").
. "$(dirname "$0")/lib.sh"

mapfile -t files < <(text_files)
for file in "${files[@]}"; do
    [ -s "$file" ] || { offence "$file: empty"; continue; }
    while read -r line; do
        offence "$file:$line: trailing white space"
    done < <(grep -nE '[[:blank:]]+$' "$file" | cut -d: -f1 || true)
    [ -z "$(tail -c 1 "$file")" ] || offence "$file: no newline at the end"
    while read -r line; do
        offence "$file:$line: a to-do without \"when\""
    done < <(grep -nwE 'TODO|FIXME|XXX' "$file" | grep -vwE 'when' | cut -d: -f1 || true)
    case $file in
    *.md | *.txt | *.1 | *.json | *.csv | *.svg | .clang-format | scripts/guest/kernel.config) [ "${file##*/}" = CMakeLists.txt ] || continue ;;
    esac
    head -n 3 "$file" | grep -q 'SPDX-License-Identifier: ' || offence "$file: no SPDX-License-Identifier in the first three lines"
done
finish "${#files[@]}" files
