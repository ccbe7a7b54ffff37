# One report, byte for byte, whatever it was computed with; and it is the reference's.
load helper

variants=(
    ''
    '--round stochastic:7 --to fp16,e4m3fn,e2m1'
    '--round up --to bf16,e5m2,e3m4 --overflow saturate'
    '--round down --scale amax --to e4m3fn,e4m3fnuz'
    '--round nearest-away --scale 2^11 --to fp16,e3m2,e6m9'
    '--round toward-zero --to tf32,e5m2fnuz,e2m3,fp32'
)

# Where what matters is how the elements are handed out.
few=("${variants[@]:0:3}")

# Each exponent and sign of float32 with fractions at the edges, every code of 16 and of 8 bits, and
# doubles near and beyond what float32 holds.
prepare()
{
    "$python" -IS -c 'import struct
lows = (0, 1, 0x7fff, 0x8000, 0x8001, 0xffff)
def save(name, letter, values):
    values = list(values)
    open(name, "wb").write(struct.pack(f"<{len(values)}{letter}", *values))
save("f32.raw", "I", (i << 18 | low for i in range(1 << 14) for low in lows))
save("16.raw", "H", range(1 << 16))
save("8.raw", "B", range(256))
save("f64.raw", "Q", (i << 52 | low << k for i in range(0, 4096, 3) for low in lows for k in (0, 29, 36)))'
}

# Calls "$1" on each input with its options.
each_input()
{
    for file in "$data"/*.npy; do "$@" "$file"; done
    "$@" "$data"/sphinx-variances.bin --raw f32le@72:42x3x128x13
    specials "$@"
}

specials()
{
    "$@" f32.raw --raw f32
    "$@" f64.raw --raw f64
    "$@" 16.raw --raw f16
    "$@" 16.raw --raw bf16
    "$@" 8.raw --raw e4m3fn
}

report()
{
    "$PRECHECK" --json -v "$@"
}

# isa_agrees NAME: with scalar, on everything.
isa_agrees()
{
    local isa=$1 why
    why=$("$PRECHECK" -q --raw e4m3 --isa "$isa" 8.raw 2>&1) || skip "${why#precheck: }"
    compare()
    {
        for words in "${variants[@]}"; do
            # shellcheck disable=SC2086
            report $words --isa scalar "$@" >scalar.json
            # shellcheck disable=SC2086
            report $words --isa "$isa" "$@" >isa.json
            cmp scalar.json isa.json || shows "$isa $words $*"
        done
    }
    each_input compare
}

@test "--isa avx2" {
    isa_agrees avx2
}

@test "--isa avx512" {
    isa_agrees avx512
}

@test "--isa neon" {
    isa_agrees neon
}

@test "no instruction set is left out above" {
    precheck --isa nonsense 8.raw
    local names=${stderr#*\(}
    for name in ${names//[,)]/}; do
        case $name in scalar | auto | avx2 | avx512 | neon) ;; *) shows "$name" ;; esac
    done
}

@test "--isa and PRECHECK_ISA: the option goes first, and neither falls back" {
    PRECHECK_ISA=scalar report 8.raw --raw e5m2 >a.json
    PRECHECK_ISA='' report 8.raw --raw e5m2 >b.json
    PRECHECK_ISA=auto report 8.raw --raw e5m2 >c.json
    PRECHECK_ISA=nonsense report 8.raw --raw e5m2 --isa auto >d.json
    for other in b c d; do cmp a.json $other.json; done
    PRECHECK_ISA=nonsense trouble "^precheck: unknown instruction set 'nonsense'" 8.raw --raw e5m2
    PRECHECK_ISA=scalar trouble "^precheck: unknown instruction set 'nonsense'" 8.raw --raw e5m2 --isa nonsense
    PRECHECK_ISA=nonsense passes --help
}

@test "-j 1, 2 and 7" {
    compare()
    {
        for words in "${few[@]}"; do
            # shellcheck disable=SC2086
            report $words -j 1 "$@" >one.json
            for threads in 2 7; do
                # shellcheck disable=SC2086
                report $words -j $threads "$@" >more.json
                cmp one.json more.json || shows "-j $threads $words $*"
            done
        done
    }
    each_input compare
}

@test "a file and a pipe, with one thread and with seven" {
    compare()
    {
        local file=$1
        shift
        for words in "${few[@]}"; do
            # shellcheck disable=SC2086
            report $words "$@" - <"$file" >file.json
            for threads in 1 7; do
                # shellcheck disable=SC2086
                cat "$file" | report $words -j $threads "$@" - >pipe.json
                cmp file.json pipe.json || shows "$words $* $file"
            done
        done
    }
    each_input compare
}

@test "the text, too" {
    "$PRECHECK" -v "$data"/*.npy -j 1 --isa scalar >one
    "$PRECHECK" -v "$data"/*.npy -j 7 >seven
    cmp one seven
}

@test "--reference agrees on the real tensors and prints the same" {
    for file in "$data"/*.npy; do
        for words in "${few[@]}"; do
            # shellcheck disable=SC2086
            passes --json $words "$file" --reference
            # shellcheck disable=SC2086
            [ "$output" = "$("$PRECHECK" --json $words "$file")" ]
        done
    done
    passes -q --raw f32le@72:20000 "$data"/sphinx-variances.bin --reference
}

@test "--reference agrees on special values" {
    head -c 65536 f32.raw >some.raw
    tail -c 65536 f32.raw >others.raw
    for words in "${variants[@]}"; do
        for input in 'some.raw others.raw --raw f32' 'f64.raw --raw f64:4000' '16.raw --raw f16:9000' \
            '16.raw --raw bf16@90000:9000' '8.raw --raw e4m3fn' '8.raw --raw e5m2fnuz'; do
            # shellcheck disable=SC2086
            passes -q $words $input --reference
        done
    done
}

@test "--reference agrees on updates, moving averages and steps" {
    head -c 8192 f64.raw >x.raw
    tail -c 8192 f64.raw >g.raw
    for words in "${variants[@]}"; do
        for analysis in "$data/digits-weight.npy -u 1e-8" \
            "$data/digits-weight.npy -u $data/digits-grad.npy --update-scale -0.1 --steps 3" \
            "$data/digits-exp_avg_sq.npy --ema 0.999" \
            "$data/digits-exp_avg_sq.npy --ema 0.999 -u $data/digits-grad.npy" \
            'x.raw --raw f64:1024 -u g.raw --steps 3' 'x.raw --raw f64:1024 -u g.raw --ema 0.9'; do
            # shellcheck disable=SC2086
            passes -q $words $analysis --reference
        done
    done
}
