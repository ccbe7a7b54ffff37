#!/usr/bin/env bats
# What tests/packages does where something cannot be installed. No package is: apt-get and what it
# asks of are stand-ins.

bats_require_minimum_version 1.5.0

setup()
{
    cd "$BATS_TEST_TMPDIR" || return
    mkdir tests fakes
    cp "$BATS_TEST_DIRNAME/../packages" tests/
    PATH=$PWD/fakes:$PATH
    fake sudo '[ "$1" = -n ] && shift; exec "$@"'
    fake dpkg-query 'exit 1'
    fake apt-get 'echo "$*" >>asked; exit 100'
}

fake()
{
    printf '#!/bin/sh\n%s\n' "$2" >"fakes/$1"
    chmod +x "fakes/$1"
}

@test "what is optional and cannot be had is named, and asked for once" {
    run -0 tests/packages --optional validators
    [[ $output = *"jq cannot be had here: tests that want it are skipped"* ]]
    grep -q 'install .* zsh$' asked
    rm asked
    run -0 tests/packages --optional validators
    [ -z "$output" ]
    [ ! -e asked ]
}

@test "one optional package that is not to be had leaves the others" {
    fake apt-get 'echo "$*" >>asked; case $* in *" fish") exit 100 ;; esac'
    run -0 tests/packages --optional validators
    [[ $output = *"fish cannot be had"* && $output != *"zsh cannot be had"* ]]
    grep -q 'install .* python3-yaml$' asked
}

@test "what is needed and cannot be had is a failure" {
    run ! tests/packages build test
    grep -q 'update' asked
}
