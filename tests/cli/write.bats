# --write: the cast tensor as a file.
load helper

prepare()
{
    npy x.npy '<f4' 2x3 1 -2 0.1 3e5 1e-9 0
}

# written FILE: descr, order, shape and data.
written()
{
    "$python" -IS "$here/npy.py" show "$1"
}

@test "every format: descr, order, shape and codes are the oracle's, in every mode, .npy and bare" {
    "$python" "$here/write_check.py"
}

@test "the dtype of each width, on one number" {
    npy one.npy '<f4' 1 -1.5
    while read -r format expected; do
        passes one.npy -q --to $format -w y.npy
        [ "$(written y.npy)" = "$expected" ] || shows "$format: $(written y.npy)"
    done <<'END'
fp16 <f2 c (1,) 00be
bf16 <V2 c (1,) c0bf
e4m3fn |V1 c (1,) bc
e5m2 |V1 c (1,) be
e4m3fnuz |V1 c (1,) c4
e5m2fnuz |V1 c (1,) c2
e4m3b11fnuz |V1 c (1,) dc
e4m3ieee |V1 c (1,) bc
e3m4 |V1 c (1,) b8
e2m3 |V1 c (1,) 2c
e3m2 |V1 c (1,) 2e
e2m1 |V1 c (1,) 0b
tf32 <f4 c (1,) 0000c0bf
fp32 <f4 c (1,) 0000c0bf
e6m9 <V2 c (1,) 00bf
e2m23 <u4 c (1,) 0000c002
END
}

@test "the name decides: .raw and .bin are bare codes, anything else is .npy" {
    passes x.npy -q --to e5m2 -w y.npy
    for name in y y.npz y.raw.npy .hidden dir.raw/y; do
        mkdir -p dir.raw
        passes x.npy -q --to e5m2 -w $name
        cmp y.npy $name
    done
    tail -c 6 y.npy >codes
    for name in y.raw y.bin a.b.raw; do
        passes x.npy -q --to e5m2 -w $name
        cmp codes $name
    done
}

@test "a written cast, read again, is the cast: nothing is lost any more" {
    for pair in 'fp16 f16' 'bf16 bf16' 'e4m3fn e4m3fn' 'e5m2fnuz e5m2fnuz' 'e2m1 e2m1' 'fp32 f32'; do
        # shellcheck disable=SC2086
        set -- $pair
        passes x.npy -q --overflow saturate --to $1 -w y.npy
        passes y.npy --json --view $2 --to $1
        is 'r["total"][0]["exact"], r["total"][0]["error"]["max_abs"], r["tensors"][0]["shape"]' '(6, 0, [2, 3])'
    done
    passes x.npy -q --to tf32 -w y.npy
    passes y.npy --json --to tf32
    is 'r["total"][0]["exact"]' 6
}

@test "the codes of x * 2^K" {
    npy y.npy '<f4' 3 1 0.5 3
    passes y.npy -q --to e4m3fn --scale 2^4 -w z.npy
    [ "$(written z.npy)" = '|V1 c (3,) 585064' ]
    passes y.npy -q --to e4m3fn --scale amax -w z.npy # K = 7: 3 * 2^7 = 384
    [ "$(written z.npy)" = '|V1 c (3,) 70687c' ]
}

@test "Fortran order stays, a scalar and an empty tensor have their shapes" {
    npy f.npy '<f8' f:2x3 1 2 3 4 5 6
    passes f.npy -q --to e5m2 -w y.npy
    [ "$(written y.npy)" = '|V1 fortran (2, 3) 3c4042444546' ]
    npy s.npy '<f4' - 2
    passes s.npy -q --to bf16 -w y.npy
    [ "$(written y.npy)" = '<V2 c () 0040' ]
    npy e.npy '>f2' 0x3
    passes e.npy -q --to fp16 -w y.npy
    [ "$(written y.npy)" = '<f2 c (0, 3) ' ]
}

@test "complex numbers: a last axis of two; refused for .npy in Fortran order and with one axis too many" {
    npy c.npy '<c8' 2 1 2 3 4
    passes c.npy -q --to fp16 -w y.npy
    [ "$(written y.npy)" = '<f2 c (2, 2) 003c004000420044' ]
    npy f.npy '<c8' f:2x2 1 2
    precheck f.npy -q --to fp16 -w z.npy
    [ "$status" -eq 2 ]
    one_message '^precheck: f.npy: z.npy: a Fortran-ordered complex tensor'
    passes f.npy -q --to fp16 -w z.raw
    [ "$(stat -c %s z.raw)" -eq 16 ]
    precheck "$root"/tests/corpus/npy/good-rank-64-complex.npy -q --to fp16 -w z.npy
    [ "$status" -eq 2 ]
    one_message 'z.npy: one axis too many'
    [ ! -e z.npy ]
}

@test "a file without a tensor behind the one that is written changes nothing" {
    npy a.npy '<f4' 3 1 2 3
    npy i.npy '<i4' 7 1
    for files in 'a.npy i.npy' 'i.npy a.npy'; do
        # shellcheck disable=SC2086
        passes $files -q --to fp16 -w y.npy
        [ "$(written y.npy)" = '<f2 c (3,) 003c00400042' ]
    done
    precheck a.npy i.npy a.npy -q --to fp16 -w z.npy
    [ "$status" -eq 2 ]
    one_message 'takes one tensor, and there are more'
    [ ! -e z.npy ]
    npy u.npy '<f4' 2 1 2
    precheck a.npy i.npy -q --to fp16 -w z.npy --update u.npy
    [ "$status" -eq 2 ]
    one_message '^precheck: a.npy: --update: u.npy has another shape'
    [ ! -e z.npy ]
}

@test "raw data without a shape from a pipe: .npy as a file, bare anywhere, not .npy into a pipe" {
    floats 1 2 3 >x.raw
    passes x.raw -q --raw f32 --to fp16 -w right.npy
    [ "$(written right.npy)" = '<f2 c (3,) 003c00400042' ]
    passes - -q --raw f32 --to fp16 -w y.npy < <(cat x.raw)
    [ "$(written y.npy)" = "$(written right.npy)" ]
    passes - -q --raw f32 --to fp16 -w y.raw < <(cat x.raw)
    cmp y.raw <(tail -c 6 right.npy)
    mkfifo fifo.raw
    cat fifo.raw >out &
    passes - -q --raw f32 --to fp16 -w fifo.raw < <(cat x.raw)
    wait
    cmp out y.raw
    status=0
    cat x.raw | "$PRECHECK" - --raw f32 --to fp16 -w - >out 2>messages || status=$?
    stderr=$(<messages)
    [ "$status" -eq 2 ]
    one_message 'standard output: a .npy header comes first and needs the shape: give it in --raw$'
    [ ! -s out ]
    cat x.raw | "$PRECHECK" - --raw f32:3 --to fp16 -w - >y.npy
    cmp y.npy right.npy
}

@test "the header is aligned and sorted as NumPy's" {
    passes x.npy -q --to bf16 -w y.npy
    [ "$(head -c 128 y.npy | tail -c 118)" = "$(printf "%-117s" \
        "{'descr': '<V2', 'fortran_order': False, 'shape': (2, 3), }")" ]
    [ "$(stat -c %s y.npy)" -eq 140 ]
}

@test "the same bytes whatever the threads and the instruction set, and from a pipe" {
    head -c 2000000 "$data"/sphinx-variances.bin >x.raw
    for round in nearest-even stochastic:3; do
        passes x.raw -q --raw f32@72:209664 --to e4m3fn --round $round -j 1 --isa scalar -w right.npy
        for words in '-j 7' '-j 2 --isa scalar' '-j 1'; do
            # shellcheck disable=SC2086
            passes x.raw -q --raw f32@72:209664 --to e4m3fn --round $round $words -w y.npy
            cmp right.npy y.npy
        done
        passes - -q --raw f32@72:209664 --to e4m3fn --round $round -j 3 -w y.npy < <(cat x.raw)
        cmp right.npy y.npy
    done
}

@test "a tensor that is skipped is not written; one that follows is" {
    npy i.npy '<i4' 3 1 2 3
    trouble '^precheck: i.npy: no floating-point tensor' i.npy --to bf16 -w y.npy
    passes i.npy x.npy -q --to bf16 -w y.npy
    [ "$(written y.npy)" = '<V2 c (2, 3) 803f00c0cd3d924889300000' ]
}
