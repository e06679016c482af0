#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The tower: a floor includes itself and floors with a lower number, never another of its own number. KVM's header is for
# src/kvm, src/x86 and the top only; liburing is for src/base/uring.c only (ARCHITECTURE.md).
. "$(dirname "$0")/lib.sh"

declare -A level=([base]=0 [mm]=1 [boot]=2 [devices]=2 [kvm]=3 [balloon]=3 [snapshot]=3 [host]=3 [ci]=3 [matrix]=3 [x86]=4 [top]=5)

# floor_of PATH-UNDER-SRC
floor_of() {
    case $1 in
    */*) echo "${1%%/*}" ;;
    *) echo top ;;
    esac
}

# check_system FILE FLOOR LINE HEADER
check_system() {
    case $4 in
    linux/kvm.h | linux/kvm_para.h | asm/kvm.h | asm/kvm_para.h)
        case $2 in
        kvm | x86 | top) ;;
        *) offence "$1:$3: <$4> is for src/kvm, src/x86 and the top of src only" ;;
        esac
        ;;
    liburing.h | liburing/*)
        [ "$1" = src/base/uring.c ] || offence "$1:$3: <$4> is for src/base/uring.c only"
        ;;
    esac
}

# check_own FILE FLOOR LINE HEADER
check_own() {
    local target
    if [ ! -e "src/$4" ]; then
        # Tests may include what is beside them and under test/.
        case $1 in
        test/*) [ -e "$(dirname "$1")/$4" ] || [ -e "test/$4" ] || offence "$1:$3: \"$4\" is neither under src/ nor under test/" ;;
        *) offence "$1:$3: \"$4\" is not a path under src/; write includes relative to src/" ;;
        esac
        return
    fi
    target=$(floor_of "$4")
    [ "$target" != "$2" ] || return 0
    if [ -z "${level[$target]-}" ]; then
        offence "$1:$3: floor $target is not in the table of $0"
    elif [ "${level[$target]}" -ge "${level[$2]}" ]; then
        offence "$1:$3: floor $2 (${level[$2]}) includes \"$4\" of floor $target (${level[$target]}): only lower floors may be included"
    fi
}

check_file() {
    local file=$1 floor=$2 line quoted header
    if [ -z "${level[$floor]-}" ]; then
        offence "$file: floor $floor is not in the table of $0"
        return
    fi
    while read -r line quoted header; do
        if [ "$quoted" = '"' ]; then
            check_own "$file" "$floor" "$line" "$header"
        else
            check_system "$file" "$floor" "$line" "$header"
        fi
    done < <(sed -nE '/^[[:space:]]*#[[:space:]]*include/{=;s/^[^<"]*(["<])([^">]*)[">].*/\1 \2/p}' "$file" | paste -d ' ' - -)
}

count=0
while read -r file; do
    case $file in
    src/*) check_file "$file" "$(floor_of "${file#src/}")" ;;
    test/unit/*/*) floor=${file#test/unit/}; check_file "$file" "${floor%%/*}" ;;
    test/fuzz/*/*) floor=${file#test/fuzz/}; check_file "$file" "${floor%%/*}" ;;
    *) continue ;;
    esac
    count=$((count + 1))
done < <(c_files)
finish "$count" files
