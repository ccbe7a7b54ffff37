# Memory is bounded whatever the size of a tensor, and a file that changes under us is an error.
load helper

limit=65536 # KiB

# peak_of COMMAND...: in KiB
peak_of()
{
    /usr/bin/time -q -f %M -o "$BATS_TEST_TMPDIR/peak" "$@"
    cat "$BATS_TEST_TMPDIR/peak"
}

# 300 MB of float32: mostly a hole, with real numbers at both ends and in the middle.
make_large()
{
    local some=$data/sphinx-variances.bin
    truncate -s 300000000 large.raw
    for place in 0 150000000 299160000; do
        dd if="$some" of=large.raw bs=4K seek=$place oflag=seek_bytes conv=notrunc status=none
    done
}

@test "300 MB from a file and from a pipe take less than 64 MiB, and give one report" {
    if sanitized; then skip "AddressSanitizer needs memory of its own"; fi
    make_large
    [ "$(peak_of "$PRECHECK" -q -j 8 --raw f32 --to bf16,e4m3fn -o json:file.json - <large.raw)" -lt $limit ]
    [ "$(cat large.raw | peak_of "$PRECHECK" -q -j 8 --raw f32 --to bf16,e4m3fn -o json:pipe.json -)" -lt $limit ]
    cmp file.json pipe.json
    [ "$(value 'r["total"][0]["error"]["count"] + r["total"][0]["nan"] + r["total"][0]["inf"]' <file.json)" -le 75000000 ]
    [ "$(value 'r["tensors"][0]["elements"]' <file.json)" -eq 75000000 ]
}

@test "writing 300 MB takes no more" {
    if sanitized; then skip "AddressSanitizer needs memory of its own"; fi
    make_large
    [ "$(peak_of "$PRECHECK" -q -j 8 --raw f32 --to e4m3fn -w y.npy large.raw)" -lt $limit ]
    [ "$(stat -c %s y.npy)" -eq 75000128 ]
    [ "$(peak_of "$PRECHECK" -q -j 8 --raw f32 --to e4m3fn -w /dev/null large.raw)" -lt $limit ]
}

@test "the most threads take less than 64 MiB" {
    if sanitized; then skip "AddressSanitizer needs memory of its own"; fi
    truncate -s 100000000 large.raw
    [ "$(peak_of "$PRECHECK" -q -j 128 --raw f32 large.raw)" -lt $limit ]
}

@test "a tensor of --list takes less than 320 bytes" {
    if sanitized; then skip "AddressSanitizer needs memory of its own"; fi
    for count in 1 50000; do
        "$python" -IS "$here/checkpoint.py" many $count.safetensors $count
    done
    local least most
    least=$(peak_of "$PRECHECK" -q --list 1.safetensors)
    most=$(peak_of "$PRECHECK" -q --list 50000.safetensors)
    [ $(((most - least) * 1024 / 50000)) -lt 320 ]
}

@test "a claim of a petabyte costs nothing" {
    local huge=$root/tests/corpus/npy/bad-data-huge.npy
    trouble '^precheck: .*: truncated data: 1125899906842624 bytes expected' "$huge"
    trouble '^precheck: standard input: truncated' - < <(cat "$huge")
    if sanitized; then return; fi
    [ "$(peak_of "$PRECHECK" "$huge" 2>/dev/null || true)" -lt $limit ]
    [ "$(cat "$huge" | peak_of "$PRECHECK" - 2>/dev/null || true)" -lt $limit ]
}

# What changes a file while it is read: the program waits in the midst of it, for a reader of the FIFO that
# its own output goes to.
change_while_read()
{
    truncate -s 8M x.raw
    mkfifo out.raw
    "$python" -IS "$here/ends.py" "$PRECHECK" x.raw --json --raw f32 --to bf16 -w out.raw 2>told >out &
    exec 7<out.raw
    head -c 1000 <&7 >/dev/null
}

@test "a file that shrinks while it is read: status 2, no crash" {
    for size in 0 500000 8388604; do
        change_while_read
        truncate -s $size x.raw
        cat <&7 >/dev/null
        exec 7<&-
        wait
        [ "$(tail -n 1 told)" = 'exit 2' ]
        stderr=$(sed '$d' told)
        one_message '^precheck: x.raw: the file (shrank|changed|became shorter) while it was (being )?read$'
        rm x.raw out.raw
    done
}

@test "a file that grows or is written to while it is read: status 2" {
    for command in 'truncate -s +4 x.raw' 'dd if=/dev/zero of=x.raw bs=4 count=1 conv=notrunc status=none'; do
        change_while_read
        sleep 0.02 # for the clock of the file system to tick
        $command
        cat <&7 >/dev/null
        exec 7<&-
        wait
        [ "$(tail -n 1 told)" = 'exit 2' ]
        stderr=$(sed '$d' told)
        one_message '^precheck: x.raw: the file changed while it was being read$'
        rm x.raw out.raw
    done
}

@test "a file that is cut again and again while several threads read it ends with 0 or 2" {
    for _ in 1 2 3; do
        truncate -s 200M x.raw
        "$python" -IS "$here/ends.py" "$PRECHECK" x.raw -q -j 4 --raw f32 --to bf16 2>told &
        for _ in $(seq 20); do
            truncate -s 1M x.raw
            truncate -s 200M x.raw
        done
        wait
        grep -qE '^exit [02]$' told
    done
}
