#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A check that cannot fail is worth nothing: each one must accept a small good tree and refuse it after a single bad change.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

say() {
    printf '%s\n' "$*"
    failures=$((failures + 1))
}

make_good_tree() {
    rm -rf "$work/tree"
    mkdir -p "$work/tree"/{src/base,src/mm,src/devices,src/boot,src/kvm,test/unit/base,test/unit/mm,test/style,scripts}
    cd "$work/tree"
    cp "$here/../../.clang-format" .
    printf '# SPDX-License-Identifier: Apache-2.0\nproject(good)\n' >CMakeLists.txt
    printf '# SPDX-License-Identifier: Apache-2.0\nsrc/%s a reason\n' main.c config.c config_usage.c >test/style/untested.txt
    printf '# SPDX-License-Identifier: Apache-2.0\nsrc/mm/a.c:long_one a table\n' >test/style/long.txt
    printf '#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\necho good\n' >scripts/good
    printf '#!/usr/bin/env bash\n# SPDX-License-Identifier: Apache-2.0\nprintf "%%s\\n" "$BASH"\n' >scripts/good-bash
    write_c src/base/low.h '#ifndef VMM_LOW_H' '#define VMM_LOW_H' 'int low(void);' '#endif'
    write_c src/mm/a.h '#ifndef VMM_A_H' '#define VMM_A_H' '#include "base/low.h"' 'int a(void);' '#endif'
    write_c src/devices/d.h '#ifndef VMM_D_H' '#define VMM_D_H' '#include "mm/a.h"' '#endif'
    write_c src/boot/b.h '#ifndef VMM_B_H' '#define VMM_B_H' '#include "mm/a.h"' '#endif'
    write_c src/mm/a.c '#include "mm/a.h"' '' 'int a(void)' '{' "$(printf '\treturn low(); /* exit(1) */\n')" '}' \
        '' 'int long_one(void)' '{' "$(for _ in $(seq 70); do printf '\tlow();\n'; done)" "$(printf '\treturn 0;')" '}'
    printf '%s\n' '| option | default | |' '|---|---|---|' '| `-m, --mem SIZE` | | |' '| `--dry-run` | | |' '' >README.md
    printf '%s\n' '.SH OPTIONS OF RUN' .TP '.BR \-k ", " \-\-kernel " " \fIFILE\fR' 'The kernel.' .TP \
        '.BR \-m ", " \-\-mem " " \fISIZE\fR' 'Memory.' .TP '.B \-\-dry\-run' 'Nothing, and not' '.B \-\-other' >vmm.1
    write_c src/config.c 'static const struct traits traits[] = {' "$(printf "\t[OPT_KERNEL] = {.letter = 'k'},")" \
        "$(printf "\t[OPT_MEM] = {.letter = 'm', .repeatable = true},")" '};' '' 'static const struct option long_options[] = {' \
        "$(printf '\tWITH_ARGUMENT("kernel", OPT_KERNEL),')" "$(printf '\tWITH_ARGUMENT("mem", OPT_MEM),')" \
        "$(printf '\tWITHOUT_ARGUMENT("dry-run", OPT_DRY_RUN),')" '};'
    write_c src/config_usage.c 'const char *config_usage(void)' '{' "$(printf '\treturn "Usage:%s"' '\n')" \
        "$(printf '\t       "%s"' '  -k, --kernel FILE  the kernel\n')" "$(printf '\t       "%s"' '  -m, --mem SIZE     memory\n')" \
        "$(printf '\t       "%s";' '      --dry-run      prints --more than it does\n')" '}'
    write_c src/main.c '#include <stdlib.h>' '#include "boot/b.h"' '' 'int main(void)' '{' "$(printf '\texit(a());')" '}'
    write_c test/unit/mm/test_a.c '#include "mm/a.h"'
}

# write_c FILE LINE...
write_c() {
    local file=$1
    shift
    { echo '/* SPDX-License-Identifier: Apache-2.0 */'; printf '%s\n' "$@"; } >"$file"
}

run_check() { "$here/$1.sh" "$work/tree" >"$work/output" 2>&1; }

# refuses CHECK WHAT: the tree as it is now must be refused, with WHAT in the message.
refuses() {
    local status=0
    run_check "$1" || status=$?
    if [ "$status" -eq 77 ]; then
        echo "$1: skipped: $(cat "$work/output")"
    elif [ "$status" -eq 0 ]; then
        say "$1 accepts: $2"
    elif ! grep -qF -- "$2" "$work/output"; then
        say "$1 fails, but does not say: $2"
        cat "$work/output"
    fi
    make_good_tree
}

make_good_tree
for check in layering format headers exits unit_tests lengths options text shell; do
    status=0
    run_check "$check" || status=$?
    [ "$status" -eq 0 ] || [ "$status" -eq 77 ] || { say "$check refuses a good tree"; cat "$work/output"; }
done

write_c src/base/low.h '#include "mm/a.h"'; refuses layering 'floor base (0) includes "mm/a.h"'
write_c src/devices/d.h '#include "boot/b.h"'; refuses layering 'floor devices (2) includes "boot/b.h"'
write_c test/unit/mm/test_a.c '#include "boot/b.h"'; refuses layering 'test/unit/mm/test_a.c:2'
write_c src/mm/a.h '#include "a.h"'; refuses layering 'relative to src/'
write_c src/mm/a.h '#include <linux/kvm.h>'; refuses layering 'src/mm/a.h:2: <linux/kvm.h>'
write_c src/kvm/k.c '#  include <liburing.h>'; refuses layering '<liburing.h>'
mkdir src/novel; write_c src/novel/n.h 'int n;'; refuses layering 'floor novel is not in the table'

printf 'int  x ;\n' >>src/mm/a.c; refuses format 'src/mm/a.c: not formatted'

write_c src/boot/b.h '#ifndef VMM_B_H' '#define VMM_B_H' 'uint32_t b(void);' '#endif'; refuses headers 'src/boot/b.h: does not compile alone'
write_c src/boot/b.h 'int b(void);'; refuses headers 'src/boot/b.h: no include guard'

printf 'void f(void)\n{\n\texit (1);\n}\n' >>src/mm/a.c; refuses exits 'src/mm/a.c:'
printf 'void f(void)\n{\n\t_exit(1);\n}\n' >>src/mm/a.c; refuses exits '_exit(1)'
printf 'void f(void)\n{\n\tif (1) abort();\n}\n' >>src/boot/b.h; refuses exits 'abort()'

rm test/unit/mm/test_a.c; refuses unit_tests 'no test/unit/mm/test_a.c'
echo 'src/mm/a.c has a test' >>test/style/untested.txt; refuses unit_tests 'has a test now'
echo 'src/mm/gone.c why not' >>test/style/untested.txt; refuses unit_tests 'src/mm/gone.c does not exist'
printf 'int u;\n' >src/mm/u.c; echo 'src/mm/u.c' >>test/style/untested.txt; refuses unit_tests 'without a reason'

{ printf 'int too_long(int b)\n{\n'; for _ in $(seq 60); do echo 'b++;'; done; printf '}\n'; } >>src/mm/a.c; refuses lengths 'src/mm/a.c:too_long: 62 lines'
{ for _ in $(seq 501); do echo 'int x;'; done; } >src/mm/a.h; refuses lengths 'src/mm/a.h: 501 lines'
printf 'int a;\n' >src/mm/a.c; refuses lengths 'src/mm/a.c:long_one is not too long any more'

sed -i 's/--dry-run/--dry-ru/' src/config_usage.c; refuses options 'src/config_usage.c: does not list --dry-run'
sed -i 's/-m, --mem/    --mem/' src/config_usage.c; refuses options 'src/config_usage.c: does not list -m, --mem'
sed -i '/dry..run/d' vmm.1; refuses options 'vmm.1: does not list --dry-run'
sed -i 's/^| `--dry/| `-d, --dry/' README.md; refuses options 'README.md: lists -d, --dry-run, which src/config.c has not'
sed -i 's/"dry-run"/"dry"/' src/config.c; refuses options 'vmm.1: lists --dry-run, which'

printf 'int x; \n' >>src/mm/a.c; refuses text 'trailing white space'
printf 'int x;' >>src/mm/a.c; refuses text 'no newline at the end'
printf '/* TO''DO: later */\n' >>src/mm/a.c; refuses text 'a to-do without'
printf 'int x;\n' >src/mm/a.c; refuses text 'no SPDX'
: >src/mm/a.c; refuses text 'empty'

printf '#!/bin/sh\nif true\n' >scripts/good; refuses shell 'scripts/good'
printf '#!/usr/bin/env bash\nfor x in; do\n' >scripts/good-bash; refuses shell 'scripts/good-bash'

for check in layering format headers exits unit_tests lengths options text shell; do
    rm -rf "$work/tree"/{src,test/unit,scripts,CMakeLists.txt,.clang-format}
    status=0
    run_check "$check" || status=$?
    case $check in
    text) ;; # the lists of the style tests are text too
    *) [ "$status" -ne 0 ] || say "$check accepts a tree with nothing in it" ;;
    esac
done

echo "self_test: $failures failures"
[ "$failures" -eq 0 ]
