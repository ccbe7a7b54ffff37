#!/usr/bin/env bats
# The README shows what the program prints.

load helper

@test "the runs in the README are real ones" {
    local block=0 shown printed commands
    cp -r "$data" .
    mkdir bin
    ln -s "$PRECHECK" bin/precheck
    # Each fenced block: commands behind "$ ", and how what they print begins.
    awk '/^```$/ { inside = !inside; block += inside; next } inside { print > ("block." block) }' "$root/README.md"
    while [ -f block.$((block + 1)) ]; do
        block=$((block + 1))
        commands=$(sed -n 's/^\$ //p' block.$block)
        shown=$(grep -v '^\$ ' block.$block)
        printed=$(PATH=$PWD/bin:$PATH bash -c "$commands" 2>&1) || true
        [ -n "$shown" ]
        [ "${printed#"$shown"}" != "$printed" ] || diff <(echo "$shown") <(echo "$printed")
    done
    [ "$block" -ge 2 ]
}
