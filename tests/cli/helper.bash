# What the test files share: bats --tap tests/cli/NAME.bats, with the program in PRECHECK.
# shellcheck shell=bash disable=SC2015,SC2034
#
# One assertion a line: where `a && b` fails in a, the test goes on.

bats_require_minimum_version 1.5.0

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
data=$root/data
PRECHECK=${PRECHECK:-$root/build/precheck}
[[ $PRECHECK = /* ]] || PRECHECK=$PWD/$PRECHECK
export PRECHECK
PATH=$root/build/tools:$PATH # see tests/packages

# Whatever the user's own settings are; a pipe closes with SIGPIPE unless a test says otherwise.
export LC_ALL=C.UTF-8
unset PRECHECK_ISA NO_COLOR COLUMNS

# The interpreter itself, once a file: python3 may be a script that looks for it at length each time.
setup_file()
{
    python=$(python3 -c 'import sys; print(sys.executable)')
    export python
}

setup()
{
    mkdir "$BATS_TEST_TMPDIR/here" # bats keeps files of its own in the folder above
    cd "$BATS_TEST_TMPDIR/here" || return
    if declare -F prepare >/dev/null; then prepare; fi
}

# needs PROGRAM...: else the test is skipped by name.
needs()
{
    local program
    for program; do command -v "$program" >/dev/null || skip "$program is not installed"; done
}

# precheck ARGUMENT...: $status, $output and $stderr. (`run` does as much, in ten times the time.)
precheck()
{
    status=0
    output=$("$PRECHECK" "$@" 2>"$BATS_TEST_TMPDIR/messages") || status=$?
    stderr=$(<"$BATS_TEST_TMPDIR/messages")
}

# shows WHAT: why a test stops. Bats prints it only for a test that failed.
shows()
{
    echo "$1: status $status, output '${output:0:400}', messages '${stderr:0:400}'"
    return 1
}

# passes ARGUMENT...: status 0 and not a word on standard error.
passes()
{
    precheck "$@"
    [ "$status" -eq 0 ] && [ -z "$stderr" ] || shows "precheck $*"
}

# trouble PATTERN ARGUMENT...: status 2, nothing on standard output and one message, which has the
# extended regular expression in it. $stderr has lost the last newline, so there must be no other.
trouble()
{
    local pattern=$1
    shift
    precheck "$@"
    [ "$status" -eq 2 ] && [ -z "$output" ] && one_message "$pattern" || shows "precheck $*"
}

one_message()
{
    [[ $stderr = "precheck: "* && $stderr != *$'\n'* && $stderr =~ $1 ]]
}

# has PATTERN, lacks PATTERN: about the lines of $output.
has()
{
    grep -qE -- "$1" <<<"$output" || shows "no line has $1"
}

lacks()
{
    if grep -nE -m3 -- "$1" <<<"$output"; then shows "a line has $1"; fi
}

# value EXPRESSION: of Python, about the report r, which comes in on standard input.
value()
{
    "$python" -IS -c 'import json, sys; r = json.load(sys.stdin); print(eval(sys.argv[1]))' "$1"
}

# is EXPRESSION EXPECTED: about the report in $output.
is()
{
    local got
    got=$(value "$1" <<<"$output")
    [ "$got" = "$2" ] || shows "$1 is $got, not $2"
}

# npy FILE DESCR SHAPE VALUE...: see npy.py.
npy()
{
    "$python" -IS "$here/npy.py" make "$@"
}

# floats VALUE...: f32le bytes on standard output.
floats()
{
    "$python" -IS -c 'import struct, sys
sys.stdout.buffer.write(b"".join(struct.pack("<f", float(v)) for v in sys.argv[1:]))' "$@"
}

# AddressSanitizer needs memory of its own: limits on it tell nothing then.
sanitized()
{
    grep -q __asan_init "$PRECHECK"
}

# nothing_but FILE...: the folder holds these and no more, no temporary file for one.
nothing_but()
{
    diff <(printf '%s\n' "$@" | LC_ALL=C sort) <(find . -mindepth 1 -printf '%P\n' | LC_ALL=C sort)
}
