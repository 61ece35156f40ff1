# shellcheck shell=bash
# tally.sh -- counting what passed; sourced by the test runners
# Every test program ends with a line "NAME: N passed, N failed" or "..., N failed, N skipped".

tally_passed=0
tally_failed=0
tally_skipped=0

# ok WHAT STATUS [DETAIL]: one check; STATUS 0 is passed, else DETAIL is shown
ok() {
	if [ "$2" -eq 0 ]; then
		tally_passed=$((tally_passed + 1))
	else
		tally_failed=$((tally_failed + 1))
		echo "not ok: $1"
		[ -z "${3:-}" ] || printf '%s\n' "$3" | tail -n 100
	fi
}

# tally_output STATUS OUTPUT: adds the sum in the last line of OUTPUT that has one. A program that
# failed without a failed check, or said no sum, counts as one failure, and this returns 1.
tally_output() {
	local line
	line=$(printf '%s\n' "$2" | grep -aE '^[^:]+: [0-9]+ passed, [0-9]+ failed' | tail -n 1)
	if ! [[ $line =~ :\ ([0-9]+)\ passed,\ ([0-9]+)\ failed(,\ ([0-9]+)\ skipped)? ]]; then
		tally_failed=$((tally_failed + 1))
		return 1
	fi
	tally_passed=$((tally_passed + BASH_REMATCH[1]))
	tally_failed=$((tally_failed + BASH_REMATCH[2]))
	tally_skipped=$((tally_skipped + ${BASH_REMATCH[4]:-0}))
	if [ "$1" -ne 0 ] && [ "${BASH_REMATCH[2]}" -eq 0 ]; then
		tally_failed=$((tally_failed + 1))
		return 1
	fi
}

# tally_close NAME: prints the sum; status 1 when something failed or nothing was tested at all.
tally_close() {
	echo "$1: $tally_passed passed, $tally_failed failed, $tally_skipped skipped"
	[ "$tally_failed" -eq 0 ] && [ $((tally_passed + tally_skipped)) -gt 0 ]
}
