#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every header compiles on its own, so that the order of includes never matters; and has an include guard.
. "$(dirname "$0")/lib.sh"

# The guest programs have no libc, and their one header is only for them.
mapfile -t files < <(c_files | grep '\.h$' | grep -v '^test/linux/guest/')
for file in "${files[@]}"; do
    grep -q '^#ifndef VMM_' "$file" || grep -q '^#pragma once' "$file" || offence "$file: no include guard (VMM_<PATH>_H)"
    output=$("${CC:-gcc}" -std=c17 -D_GNU_SOURCE -DVMM_VERSION='""' -Isrc -Itest -Wall -Wextra -Wno-unused -Werror -fsyntax-only -x c \
        -include "$file" /dev/null 2>&1) || offence "$file: does not compile alone: $(grep -m 1 error <<<"$output")"
done
finish "${#files[@]}" headers
