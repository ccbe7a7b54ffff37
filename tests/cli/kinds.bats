# The kinds of output other than text and JSON: read by other programs, and compared with the JSON.
load helper

kinds='ndjson csv markdown html junit prometheus github'

prepare()
{
    npy x.npy '<f4' 2x3 1 -2 0.1 3e5 1e-9 0
    npy i.npy '<i8' 3 1 2 3
}

# Names that mean something to a spreadsheet, a browser, a shell, a runner of workflows or a parser.
strangers=(
    "=cmd|' C calc'!A0.npy" '+1.npy' '-1.npy' '@SUM(A1).npy' $'\t=1.npy' "'=1.npy" $'\xef\xbc\x9d1.npy'
    '<script>alert(1)<!script>.npy' '&amp;"]]>.npy' '`a|b`*_[x](y)~.npy' ' a ` .npy' '$x$ #1 @you.npy'
    $'a\n::error::b.npy' 'c%0A::error::d,e:f.npy' $'\r\x7f\x1b[31m\xc2\x9b.npy' $'\xff\xc3.npy' '\x41.npy' 'y\.npy'
    $'\xe2\x80\xae\xe2\x80\xa8.npy' $'\xef\xbf\xbe\xef\xbf\xbf.npy' 'a"b,c.npy' 'a b .npy'
)

# agree ARGUMENT...: all kinds of one run say the same; its status is 0 or 1.
agree()
{
    local kind outputs=(-q -o json:out.json)
    for kind in $kinds; do outputs+=(-o "$kind:out.$kind"); done
    precheck "${outputs[@]}" "$@"
    [ "$status" -le 1 ] && [ -z "$stderr" ] || shows "$*"
    for kind in $kinds; do
        "$python" -IS "$here/kinds.py" $kind out.$kind out.json || shows "$kind: $*"
    done
}

@test "every kind holds the figures of the JSON" {
    agree x.npy
    agree x.npy i.npy
    cp x.npy z.npy
    agree x.npy z.npy --to bf16,e5m2 --scale 2^4 --top 1
    agree x.npy z.npy --to bf16,fp32 --scale amax --update 1e-8 --steps 10
    agree x.npy --to fp16,e2m1 --ema 0.999
    agree x.npy --to bf16 --round stochastic:3 --update 1e-3
    agree x.npy z.npy x.npy --verbose --update 1e-3 --steps 2
}

@test "tensors of no elements, of none that is finite, and scalars" {
    npy empty.npy '<f4' 0x3
    npy nan.npy '<f4' 2 nan inf
    npy scalar.npy '<f4' - 0.1
    agree empty.npy nan.npy scalar.npy
    agree scalar.npy --update 0
    agree empty.npy --to bf16
}

@test "gates that hold, fail and warn" {
    cp x.npy z.npy
    agree x.npy z.npy --fail-on 'nan > 0'
    agree x.npy z.npy --fail-on 'overflow > 0' --fail-on 'bf16: max_rel > 0.001' --top 2
    echo '{"version": 1, "rules": [
        {"metric": "underflow", "op": ">", "value": 0, "level": "warn"},
        {"metric": "overflow", "op": ">", "value": 0}]}' >policy.json
    agree x.npy z.npy --policy policy.json
    grep -q '^::warning ' out.github
    grep -q '<system-out>' out.junit
    grep -q 'warns on' out.markdown
    agree x.npy z.npy --policy policy.json --to bf16
}

@test "names from strangers are text in every kind" {
    local name
    for name in "${strangers[@]}"; do cp x.npy "./$name"; done
    agree --fail-on 'overflow > 0' --top 0 -- "${strangers[@]}"
    agree --fail-on 'overflow > 0' --to fp16 --verbose -- "${strangers[@]}"
    [ "$(grep -c '^::error ' out.github)" -eq 10 ]
    for name in "${strangers[@]}"; do agree --fail-on 'overflow > 0' --to fp16 -- "$name"; done
}

@test "names of 60,000 characters leave a comment, an annotation and a page as short as they are" {
    local i entries=()
    for i in {10..29}; do
        entries+=("$i$(printf '<%.0s' {1..60000})" F32 2 0000c84700000030)
    done
    "$python" "$here/safetensors.py" make long.safetensors '' "${entries[@]}"
    precheck long.safetensors -q --fail-on 'overflow > 0' -o markdown:m -o github:g -o html:h
    [ "$status" -eq 1 ]
    [ "$(wc -m <m)" -lt 65536 ]
    [ "$(wc -L <g)" -lt 500 ]
    [ "$(wc -c <h)" -lt 1000000 ]
}

@test "names in sentences are escaped once" {
    cp x.npy $'a\nb.npy'
    precheck $'a\nb.npy' x.npy --to fp16 -q -o html:h
    grep -q 'relative error up to 1 at \[1, 1\] of a\\x0ab.npy' h || shows "$(grep '<li>relative error' h)"
}

@test "--ndjson and --csv take the place of text" {
    for kind in ndjson csv; do
        passes x.npy --$kind
        [ -n "$output" ]
        local printed=$output
        passes x.npy -o $kind
        [ "$output" = "$printed" ]
    done
    trouble 'two outputs to one standard output' x.npy --csv --ndjson
    trouble 'two outputs to one standard output' x.npy --csv --json
}

@test "--list has no output of these kinds" {
    for kind in $kinds; do trouble "list has no output of kind $kind" x.npy --list -o $kind; done
}

@test "--help and the message about a wrong kind name all kinds" {
    passes --help
    for kind in text json $kinds; do has " $kind(,|$)"; done
    trouble "there is no kind 'x' .*text, json, ndjson, csv" x.npy -o x
}

@test "a tensor that cannot be read is an error in what CI looks at" {
    head -c 140 x.npy >cut.npy
    precheck -q x.npy cut.npy --to bf16 --fail-on 'nan > 0' -o junit:j -o markdown:m -o prometheus:p -o github:g
    [ "$status" -eq 2 ]
    grep -q 'errors="1"' j
    grep -q '^\*\*Incomplete' m
    grep -q '^### precheck: FAIL, incomplete; on what was read 1 gate holds$' m || shows "$(head -n 1 m)"
    grep -q '^precheck_complete 0$' p
    grep -q '^::error title=precheck::incomplete' g
}

@test "the worst tensors are annotated and counted, those of other rules too" {
    local i
    for i in {10..40}; do npy "t$i.npy" '<f4' 4 1e5 1 2 3; done
    npy worst.npy '<f4' 4 1e5 1e5 1e5 3
    agree t??.npy worst.npy --to fp16 --fail-on 'overflow > 0' --top 3
    has_line '::error file=worst.npy,title=overflow > 0::worst.npy: overflow > 0 in fp16 (value 3)' out.github
    has_line '::error title=precheck::23 more' out.github
    has_line '29 more fail' out.markdown
    has_line '29 more tensors, 29 with overflow' out.markdown
}

has_line()
{
    grep -qxF -- "$1" "$2" || shows "$2 lacks $1"
}

@test "the XML is valid by a schema" {
    needs xmllint
    local name
    for name in "${strangers[@]}"; do cp x.npy "./$name"; done
    for words in '' '--fail-on overflow>0' '--to=bf16'; do
        # shellcheck disable=SC2086
        precheck -q -o junit:j $words -- "${strangers[@]}"
        xmllint --noout --nonet --schema "$root/tests/corpus/junit/junit.xsd" j
    done
}

@test "promtool finds nothing to mend" {
    needs promtool
    local name
    for name in "${strangers[@]}"; do cp x.npy "./$name"; done
    for words in '' -v; do
        passes -q $words --update 1e-8 --steps 3 -o prometheus:p -- "${strangers[@]}"
        promtool check metrics <p >told 2>&1 || shows "$(<told)"
        [ ! -s told ] || shows "$(<told)"
    done
    [ "$(grep -c '^precheck_tensor_error_rms{' p)" -eq $((4 * ${#strangers[@]})) ]
}

@test "jq reads the JSON and its lines" {
    needs jq
    local name
    for name in "${strangers[@]}"; do cp x.npy "./$name"; done
    passes -q --update 1e-3 -o json:j -o ndjson:n -- "${strangers[@]}"
    jq -es --slurpfile whole j '(.[:-1] == $whole[0].tensors) and (.[-1] == ($whole[0] | del(.tensors)))' n
    [ "$(jq '.tensors | length' j)" -eq "${#strangers[@]}" ]
    [ "$(jq -c 'select(.file).casts | map(.overflow)' n | sort -u)" = '[1,0,1,1]' ]
}
