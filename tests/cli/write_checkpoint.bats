# --write of all tensors as .safetensors, and --keep.
load helper

# make FILE METADATA [NAME DTYPE SHAPE HEX]..., shown FILE, cut FILE NAME: see safetensors.py.
make()
{
    "$python" -IS "$here/safetensors.py" make "$@"
}

shown()
{
    "$python" -IS "$here/safetensors.py" show "$1"
}

# shows_as FILE, and on standard input what is expected of it.
shows_as()
{
    diff - <(shown "$1")
}

# 1, -2, 0.1, 3e5 and 1e-9 as float32.
floats4=0000803f000000c0cdcccc3d807c92485f708930

prepare()
{
    make m.safetensors '{"format":"pt"}' w F32 5 $floats4 b F32 1 00000040 n I64 - 0700000000000000
}

@test "every tensor is cast, the others are copied, and metadata says how it came about" {
    passes m.safetensors -q --to bf16 -w out.safetensors
    shows_as out.safetensors <<'END'
{"format": "pt", "precheck.to": "bf16", "precheck.round": "nearest-even", "precheck.overflow": "inf", "precheck.source": "m.safetensors"}
n I64 [] 0700000000000000
w BF16 [5] 803f00c0cd3d92488930
b BF16 [1] 0040
END
    nothing_but m.safetensors out.safetensors
    passes out.safetensors --json --to bf16
    is 'r["total"][0]["exact"], [s["name"] for s in r["skipped"]]' "(6, ['n'])"
}

@test "each format that .safetensors has, bit for bit as a .npy of it; the others are refused at once" {
    for pair in fp16:F16 bf16:BF16 e4m3fn:F8_E4M3 e5m2:F8_E5M2 e4m3fnuz:F8_E4M3FNUZ e5m2fnuz:F8_E5M2FNUZ fp32:F32; do
        for how in '' '--overflow saturate --round toward-zero' '--scale 2^-3' '--scale amax' '--round up'; do
            # shellcheck disable=SC2086
            passes m.safetensors -q --to "${pair%:*}" $how -w out.safetensors
            "$python" -IS "$here/safetensors.py" cut m.safetensors w >w.raw
            # shellcheck disable=SC2086
            passes w.raw -q --raw f32 --to "${pair%:*}" $how -w right.bin
            "$python" -IS "$here/safetensors.py" cut out.safetensors w >w.bin
            cmp right.bin w.bin
            shown out.safetensors | grep -q "^w ${pair#*:} \[5\]"
        done
    done
    rm out.safetensors
    for format in tf32 e2m1 e3m4 e4m3b11fnuz e6m9; do
        trouble "^precheck: out.safetensors: .safetensors has no $format; it has fp16, bf16, e4m3fn, e5m2, e4m3fnuz, e5m2fnuz, fp32\$" \
            m.safetensors --to $format -w out.safetensors
    done
    trouble 'exactly one format' m.safetensors --to fp16,bf16 -w out.safetensors
    nothing_but m.safetensors w.raw right.bin w.bin
}

@test "how it was cast: rounding with its seed, overflow, the scale of all or of each" {
    passes m.safetensors -q --to e4m3fn --round stochastic:7 --overflow saturate --scale 2^4 -w out.safetensors
    shown out.safetensors | grep -q '"precheck.to": "e4m3fn", "precheck.round": "stochastic:7", "precheck.overflow": "saturate", "precheck.source": "m.safetensors", "precheck.scale": "2^4"}'
    passes m.safetensors -q --to e4m3fn --scale amax -w out.safetensors
    shown out.safetensors | grep -q '"precheck.scale": "amax", "precheck.scale.w": "2^-10", "precheck.scale.b": "2^7"}'
}

@test "cast again, the later cast is told; but not a scale on top of another" {
    passes m.safetensors -q --to fp32 -w once.safetensors
    passes once.safetensors -q --to fp16 -w twice.safetensors
    shown twice.safetensors | head -1 | grep -qF '{"format": "pt", "precheck.to": "fp16", "precheck.round": "nearest-even", "precheck.overflow": "inf", "precheck.source": "once.safetensors"}'
    passes m.safetensors -q --to fp32 --scale 2^2 -w once.safetensors
    passes once.safetensors -q --to fp16 -w twice.safetensors
    shown twice.safetensors | head -1 | grep -qF '{"format": "pt", "precheck.scale": "2^2", "precheck.to": "fp16"'
    rm twice.safetensors
    precheck once.safetensors -q --to fp16 --scale 2^2 -w twice.safetensors
    [ "$status" -eq 2 ]
    one_message 'twice.safetensors: its tensors have a scale already'
    nothing_but m.safetensors once.safetensors
}

@test "metadata with every kind of escape, and none" {
    make m.safetensors '{"a\"b\\":"\u0000,\"precheck.to\":","precheck.to":"x","é":"{}"}' w F16 1 003c
    passes m.safetensors -q --to fp16 -w out.safetensors
    shown out.safetensors | head -1 | grep -qF '{"a\"b\\": "\u0000,\"precheck.to\":", "\u00e9": "{}", "precheck.to": "fp16"'
    make m.safetensors '{}' w F16 1 003c
    passes m.safetensors -q --to fp16 -w out.safetensors
    shown out.safetensors | head -1 | grep -qF '{"precheck.to": "fp16"'
}

@test "--keep copies what it names as it is, and reports it as skipped" {
    passes m.safetensors --json --to fp16 --keep 'b*' --keep n -w out.safetensors
    is '[t["name"] for t in r["tensors"]], [(s["name"], s["dtype"], s["reason"]) for s in r["skipped"]]' \
        "(['w'], [('n', 'i64', 'not floating point'), ('b', 'f32', 'kept')])"
    shows_as out.safetensors <<'END'
{"format": "pt", "precheck.to": "fp16", "precheck.round": "nearest-even", "precheck.overflow": "inf", "precheck.source": "m.safetensors"}
n I64 [] 0700000000000000
b F32 [1] 00000040
w F16 [5] 003c00c0662e007c0000
END
    passes m.safetensors --json --to fp16 --keep b
    is '[t["name"] for t in r["tensors"]]' "['w']"
    precheck m.safetensors -q --to fp16 --keep w --keep 'layer.*' -w none.safetensors
    [ "$status" -eq 2 ]
    one_message "^precheck: --keep 'layer.\*' matches no tensor\$"
    trouble '^precheck: m.safetensors: no floating-point tensor' m.safetensors --to fp16 --keep '*' -w none.safetensors
    trouble '^precheck: --keep: ' m.safetensors --to fp16 --keep '[a' -w none.safetensors
    nothing_but m.safetensors out.safetensors
}

@test "every type that is copied: the bytes are the same, complex numbers and packed ones too" {
    make m.safetensors '' a F4 2x3 123456 b C64 2 000102030405060708090a0b0c0d0e0f c BOOL 2 0001 d F64 1 0011223344556677 \
        e F8_E8M0 1 7f f F8_E5M2 3 010203 g U16 0x3 '' h BF16 1 803f i I8 1 ff j F8_E4M3FNUZ 1 40
    passes m.safetensors -q --to fp16 --keep '[!h]' -w out.safetensors
    shown out.safetensors | tail -n +2 | sort >got
    "$python" -IS - "$here" >right <<'END'
import sys
sys.path.insert(0, sys.argv[1])
import struct, json
whole = open("m.safetensors", "rb").read()
n = struct.unpack("<Q", whole[:8])[0]
for name, e in sorted(json.loads(whole[8:8 + n]).items()):
    b, t = e["data_offsets"]
    print(name, e["dtype"], e["shape"], whole[8 + n + b:8 + n + t].hex()) if name != "h" else print("h F16 [1] 003c")
END
    diff right got
}

@test ".npy: the tensor is called as the file, and lies in C order" {
    npy x.y.npy '>f4' 2x3 1 2 3 4 5 6
    passes x.y.npy -q --to e5m2 -w out.safetensors
    shown out.safetensors | grep -qx 'x.y F8_E5M2 \[2, 3\] 3c4042444546'
    npy x.y.npy '<f8' f:2x3 1 4 2 5 3 6
    passes x.y.npy -q --to e5m2 -w out.safetensors
    shown out.safetensors | grep -qx 'x.y F8_E5M2 \[2, 3\] 3c4042444546'
    npy c.npy '<c8' f:2x2 1 2 3 4 5 6 7 8
    passes c.npy -q --to e5m2 -w out.safetensors
    shown out.safetensors | grep -qx 'c F8_E5M2 \[2, 2, 2\] 3c40454642444748'
    floats 1 2 >x.raw
    passes - -q --raw f32:2 --to fp16 -w out.safetensors < <(cat x.raw)
    shown out.safetensors | grep -qx 'stdin F16 \[2\] 003c0040'
    rm out.safetensors
    precheck - -q --raw f32 --to fp16 -w out.safetensors < <(cat x.raw)
    [ "$status" -eq 2 ]
    one_message 'the header comes first and needs the shape: give it in --raw$'
    nothing_but m.safetensors x.y.npy c.npy x.raw
}

@test "big-endian and Fortran-ordered data are turned, of tensors that are kept and of integers too" {
    mkdir in
    npy in/a.npy '>f4' f:2x2 1 2 3 4
    npy in/i.npy '>i2' f:2x2 1 2 3 4
    npy in/x.npy '<f4' 1 1
    npy in/k.npy '>f4' 2 1 2
    passes in -q --to fp16 -w out/
    shown out/a.safetensors | grep -qx 'a F16 \[2, 2\] 003c004200400044'
    shown out/i.safetensors | grep -qx 'i I16 \[2, 2\] 0100030002000400'
    passes in/k.npy in/x.npy -q --to fp16 --keep '' -w out2/ || true
    [ "$status" -eq 2 ] # both have the empty name: nothing is left to cast
    [ ! -e out2 ]
}

# expanded TYPE AXES: how the elements 0, 1, ..., 250, 0, ... of the storage lie in C order; see checkpoint.py.
expanded()
{
    "$python" -IS - "$@" <<'END'
import itertools, math, struct, sys
letter, axes = sys.argv[1:]
axes = [(int(a.lstrip("*")), a.startswith("*")) for a in axes.split("x")]
once = [1 if repeated else n for n, repeated in axes]
steps = [0 if repeated else math.prod(once[i + 1:]) for i, (_, repeated) in enumerate(axes)]
where = (sum(map(int.__mul__, index, steps)) for index in itertools.product(*(range(n) for n, _ in axes)))
sys.stdout.buffer.write(b"".join(struct.pack("<" + letter, at % 251) for at in where))
END
}

@test "an axis of stride 0 is written out, wherever it is, of tensors that are cast and copied" {
    local values
    values=$(seq -s, 0 250)
    for axes in '*7' '*1x2x*3' '3x*4' '*4x3' '2x*3x2' '*2x3x*2x*2x2x*3' '2x*1x3' '*70000' '70000x*2' '*2x70000' '30x*50x60' '*30000x5'; do
        "$python" -IS "$here/checkpoint.py" make x.pt "w=f32:$axes:$values" "k=i64:$axes:$values" b=f32:2:1,2
        for threads in 1 3; do
            passes x.pt -q --to fp32 -j $threads -w out.safetensors
            "$python" -IS "$here/safetensors.py" cut out.safetensors w | cmp - <(expanded f "$axes")
            "$python" -IS "$here/safetensors.py" cut out.safetensors k | cmp - <(expanded q "$axes")
        done
        shown out.safetensors | grep -q "^w F32 \[$(tr -d '*' <<<"${axes//x/, }")\] "
        passes out.safetensors -q --to bf16
    done
    passes "$root"/tests/corpus/torch/good-expanded-all.pt -q --to bf16 -w out.safetensors
}

@test "a stride of 0 that stands for more than the file justifies is refused by name, and may be left out" {
    "$python" -IS "$here/checkpoint.py" make x.pt 'w=f32:*1000000000000x*1000:1' 'k=i64:*1000000000000:1' b=f32:2:1,2
    for format in bf16 fp32; do
        trouble "^precheck: x.pt: tensor 'w': a stride of 0 repeats its elements to [24]000000000000000 bytes, out of proportion to the file: leave it out with --exclude\$" \
            x.pt -q --to $format -w out.safetensors
    done
    precheck x.pt -q --to bf16 --exclude w -w out.safetensors
    [ "$status" -eq 0 ]
    one_message "^precheck: x.pt: 'k' \(i64, not floating point\) is not written\$"
    shows_as out.safetensors <<'END'
{"format": "pt", "precheck.to": "bf16", "precheck.round": "nearest-even", "precheck.overflow": "inf", "precheck.source": "x.pt"}
b BF16 [2] 803f0040
END
    # Together they count, and what was measured is measured all the same.
    "$python" -IS "$here/checkpoint.py" make x.pt 'v=f32:*6000000:1' 'w=f32:*6000000:1' b=f32:2:1,2
    trouble "tensor '[vw]': a stride of 0 repeats its elements to 12000000 bytes" x.pt -q --to bf16 -w out.safetensors
    passes x.pt -q --to bf16
    passes x.pt -q --to bf16 --exclude w -w out.safetensors
    [ "$(stat -c %s out.safetensors)" -gt 12000000 ]
}

@test "a large Fortran-ordered tensor, by several threads" {
    "$python" -c '
import sys, struct, random
sys.path.insert(0, sys.argv[1])
import npy
rng = random.Random(5)
rows, columns = 700, 1500
values = [rng.randrange(1 << 15) for _ in range(rows * columns)]
with open("f.npy", "wb") as f:
    f.write(npy.header("<f2", True, (rows, columns)) + struct.pack(f"<{len(values)}H", *values))
with open("right", "wb") as f:
    f.write(b"".join(struct.pack("<H", values[c * rows + r]) for r in range(rows) for c in range(columns)))
' "$here"
    for threads in 1 4; do
        passes f.npy -q --to fp16 -j $threads -w out.safetensors
        "$python" -IS "$here/safetensors.py" cut out.safetensors f | "$python" -c '
import sys, struct
got = struct.unpack("<1050000H", sys.stdin.buffer.read())
right = struct.unpack("<1050000H", open("right", "rb").read())
assert all(g == r or (r & 0x7fff > 0x7c00 and g == 0x7e00) for g, r in zip(got, right))'
    done
}

@test "from a pipe as from a file, what is copied too" {
    make m.safetensors '' a I64 1 0100000000000000 b F32 2 0000803f00000040 c U8 3 010203 d F32 1 00004040 e F32 1 00008040 z I8 1 05
    passes m.safetensors -q --to fp16 --keep d -w right.safetensors
    passes - -q --to fp16 --keep d -w out.safetensors < <(cat m.safetensors)
    diff <(shown right.safetensors | tail -n +2) <(shown out.safetensors | tail -n +2)
}

@test "the same bytes whatever the threads, and many tensors" {
    "$python" -c '
import sys, random
sys.path.insert(0, sys.argv[1])
import safetensors
rng = random.Random(3)
tensors = [(f"t.{i}", *rng.choice([("F32", 4), ("BF16", 2), ("I64", 8), ("F8_E4M3", 1)])) for i in range(3000)]
sizes = [rng.choice([0, 1, 5, 300]) for _ in tensors]
sizes[7] = 300000
open("many.safetensors", "wb").write(safetensors.pack({}, [(n, d, [s], rng.randbytes(s * w)) for (n, d, w), s in zip(tensors, sizes)]))' "$here"
    for round in nearest-even stochastic:3; do
        passes many.safetensors -q --to e5m2 --round $round -j 1 --isa scalar -w right.safetensors
        shown right.safetensors >/dev/null
        for words in '-j 7' '-j 2 --isa scalar'; do
            # shellcheck disable=SC2086
            passes many.safetensors -q --to e5m2 --round $round $words -w out.safetensors
            cmp right.safetensors out.safetensors
        done
    done
}

shards()
{
    mkdir in
    make in/model-00001-of-00002.safetensors '{"format":"pt"}' w F32 5 $floats4 n I64 - 0700000000000000
    make in/model-00002-of-00002.safetensors '{"format":"pt"}' b F32 1 00000040
    echo '{"metadata":{"total_size":32},"weight_map":{"w":"model-00001-of-00002.safetensors","n":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"}}' \
        >in/model.safetensors.index.json
}

@test "shards in, shards and index out; a directory that is there or not" {
    shards
    mkdir there
    for input in in in/model.safetensors.index.json; do
        for folder in there new/; do
            passes $input -q --to bf16 -w $folder
            shown $folder/model-00001-of-00002.safetensors | tail -n +2 >got
            diff - got <<'END'
n I64 [] 0700000000000000
w BF16 [5] 803f00c0cd3d92488930
END
            shown $folder/model-00002-of-00002.safetensors | tail -n +2 >got
            echo 'b BF16 [1] 0040' | diff - got
            "$python" -IS "$here/safetensors.py" index $folder/model.safetensors.index.json >got
            diff - got <<'END'
20
b model-00002-of-00002.safetensors
n model-00001-of-00002.safetensors
w model-00001-of-00002.safetensors
END
            [ "$(find $folder -type f | wc -l)" -eq 3 ]
        done
        passes new --json --to bf16
        is 'r["total"][0]["exact"]' 6
        rm -r new
    done
}

@test "several files do not go into one, names must differ, and nothing is left of what fails" {
    shards
    trouble '^precheck: out.safetensors: several files do not go into one: name a directory, with a slash at its end$' \
        in --to bf16 -w out.safetensors
    mkdir -p other
    make other/x.safetensors '' w F32 1 00000040
    # Before an element is read: not even the report is there.
    trouble "^precheck: new/: tensor 'w': it is in two files, model-00001-of-00002.safetensors and x.safetensors\$" \
        in other/x.safetensors --json --to bf16 -w new/
    [ ! -e new ]
    make other/n.safetensors '' n I64 - 0800000000000000 v F32 1 00000040
    trouble "^precheck: new/: tensor 'n': it is in two files, " in other/n.safetensors --to bf16 -w new/
    passes in other/n.safetensors -q --to bf16 --exclude n -w fine/
    # What comes through a pipe shows only later.
    precheck in - -q --to bf16 -w new/ < <(cat other/x.safetensors)
    [ "$status" -eq 2 ]
    one_message "^precheck: new/: tensor 'w': it is in two files, model-00001-of-00002.safetensors and stdin.safetensors\$"
    cp other/x.safetensors other/model-00001-of-00002.safetensors
    trouble '^precheck: new/: two inputs would be written to new/model-00001-of-00002.safetensors$' \
        in other/model-00001-of-00002.safetensors --to bf16 -w new/
    truncate -s -1 in/model-00002-of-00002.safetensors
    precheck in -q --to bf16 -w new/
    [ "$status" -eq 2 ]
    [ ! -e new ]
    trouble '^precheck: a/b/: cannot be made: No such file or directory$' m.safetensors --to bf16 -w a/b/
    [ "$(find . -name '*.??????' | wc -l)" -eq 0 ]
}

@test "after a file that fails half-way the next one is written from the start, to no avail" {
    # As many tensors as make room for none of the next file's.
    # shellcheck disable=SC2046
    make many.safetensors '' $(for i in {1..40}; do echo "t$i F32 1 00000040"; done)
    make updates.safetensors '' w F32 5 $floats4 b F32 1 00000040
    precheck many.safetensors m.safetensors --json --to bf16 -w out/ --update updates.safetensors
    [ "$status" -eq 2 ]
    one_message '^precheck: many.safetensors: tensor .t1.: --update: .* has no floating-point tensor for this one \(and 39 more tensors\)$'
    is '[t["name"] for t in r["tensors"]]' "['w', 'b']"
    [ ! -e out ]
}

@test "an input is not overwritten, nor one output by another" {
    shards
    trouble 'in/model-00001-of-00002.safetensors: is an input: it would be overwritten$' in --to bf16 -w in
    trouble 'in//model.safetensors.index.json: is an input|in/model.safetensors.index.json: is an input' \
        in/model.safetensors.index.json m.safetensors --to bf16 -o json:in/model.safetensors.index.json
    mkdir links
    ln in/model-00002-of-00002.safetensors links/model-00001-of-00002.safetensors
    trouble 'links/model-00001-of-00002.safetensors: is an input' in --to bf16 -w links
    trouble 'm.safetensors: is an input' m.safetensors --to bf16 -w m.safetensors
    mkdir new
    trouble 'new/model.safetensors.index.json: is named for two outputs$' in --to bf16 -w new \
        -o json:new/model.safetensors.index.json
    rmdir new
}

@test "an older file stays until the new one is whole" {
    shards
    echo old >out.safetensors
    mkdir out
    echo old >out/model.safetensors.index.json
    make bad.safetensors '' w F32 2 0000004000000040
    truncate -s -4 bad.safetensors
    precheck bad.safetensors -q --to bf16 -w out.safetensors
    [ "$status" -eq 2 ]
    precheck bad.safetensors in -q --to bf16 -w out
    [ "$status" -eq 2 ]
    [ "$(cat out.safetensors out/*)" = "$(printf 'old\nold')" ]
    passes in -q --to bf16 -w out
    [ "$(find out -type f | wc -l)" -eq 3 ]
    "$python" -IS "$here/safetensors.py" index out/model.safetensors.index.json >/dev/null
}

@test "pipes and devices are refused: tensors are not written in order" {
    ln -s /dev/full full.safetensors
    ln -s /dev/null null.safetensors
    for name in full null; do
        precheck m.safetensors -q --to bf16 -w $name.safetensors
        [ "$status" -eq 2 ]
        one_message "$name.safetensors: is no regular file: tensors are not written in order\$"
    done
}

@test "where there is no room, nothing is left" {
    shards
    make big.safetensors '' big F32 10000 "$(printf '%080000d' 0)"
    for command in "big.safetensors -q --to fp32 -w out.safetensors" "in big.safetensors -q --to fp32 -w new/"; do
        status=0
        # shellcheck disable=SC2086
        stderr=$( (trap '' XFSZ; ulimit -f 16; "$PRECHECK" $command) 2>&1) || status=$?
        [ "$status" -eq 2 ]
        one_message ': File too large$'
        status=0
        # shellcheck disable=SC2086
        (ulimit -c 0 -f 16; exec "$PRECHECK" $command) 2>/dev/null || status=$?
        [ "$status" -eq 153 ] # SIGXFSZ
        [ ! -e out.safetensors ]
        [ ! -e new ]
    done
    [ "$(find . -name '*.??????' | wc -l)" -eq 0 ]
}

@test "a signal leaves nothing behind, neither files nor the directory" {
    shards
    mkfifo pipe
    "$PRECHECK" in pipe -q --to bf16 -w new/ 2>messages &
    pid=$!
    exec 7>pipe # it is open once the first shards were written
    for _ in $(seq 100); do
        [ "$(find new -name 'model-*' 2>/dev/null | wc -l)" -eq 2 ] && break
        sleep 0.05
    done
    [ "$(find new -name 'model-*' | wc -l)" -eq 2 ]
    kill -TERM $pid
    status=0
    wait $pid || status=$?
    exec 7>&-
    [ "$status" -eq 143 ]
    [ ! -e new ]
}

@test "more files than a process may have open" {
    mkdir in
    for i in $(seq 80); do
        printf 'w%d F32 1 00000040\n' "$i"
    done | while read -r name dtype shape hex; do
        make "in/$name.safetensors" '' "$name" "$dtype" "$shape" "$hex"
    done
    (ulimit -n 20; passes in -q --to bf16 -w out/)
    [ "$(find out -type f | wc -l)" -eq 81 ]
    "$python" -IS "$here/safetensors.py" index out/model.safetensors.index.json >/dev/null
}

@test "what cannot be carried over is told once" {
    npy d.npy '|S3' 2 0x616263
    mkdir in
    npy in/x.npy '<f4' 1 1
    cp d.npy in/
    precheck in -q --to bf16 -w out/
    [ "$status" -eq 0 ]
    one_message "in/d.npy: 'd' \(\|S3, not floating point\) is not written\$"
}

@test "an axis of components that is one too many is refused, and copied as a complex number it is none" {
    precheck "$root"/tests/corpus/npy/good-rank-64-complex.npy -q --to fp16 -w out.safetensors
    [ "$status" -eq 2 ]
    one_message "tensor 'good-rank-64-complex': one axis too many for .safetensors\$"
    nothing_but m.safetensors
    cp "$root"/tests/corpus/safetensors/good-rank-64-c64.safetensors c.safetensors
    make other.safetensors '' x F32 1 00000040
    passes other.safetensors c.safetensors -q --to fp16 --keep w -w out/
    passes out/c.safetensors --list
}

@test "no tensor may be called __metadata__" {
    npy __metadata__.npy '<f4' 1 1
    precheck __metadata__.npy -q --to bf16 -w out.safetensors
    [ "$status" -eq 2 ]
    one_message 'no tensor may be called __metadata__$'
    nothing_but __metadata__.npy m.safetensors
}

@test "2000 files are looked up once each, not once for each that is written" {
    mkdir in out
    npy one.npy '<f4' 1 1
    "$python" -IS -c 'for i in range(1000, 3000):
    for folder in "in", "out":
        open(f"{folder}/{i}.npy", "wb").write(open("one.npy", "rb").read())'
    status=0
    output=$(timeout 10 "$PRECHECK" in/*.npy -q --to bf16 -w out/ -o json:in/2999.npy 2>&1) || status=$?
    [ "$status" -eq 2 ]
    [ "$output" = 'precheck: in/2999.npy: is an input: it would be overwritten' ]
}
