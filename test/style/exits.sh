#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Nothing but main.c ends the process, and nothing but assert_failed() in base/error.c aborts it.
. "$(dirname "$0")/lib.sh"

mapfile -t files < <(c_files | grep '^src/')
for file in "${files[@]}"; do
    case $file in
    src/main.c | src/base/error.c) continue ;;
    src/matrix/child.c) continue ;; # the forked half, when it could not execute its program
    esac
    # A member call, x->exit() or x.exit(), is something else.
    while read -r line; do
        offence "$file:${line%%:*}: ends the process: ${line#*:}"
    done < <(strip_c "$file" | grep -nE '(^|[^[:alnum:]_.>])(exit|_exit|_Exit|quick_exit|abort|err|errx)[[:space:]]*\(' || true)
done
finish "${#files[@]}" files
