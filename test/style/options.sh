#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The options that `vmm run` parses (src/config.c) are those that its help, its manual page and README's table list: none
# more, none less, each with its letter. README leaves out two that its first line has or nobody looks for there.
. "$(dirname "$0")/lib.sh"

not_in_readme='^(-k, --kernel|-h, --help)$'

# Each prints its options, one a line: "-m, --mem" or "--stats".
parsed() {
    awk -F '["(), ]+' '
        match($0, /\.letter = \047.\047/) { letter[substr($0, index($0, "[") + 1, index($0, "]") - index($0, "[") - 1)] = substr($0, RSTART + 11, 1) }
        /^\tWITH(OUT)?_ARGUMENT\("/ { print ($3 in letter ? "-" letter[$3] ", " : "") "--" $2 }' src/config.c
}

in_help() { sed -nE 's/^[[:space:]]*"  (-., |    )(--[a-z-]+) .*/\1\2/p' src/config_usage.c | sed 's/^ *//'; }

in_manual() {
    awk '/^\.SH/ { inside = /OPTIONS OF RUN/ } inside && last == ".TP" { print } { last = $0 }' vmm.1 |
        sed 's/\\-/-/g; s/^\.BR* //; s/ ", " /, /' | sed -nE 's/^((-., )?--[a-z-]+).*/\1/p'
}

in_readme() { sed -n '/^| option /,/^$/p' README.md | sed -nE 's/^\| `((-., )?--[a-z-]+)[ `].*/\1/p'; }

# compare FILE WANTED LISTED
compare() {
    local option
    while read -r option; do
        offence "$1: does not list $option of src/config.c"
    done < <(LC_ALL=C comm -23 <(LC_ALL=C sort <<<"$2") <(LC_ALL=C sort <<<"$3"))
    while read -r option; do
        offence "$1: lists $option, which src/config.c has not, or twice"
    done < <(LC_ALL=C comm -13 <(LC_ALL=C sort <<<"$2") <(LC_ALL=C sort <<<"$3"))
}

options=$(parsed)
compare src/config_usage.c "$options" "$(in_help)"
compare vmm.1 "$options" "$(in_manual)"
compare README.md "$(grep -vE -- "$not_in_readme" <<<"$options")" "$(in_readme)"
finish "$(grep -c . <<<"$options" || true)" options
