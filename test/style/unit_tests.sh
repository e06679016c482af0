#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every src/<floor>/x.c has test/unit/<floor>/test_x.c (the top of src: test/unit/top), or stands in untested.txt with a reason.
. "$(dirname "$0")/lib.sh"

list=test/style/untested.txt
test_of() {
    local under=${1#src/}
    case $under in
    */*) echo "test/unit/${under%/*}/test_${under##*/}" ;;
    *) echo "test/unit/top/test_$under" ;;
    esac
}

mapfile -t files < <(c_files | grep '^src/.*\.c$')
declare -A exempt=()
while read -r file reason; do
    case $file in '' | '#'*) continue ;; esac
    exempt[$file]=1
    [ -e "$file" ] || offence "$list: $file does not exist"
    [ -n "$reason" ] || offence "$list: $file stands there without a reason"
    [ ! -e "$(test_of "$file")" ] || offence "$list: $file has a test now: remove the line"
done <"$list"
for file in "${files[@]}"; do
    [ -n "${exempt[$file]-}" ] || [ -e "$(test_of "$file")" ] || offence "$file: no $(test_of "$file"), and not in $list"
done
finish "${#files[@]}" "source files"
