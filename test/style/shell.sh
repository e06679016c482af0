#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every script parses; shellcheck has nothing to say about it where it is installed.
. "$(dirname "$0")/lib.sh"

mapfile -t bash_scripts < <({ scripts_of '^#!.*bash'; scripts_of '^# shellcheck shell=bash'; })
mapfile -t sh_scripts < <(scripts_of '^#!/bin/sh')
for file in "${bash_scripts[@]}"; do
    output=$(bash -n "$file" 2>&1) || offence "$output"
done
for file in "${sh_scripts[@]}"; do
    output=$(sh -n "$file" 2>&1) || offence "$output"
done
if command -v shellcheck >/dev/null; then
    while read -r line; do
        offence "$line"
    done < <(shellcheck -x -S warning -f gcc -P SCRIPTDIR -P SCRIPTDIR/.. "${bash_scripts[@]}" "${sh_scripts[@]}" </dev/null || true)
fi
finish "$((${#bash_scripts[@]} + ${#sh_scripts[@]}))" scripts
