#!/usr/bin/env bats
# The README shows what the program prints.

load helper

@test "the run in the README is a real one" {
    cd "$BATS_TEST_DIRNAME/../.."
    run awk '/^```$/ { inside = !inside; next } inside && !/^\$ /' README.md
    [ "$status" -eq 0 ]
    shown=$output
    printed=$("$PRECHECK" data/digits-exp_avg_sq.npy --to bf16,fp16)
    [ -n "$shown" ]
    [ "${printed#"$shown"}" != "$printed" ]
}
