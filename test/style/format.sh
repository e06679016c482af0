#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every C file is as clang-format 14 writes it; other versions format differently, so no other one is asked.
. "$(dirname "$0")/lib.sh"

command -v clang-format-14 >/dev/null || { echo "clang-format-14 is missing; run scripts/install-deps"; exit 77; }
mapfile -t files < <(c_files)
[ "${#files[@]}" -eq 0 ] || while read -r file; do
    offence "$file: not formatted; run: clang-format-14 -i $file"
done < <(clang-format-14 --style=file --dry-run -Werror "${files[@]}" 2>&1 | sed -n 's/:[0-9]*:[0-9]*: error: .*//p' | sort -u)
finish "${#files[@]}" files
