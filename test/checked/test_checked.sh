#!/bin/bash
# test_checked.sh -- the regression tests once more with a library that checks itself
# A copy of the tree is built with the assertions of PostgreSQL and with UBSan; the server's log must
# not show a runtime error. Run under test/with-pg, it starts a second server with that library.
set -u
. test/tally.sh

copy=$(mktemp -d "${TMPDIR:-/tmp}/elecbill.XXXXXX")
trap 'rm -rf "$copy"' EXIT
chmod 755 "$copy"
tar -c --exclude=.git --exclude='*.o' --exclude='*.d' --exclude='*.so' --exclude=./test/unit/build . |
	tar -x -C "$copy"

run() {
	cd "$copy" || exit 2
	unset WITH_PG_DIR
	export NO_COLLECTOR=1 SHLIB_LINK=-lubsan
	export PROFILE='-DUSE_ASSERT_CHECKING -fsanitize=undefined -fno-sanitize=alignment'
	# shellcheck disable=SC2016 # expanded by the inner shell
	test/with-pg bash -c 'test/regress; grep -E "runtime error|TRAP" "$WITH_PG_DIR/log" | sort | uniq -c'
}
output=$(run 2>&1)
printf '%s\n' "$output"
said=$(grep -E 'runtime error|TRAP' <<< "$output")
tally_output 0 "$(grep '^regress: ' <<< "$output")"
if [ -n "$said" ]; then
	tally_failed=$((tally_failed + 1))
else
	tally_passed=$((tally_passed + 1))
fi
tally_close checked
