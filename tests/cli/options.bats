# What the command line takes and what it refuses.
load helper

prepare()
{
    npy x.npy '<f4' 2x3 1 -2 0.1 3e5 1e-9 0
}

@test "no file: trouble that tells about --help" {
    trouble 'no file given.*--help'
    trouble 'no file given' --to bf16 --json
    trouble 'no file given' --
}

@test "--help, -h and --version print to standard output and need no file" {
    passes --help
    [[ $output = "Usage: precheck "* ]]
    local help=$output
    passes -h
    [ "$output" = "$help" ]
    passes --version
    [[ $output =~ ^precheck\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
}

@test "--help fits 80 columns and ends each line without spaces" {
    passes --help
    lacks '.{81}|[[:space:]]$'
}

@test "--formats lists every format once, and eXmY" {
    passes --formats
    sed -n 's/^FORMAT("\([^"]*\)".*/\1/p' "$root/src/format/formats.def" >names
    [ -s names ]
    for name in $(cat names); do
        [ "$(grep -cE "^$name +[0-9]+ +[0-9]+ " <<<"$output")" -eq 1 ]
    done
    has '^eXmY '
}

@test "what is asked for last of --help, --version and --formats is done, without a look at files" {
    passes --help --version nothing.npy
    [[ $output = "precheck "[0-9]* ]]
}

@test "unknown options" {
    trouble '^precheck: --bogus is not an option .*--help' --bogus x.npy
    trouble '^precheck: --bogus=3 is not an option' x.npy --bogus=3
    trouble '^precheck: -x is not an option' -x x.npy
    trouble '^precheck: -x is not an option' --json -xq x.npy
    trouble '^precheck: -x is not an option' -qx x.npy
    trouble '^precheck: -.xc3 is not an option' $'-\xc3\xa9' x.npy
    trouble '^precheck: --bo.x1b.x0agus is not' $'--bo\e\ngus' x.npy
}

@test "options may be abbreviated as far as they stay clear" {
    passes --vers
    passes x.npy --jso --to bf16 --ref --overf saturate
    is 'r["settings"]["overflow"]' saturate
    trouble '^precheck: --ver may be any of several options' --ver x.npy
    trouble '^precheck: --o may be any of several options' --o inf x.npy
}

@test "arguments that are missing, or too many" {
    trouble '^precheck: --to needs an argument' x.npy --to
    trouble '^precheck: -t needs an argument' x.npy -t
    trouble '^precheck: -t needs an argument' x.npy -qt
    trouble '^precheck: --json=x takes no argument' x.npy --json=x
    trouble '^precheck: --exit-zero=1 takes no argument' x.npy --exit-zero=1
}

@test "an argument is attached, or follows; options and files come in any order" {
    passes --json --to=bf16 x.npy
    local first=$output
    for words in '--json --to bf16 x.npy' '-tbf16 --json x.npy' 'x.npy -t bf16 --json' \
        'x.npy --json --to bf16 --' '--json -vt bf16 -- x.npy'; do
        # shellcheck disable=SC2086
        passes $words
        [ "$output" = "$first" ]
    done
}

@test "after -- everything is a file" {
    trouble '^precheck: --json: No such file' -- --json
    cp x.npy ./-t
    passes -- -t
}

@test "--to refuses what is no format" {
    for list in '' , bf16, ,bf16 fp17 e9m2 e1m4 e4m0 e8m24 e5 e04m3 'bf16 ' f64 fp64 e11m52; do
        trouble 'unknown format' x.npy --to "$list"
    done
    trouble "unknown format 'x{40}'" x.npy --to "$(printf 'x%.0s' {1..1000})"
}

@test "--to knows every name and alias of the table, in any case" {
    sed -n 's/^FORMAT("\([^"]*\)".*"\([^"]*\)")$/\1 \2/p' "$root/src/format/formats.def" >table
    [ "$(wc -l <table)" -eq "$(grep -c '^FORMAT' "$root/src/format/formats.def")" ]
    while read -r name aliases; do
        list=$name${aliases:+,$aliases},${name^^}
        passes x.npy --json --to "$list"
        is 'r["settings"]["to"]' "['$name']"
    done <table
}

@test "without --to: fp16, bf16 and both of fp8" {
    passes x.npy --json
    is 'r["settings"]["to"]' "['fp16', 'bf16', 'e4m3fn', 'e5m2']"
}

@test "fp8 stands for two, and a format named twice counts once, where it came first" {
    passes x.npy --json --to e5m2,bf16,fp8,e8m7,E4M3
    is 'r["settings"]["to"]' "['e5m2', 'bf16', 'e4m3fn']"
    is '[c["to"] for c in r["tensors"][0]["casts"]]' "['e5m2', 'bf16', 'e4m3fn']"
    is '[c["to"] for c in r["total"]]' "['e5m2', 'bf16', 'e4m3fn']"
}

@test "eXmY is bound at run time" {
    passes x.npy --json --to e2m1,e8m23,e6m9,e3m1,E2M23
    is '[(c["to"], c["bits"]) for c in r["total"]]' \
        "[('e2m1', 4), ('fp32', 32), ('e6m9', 16), ('e3m1', 5), ('e2m23', 26)]"
}

@test "--round" {
    for mode in nearest-even nearest-away toward-zero up down; do
        passes x.npy --json --round $mode
        is 'r["settings"]["round"]' $mode
        trouble 'only stochastic rounding takes a seed' x.npy --round $mode:1
    done
    passes x.npy --json --round stochastic
    is 'r["settings"]["round"]' stochastic:0
    passes x.npy --json --round stochastic:0x10
    is 'r["settings"]["round"]' stochastic:16
    passes x.npy --json --round stochastic:18446744073709551615
    is 'r["settings"]["round"]' stochastic:18446744073709551615
    for seed in '' x -1 +1 ' 1' 1x 18446744073709551616 1:2; do
        trouble 'seed is not a number' x.npy --round "stochastic:$seed"
    done
    for mode in '' nearest NEAREST-EVEN even stochastics; do
        trouble "unknown rounding mode '$mode'.*stochastic\[:SEED\]" x.npy --round "$mode"
    done
}

@test "--overflow" {
    passes x.npy --json --overflow inf
    is 'r["settings"]["overflow"]' inf
    trouble "overflow: 'clamp' is none of inf, saturate" x.npy --overflow clamp
    trouble "overflow: '' is none of" x.npy --overflow ''
}

@test "--scale" {
    passes x.npy --json --to bf16 --scale 2^-1023
    is 'r["settings"]["scale"], r["total"][0]["scale"]' "('2^-1023', 1.1125369292536007e-308)"
    passes x.npy --json --to bf16 --scale 2^+3
    is 'r["total"][0]["scale"]' 8
    passes x.npy --json --to bf16
    is '"scale" in r["settings"], r["total"][0]["scale"]' '(False, 1)'
    for scale in '' 2 8 2^ 2^x 2^1024 2^-1024 '2^ 1' 2^1.5 2^99999999999999999999 Amax amax: 3^2; do
        trouble "scale: '.*' is neither amax nor 2\^K with K from -1023 to 1023" x.npy --scale "$scale"
    done
}

@test "--raw" {
    floats 1 2 3 4 5 6 >x.raw
    passes x.raw --json --raw f32
    is 'r["tensors"][0]["shape"], r["settings"]["raw"]' "([6], 'f32')"
    passes x.raw --json --raw F32LE@4:2x2
    is 'r["tensors"][0]["shape"], r["tensors"][0]["input"]["mean"]' "([2, 2], 3.5)"
    passes x.raw --json --raw f32be:6
    is 'r["tensors"][0]["input"]["mean"] < 1e-38' True
    passes x.raw --json --raw e4m3@24
    is 'r["tensors"][0]["elements"]' 0
    for layout in '' f31 f32xe tf32 e5m7 fp8; do
        trouble 'unknown element type' x.raw --raw "$layout"
    done
    for layout in f32@ f32@x f32@-4 f32@4x f32@0x4 f32@9223372036854775808; do
        trouble 'the offset .* is not a number of bytes' x.raw --raw "$layout"
    done
    for layout in f32: f32:x f32:2x f32:x2 f32:2,3 f32:2xx3 f32:-2 f32:2@4; do
        trouble 'the shape .* is not of the form' x.raw --raw "$layout"
    done
    trouble 'do(es)? not fit in 63 bits' x.raw --raw f32:4294967296x4294967296
    trouble 'do(es)? not fit in 63 bits' x.raw --raw f32@9223372036854775807:1
    trouble 'dimensions' x.raw --raw "f32:1$(printf 'x1%.0s' {1..64})"
    trouble '^precheck: x.raw: .*beyond the end' x.raw --raw f32@25
    trouble '^precheck: x.raw: .*no whole number' x.raw --raw f32@1
    trouble '^precheck: x.raw: truncated' x.raw --raw f32:7
}

@test "--view" {
    npy u.npy '<u2' 2 0x3f80 0xc000
    passes u.npy --json --view bf16
    is 'r["tensors"][0]["dtype"], r["tensors"][0]["input"]["sum"]' "('bf16', '-0x1p+0')"
    is 'r["settings"]["view"]' bf16
    trouble '^precheck: u.npy: --view f32 is for elements of 4 bytes' u.npy --view f32
    trouble "unknown element type 'i16'" u.npy --view i16
    npy c.npy '<c8' 1 1 2
    trouble '^precheck: c.npy: .*complex' c.npy --view f64
    trouble 'raw.*--view' x.npy --raw f32 --view f32
}

@test "--write takes one format and one tensor" {
    trouble '--write needs exactly one format' x.npy -w y.npy
    trouble '--write needs exactly one format' x.npy -w y.npy --to fp8
    trouble '--write names no file' x.npy -w '' --to bf16
    cp x.npy z.npy
    precheck x.npy z.npy --to bf16 -w y.npy
    [ "$status" -eq 2 ]
    one_message '^precheck: z.npy: --write takes one tensor'
    nothing_but x.npy z.npy
}

@test "--output" {
    for kind in '' xml JSON text.json; do
        trouble "output: there is no kind '$kind'" x.npy -o "$kind"
    done
    trouble "output: 'json:' names no file" x.npy -o json:
    trouble 'more than 32 outputs' x.npy $(printf -- '-o json:%s ' {1..33})
    nothing_but x.npy
}

@test "--color" {
    passes x.npy --color never
    trouble "color: 'yes' is none of auto, always, never" x.npy --color=yes
}

@test "--threads" {
    passes x.npy -q -j 128
    passes x.npy -qj2
    for count in '' 0 -1 129 x 2x ' 2' 1.5 99999999999999999999; do
        trouble "threads: '.*' is not a number from 1 to 128" x.npy -j "$count"
    done
}

@test "--isa" {
    passes x.npy -q --isa scalar
    passes x.npy -q --isa auto
    trouble "unknown instruction set 'sse9' \(.*scalar.*\)" x.npy --isa sse9
    trouble "unknown instruction set ''" x.npy --isa ''
}

@test "of a repeated option the last counts" {
    passes x.npy --json --to fp16 --round up --round down --overflow saturate --overflow inf \
        --scale amax --scale 2^1 --to bf16,e2m1 -j 1 -j 2 --isa auto --isa scalar --view f64 --view f32
    is 'r["settings"]' "{'to': ['bf16', 'e2m1'], 'round': 'down', 'overflow': 'inf', \
'scale': '2^1', 'view': 'f32'}"
    passes x.npy -q --to bf16 -w first.npy -w second.npy
    nothing_but x.npy second.npy
    passes x.npy --color always --color never
    lacks $'\e'
    passes --raw f64@1:2 --raw f32@128 --json x.npy
    is 'r["tensors"][0]["shape"], r["settings"]["raw"]' "([6], 'f32@128')"
}

@test "an earlier wrong argument is not forgiven by a later right one" {
    trouble 'unknown format' x.npy --to nothing --to bf16
}

@test "a flag given twice is given once" {
    passes x.npy --json --json -q -q -v -v --reference --reference --exit-zero --exit-zero
    is 'r["schema"]' precheck/1
}

@test "--quiet prints no text, --verbose prints the exact sums" {
    printf '\0\0\200\77\1\0\200\77' >x.raw
    passes x.raw --raw f32 --to bf16 --quiet
    [ -z "$output" ]
    passes x.raw --raw f32 --to bf16 --verbose
    grep -q '0x1\.000001p+1' <<<"$output"
    passes x.raw --raw f32 --to bf16
    ! grep -q '0x1\.000001p+1' <<<"$output"
}
