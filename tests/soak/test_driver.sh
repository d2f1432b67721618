#!/usr/bin/env bash
# The pieces of soak that need no server: above all what it calls flat.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/../clients/lib.sh"

need python3

TESTS=$(dirname "$0")/test_driver.py

for class in Percentiles Thirds Flatness Latencies Contents LogLines Gates; do
	check "$class" bounded python3 "$TESTS" "$class"
done
finish
