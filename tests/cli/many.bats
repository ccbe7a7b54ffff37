# Many tensors: the tables, their order, and --list.
load helper

prepare()
{
    npy big.npy '<f4' 4 1e5 1 2 3
    npy fine.npy '<f4' 4 1 2 3 4
    npy small.npy '<f4' 8 1e-9 1 1 1 1 1 1 1
    npy smaller.npy '<f4' 4 1e-9 1e-9 1e-9 1
    npy steps.npy '<i8' 3 1 2 3
}

# Files t00.npy to t29.npy that differ in nothing.
thirty()
{
    local i
    for i in {00..29}; do cp fine.npy "t$i.npy"; done
}

# ranked ARGUMENT...: the first words of the table of the first format
ranked()
{
    passes big.npy fine.npy small.npy smaller.npy "$@"
    output=$(sed -n '/^── .*tensors,/,$p' <<<"$output" | sed '1,2d' | sed '/^$/,$d' |
        awk '{ sub("[.]npy", "", $1); printf "%s%s", (NR > 1 ? " " : ""), $1 }')
}

@test "the worst tensor comes first" {
    ranked
    [ "$output" = 'big smaller small fine' ]
    ranked --sort worst
    [ "$output" = 'big smaller small fine' ]
    ranked --sort=sqnr --to e5m2
    [ "$output" = 'smaller small big fine' ]
}

@test "--sort by one figure, equals by name" {
    ranked --sort name
    [ "$output" = 'big fine small smaller' ]
    ranked --sort size
    [ "$output" = 'small big fine smaller' ]
    ranked --sort overflow
    [ "$output" = 'big fine small smaller' ]
    ranked --sort underflow
    [ "$output" = 'smaller small big fine' ]
    ranked --sort lost -u 2.0 --to e4m3fn
    has '^big '
}

@test "--sort: what is none, and lost without updates, is refused" {
    trouble "^precheck: --sort: 'worse' is none of worst, name, size, " fine.npy --sort worse
    trouble '^precheck: --sort lost needs --update or --ema$' fine.npy --sort lost
    passes fine.npy big.npy --sort lost --ema 0.5
}

@test "the facts of all come first, then a table for each format, then the figures of all" {
    passes big.npy fine.npy --to fp16,bf16
    [ "$(grep -nE '^── ' <<<"$output" | sed 's/[^a-z]*$//; s/.*── //')" = 'all 2 tensors
2 tensors, worst first
all of them in figures' ]
    has '^  [0-9,]+ bytes in f32, [0-9,]+ in fp16 and bf16$'
    has '^  fp16 .*overflow  underflow  SQNR, dB$'
    has '^  bf16 .*overflow  underflow  SQNR, dB$'
    lacks '^── big'
    lacks '.{81}'
}

@test "one tensor has no table" {
    passes big.npy steps.npy
    lacks 'worst first'
    has '^── big.npy ─'
}

@test "-v has a section for each tensor, in the order of the files" {
    passes smaller.npy big.npy fine.npy -v
    [ "$(grep -E '^── [a-z]*.npy' <<<"$output" | grep -oE '[a-z]+.npy')" = 'smaller.npy
big.npy
fine.npy' ]
}

@test "--top: 20 lines without it, the rest counted" {
    thirty
    passes t*.npy big.npy --to fp16
    has '^── 20 of 31 tensors, worst first ─'
    has '^  11 more tensors, none with overflow or underflow$'
    [ "$(grep -cE '^  (t[0-9]+|big).npy .* 0 ' <<<"$output")" -eq 20 ]
    passes t*.npy big.npy --to fp16 --top 1 --sort name
    has '^── 1 of 31 tensors, by name ─'
    has '^  30 more tensors, none with overflow or underflow$'
    cp big.npy zbig.npy
    passes t*.npy zbig.npy --to fp16 --top 30 --sort name
    has '^  1 more tensor, 1 with overflow, none with underflow$'
    for all in 0 31 9223372036854775807; do
        passes t*.npy big.npy --to fp16 --top $all
        has '^── 31 tensors, worst first ─'
        lacks ' more tensor'
    done
    for wrong in -1 x '' 1.5 9223372036854775808; do
        trouble "^precheck: --top: '$wrong' is not a number from 0 on$" fine.npy --top "$wrong"
    done
}

@test "neither order nor length changes the JSON" {
    passes big.npy fine.npy small.npy --json
    local json=$output
    passes big.npy fine.npy small.npy --json --sort size --top 1
    [ "$output" = "$json" ]
}

@test "gates that fail are counted beyond --top" {
    thirty
    precheck t*.npy --to bf16 --fail-on 'max_rel < 1' --top 7
    [ "$status" -eq 1 ]
    has '^FAIL  30 of 30 gates$'
    has '^  23 more fail$'
    [ "$(grep -c '^  max_rel < 1 ' <<<"$output")" -eq 7 ]
}

@test "of many skipped tensors the first are named" {
    local i
    for i in {00..13}; do cp steps.npy "s$i.npy"; done
    npy s99.npy '<i4' 2 1 0
    passes fine.npy s*.npy
    has '^  s09.npy, i64, not floating point$'
    has '^  6 more: 5 i64, 1 i32$'
    lacks 's10.npy'
    passes fine.npy s*.npy --json
    is 'len(r["skipped"])' 16
}

@test "--list tells what files hold and reads no element" {
    passes --list big.npy steps.npy small.npy
    [ "$output" = '  tensor        dtype  shape  elements  bytes  container
  big.npy       f32    [4]           4     16  npy
  small.npy     f32    [8]           8     32  npy
  steps.npy     i64    not floating point
2 tensors, 12 elements, 48 bytes; 1 skipped' ]
    passes steps.npy --list # nothing to cast is no trouble here
    precheck --list nothing.npy big.npy
    [ "$status" -eq 2 ]
    one_message '^precheck: nothing.npy: No such file'
    has '^  big.npy .* npy$'
    has '^1 tensor, 4 elements, 16 bytes$'
}

@test "--list as JSON, to files, of pipes and raw data" {
    passes --list big.npy steps.npy --json
    is 'r["schema"]' precheck-list/1
    is 'list(r)' "['schema', 'tensors', 'skipped']"
    is 'r["tensors"]' "[{'file': 'big.npy', 'name': '', 'dtype': 'f32', 'shape': [4], 'elements': 4, 'bytes': 16, 'container': 'npy'}]"
    is 'r["skipped"]' "[{'file': 'steps.npy', 'name': '', 'dtype': 'i64', 'reason': 'not floating point', 'container': 'npy'}]"
    local json=$output
    passes --list big.npy steps.npy -q -o json:list.json
    [ -z "$output" ]
    [ "$(<list.json)" = "$json" ]
    passes --list big.npy --raw f16:7
    has '^  big.npy +f16    \[7\] +7     14  raw$'
    output=$("$PRECHECK" --list - --raw f32 --json <big.npy)
    is 'r["tensors"][0]["elements"]' 36
    output=$(cat big.npy | "$PRECHECK" --list - --raw f32 --json)
    is 'r["tensors"][0]["elements"]' None
}

@test "--list does not go with what needs the elements" {
    for words in '-u 1' '--ema 0.9' '--update 1 --steps 3' --reference '-w y.npy --to bf16' \
        "--fail-on overflow>0" '--sort size' '--top 20' '--policy no.json' --exit-zero --verbose \
        '--to fp8' '--round up' '--overflow saturate' '--scale 2^3' '--keep *' '--update-scale 2'; do
        # shellcheck disable=SC2086
        trouble '^precheck: --[a-z-]+ does not go with --list, which reads no elements$' \
            --list fine.npy $words
    done
    trouble '^precheck: no file given' --list
    passes --list fine.npy --color never --progress never -j 2 --isa scalar -q
}

@test "--formats takes nothing but what tells how to print" {
    for words in '--to bf16' --json '-o text:x' '--raw f32' '--select w' -q --verbose '--fail-on overflow>0'; do
        # shellcheck disable=SC2086
        trouble '^precheck: --[a-z-]+ does not go with --formats$' --formats $words
    done
    passes --formats --color never -j 1
    passes --to bf16 --json --version
    passes --fail-on 'overflow > 0' --help
}

@test "--list cuts no name but on a terminal" {
    local name
    name=$(printf 'a%.0s' {1..150}).npy
    cp fine.npy "$name"
    passes --list "$name"
    has "^  $name  f32 "
    output=$("$python" -IS "$here/terminal.py" "$PRECHECK" --color never --list "$name")
    lacks '.{101}'
    has '^  a+…a+.npy +f32 '
}

@test "a long report that cannot be written is given up" {
    local files=()
    for _ in {1..150}; do files+=(fine.npy); done # some hundred kilobytes of JSON
    echo old >old.json
    precheck "${files[@]}" -q -o json:/dev/full
    [ "$status" -eq 2 ]
    one_message '^precheck: /dev/full: No space left on device$'
    (
        ulimit -f 100
        trap '' XFSZ
        precheck "${files[@]}" -q -o json:old.json
        [ "$status" -eq 2 ]
        one_message '^precheck: old.json: File too large$'
    )
    [ "$(<old.json)" = old ]
    mkfifo pipe
    exec 7<>pipe 8>pipe 7<&-
    "$python" -IS "$here/ends.py" --ignore=PIPE "$PRECHECK" "${files[@]}" --json >&8 2>told
    exec 8>&-
    [ "$(<told)" = 'exit 2' ]
    [ "$(find . -name '*.??????' | wc -l)" -eq 0 ]
    passes "${files[@]}" --json
    is 'len(r["tensors"])' 150
}
