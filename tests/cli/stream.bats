# Lines that leave while the run goes on. No test waits for a moment: a line is read before there is
# anything to read of what comes after it, and the program could wait for that for ever.
load helper

prepare()
{
    npy x.npy '<f4' 2x3 1 -2 0.1 3e5 1e-9 0
    # The first 512 bytes of a pipe are read at once, to see what it is: they are all header.
    "$python" -IS "$here/safetensors.py" make three.safetensors "{\"_\": \"$(printf '%512s')\"}" \
        a F32 2 0000803fcdcccc3d b F32 2 00000040cdcc4c3e c F32 2 00004040cdcccc3e
    mkfifo in out
}

# start [OPTION]... COMMAND...: of ends.py, in the background; its output is on descriptor 7.
start()
{
    "$python" -IS "$here/ends.py" "$@" >out 2>told &
    exec 7<out
}

# To the FIFO behind descriptor 8: three.safetensors up to its first tensor, and then so many bytes.
feed_first()
{
    head -c -16 three.safetensors >&8
}

feed_more()
{
    tail -c 16 three.safetensors | head -c "$1" >&8
}

# begins PREFIX: so does the next line.
begins()
{
    IFS= read -r -t 60 line <&7
    [[ $line = "$1"* ]] || shows "line '$line'"
}

# ended HOW: it did, and this is all there was on standard error.
ended()
{
    wait
    [ "$(<told)" = "$1" ] || shows "told '$(<told)'"
}

@test "the lines of a file are there before the next file is" {
    for threads in 1 2; do
        start "$PRECHECK" x.npy in --to bf16 -j $threads --ndjson
        begins '{"file": "x.npy"'
        printf '%s\n' "$line" >streamed
        cat x.npy >in
        cat <&7 >>streamed
        ended 'exit 0'
        cat x.npy >in &
        "$PRECHECK" x.npy in --to bf16 -q -o ndjson:whole
        cmp streamed whole
    done
}

@test "the rows of a tensor are there before the next tensor is" {
    for threads in 1 2; do
        start "$PRECHECK" in --to bf16 -j $threads --csv
        exec 8>in
        feed_first
        begins file,name,
        printf '%s\n' "$line" >streamed
        begins '"in","a",'
        printf '%s\n' "$line" >>streamed
        feed_more 16
        exec 8>&-
        cat <&7 >>streamed
        ended 'exit 0'
        cat three.safetensors >in &
        "$PRECHECK" in --to bf16 -q -o csv:whole
        cmp streamed whole
    done
}

@test "a closed pipe ends the run at once, whatever the rest would take" {
    for threads in 1 2; do
        for how in default=SIGPIPE ignore; do
            start "--${how%=*}=PIPE" "$PRECHECK" in --to bf16 -j $threads --ndjson
            exec 8>in
            feed_first
            begins '{"file": "in", "name": "a"'
            exec 7<&-
            feed_more 8 # the third tensor never comes
            [ "$how" = ignore ] && ended 'exit 2' || ended "signal SIGPIPE"
            exec 8>&-
        done
    done
    nothing_but in out three.safetensors told x.npy
}

@test "where SIGPIPE is ignored, the run goes on for the sake of other outputs" {
    start --ignore=PIPE "$PRECHECK" in --to bf16 --ndjson -o json:whole -w cast.safetensors
    exec 8>in
    feed_first
    begins '{"file": "in", "name": "a"'
    exec 7<&-
    feed_more 16
    exec 8>&-
    ended 'exit 2'
    [ "$(value 'len(r["tensors"])' <whole)" -eq 3 ]
    [ -e cast.safetensors ]
}

@test "a full device ends the run: status 2 and one message" {
    for words in '--ndjson' '-o csv:/dev/stdout'; do
        # shellcheck disable=SC2086
        "$python" -IS "$here/ends.py" "$PRECHECK" in --to bf16 $words >/dev/full 2>told &
        exec 8>in
        feed_first
        ended "precheck: standard output: No space left on device
exit 2"
        exec 8>&-
    done
    trouble '^precheck: /dev/full: No space left on device$' x.npy -q -o ndjson:/dev/full
}

@test "files appear whole" {
    start "$PRECHECK" in --to bf16 --ndjson -o csv:rows -o ndjson:lines
    exec 8>in
    feed_first
    begins '{"file": "in", "name": "a"'
    printf '%s\n' "$line" >streamed
    nothing_but in out streamed three.safetensors told x.npy
    feed_more 16
    exec 8>&-
    cat <&7 >>streamed
    ended 'exit 0'
    cmp streamed lines
    [ "$(wc -l <rows)" -eq 4 ]
}

@test "an output does not keep one waiting that was named before it" {
    mkfifo later
    (exec "$PRECHECK" x.npy --to bf16 --json -o ndjson:later >out) &
    cat <out >whole
    [ "$(wc -l <later)" -eq 2 ]
    wait $!
    (exec "$PRECHECK" x.npy --to bf16 -o ndjson:later --csv >out) &
    exec 7<out
    [ "$(wc -l <later)" -eq 2 ]
    [ "$(wc -l <&7)" -eq 2 ]
    exec 7<&- # or it would take what the next reader waits for
    wait $!
    (exec "$PRECHECK" x.npy --to bf16 -w - -o ndjson:later >out) &
    cmp - <("$PRECHECK" x.npy --to bf16 -w -) <out
    [ "$(wc -l <later)" -eq 2 ]
    wait $!
}

@test "tensors that cannot be read leave no gap" {
    "$python" -IS - <<'PYTHON'
import struct, zipfile, zlib
def npy(value):
    text = "{'descr': '<f4', 'fortran_order': False, 'shape': (64,), }".ljust(117) + "\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text.encode() + struct.pack("<f", value) * 64
with zipfile.ZipFile("some.npz", "w") as z:
    for i in range(5):
        z.writestr(f"{i}.npy", npy(i + 0.1))
with open("some.npz", "r+b") as f:
    whole = f.read()
    for i in (1, 3): # the checksum does not fit any more
        f.seek(whole.index(struct.pack("<f", i + 0.1)))
        f.write(b"\0")
PYTHON
    for threads in 1 2; do
        precheck some.npz x.npy --to bf16 -j $threads --ndjson
        [ "$status" -eq 2 ]
        one_message "^precheck: some.npz: tensor '1': .*\(and 1 more tensor\)$"
        [ "$(cut -d, -f 1,2 <<<"$output")" = '{"file": "some.npz", "name": "0"
{"file": "some.npz", "name": "2"
{"file": "some.npz", "name": "4"
{"file": "x.npy", "name": ""
{"schema": "precheck/1", "version": "0.1.0"' ] || shows names
        printf '%s\n' "$output" >streamed
        precheck some.npz x.npy --to bf16 -q -o ndjson:whole
        cmp streamed whole
    done
}

@test "many tensors: the same lines from one thread and from several" {
    "$python" -IS - "$here" <<'PYTHON'
import struct, sys
sys.path.insert(0, sys.argv[1])
import safetensors
with open("many.safetensors", "wb") as f:
    f.write(safetensors.pack(None, [(f"t{i}", "F32", [i % 50], struct.pack("<f", i / 7) * (i % 50)) for i in range(2000)]))
PYTHON
    for kind in ndjson csv; do
        "$PRECHECK" many.safetensors --to bf16,e5m2 -q -o $kind:whole -j 1
        for threads in 1 2 7; do
            "$PRECHECK" many.safetensors --to bf16,e5m2 -o $kind -j $threads | cmp - whole
        done
    done
}

# A ratio of processor times, so that no machine is too slow for it.
@test "a report of many tensors takes no longer to print than to work out" {
    if sanitized; then skip "AddressSanitizer makes other things slow"; fi
    "$python" -IS - "$here" <<'PYTHON'
import struct, subprocess, sys, os
sys.path.insert(0, sys.argv[1])
import safetensors
def tensor(i):
    return f"layer.{i}.weight", "F32", [64], struct.pack("<64f", *((k * i % 97 - 48) / 7 for k in range(64)))
with open("many.safetensors", "wb") as f:
    f.write(safetensors.pack(None, [tensor(i) for i in range(2000)]))
def seconds(*words):
    def once():
        before = os.times()
        subprocess.run([os.environ["PRECHECK"], "many.safetensors", "-q", "-j1", *words], check=True)
        after = os.times()
        return after.children_user - before.children_user
    return min(once() for _ in range(5))
work = seconds()
for kind in "json", "ndjson", "csv":
    both = seconds("-o", f"{kind}:report")
    assert both < 2 * work, (kind, work, both)
PYTHON
}
