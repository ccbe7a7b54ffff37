# --fail-on: what is judged, how, and what comes out.
load helper

# 8 elements: 1 NaN, 2 overflows of e4m3fn, 1 underflow, 1 subnormal, 1 zero, 2 exact normal ones. In
# bf16 nothing but the NaN is amiss.
prepare()
{
    npy x.npy '<f4' 8 nan 1000 -500 1e-5 0.0078125 0 1.5 -2
    npy e.npy '<f4' 0x3
    npy same.npy '<f4' 3 1 2 4
}

# holds RULE... and fails_on RULE...: each alone, on e4m3fn.
holds()
{
    for rule; do
        passes x.npy -q --to e4m3fn --fail-on "$rule"
    done
}

fails_on()
{
    for rule; do
        precheck x.npy -q --to e4m3fn --fail-on "$rule"
        [ "$status" -eq 1 ] && [ -z "$stderr$output" ] || shows "$rule"
    done
}

# verdict RULE VALUE PASS: what JSON says about a rule on e4m3fn.
verdict()
{
    precheck x.npy --json --to e4m3fn --fail-on "$1"
    local word=fail
    [ "$3" = False ] || word=pass
    is '[tuple(g.values()) for g in r["gates"]], r["verdict"]' \
        "([('$1', 'x.npy', '', 'e4m3fn', $2, $3, 'error')], '$word')"
}

@test "without a rule there is no verdict" {
    passes x.npy --json
    is 'r["gates"], r["verdict"]' '([], None)'
}

@test "a rule that holds fails the gate: all six comparisons, below, at and above" {
    fails_on 'overflow < 3' 'overflow <= 3' 'overflow <= 2' 'overflow > 1' 'overflow >= 1' \
        'overflow >= 2' 'overflow == 2' 'overflow != 1'
    holds 'overflow < 2' 'overflow < 1' 'overflow <= 1' 'overflow > 2' 'overflow > 3' \
        'overflow >= 3' 'overflow == 1' 'overflow == 3' 'overflow != 2'
}

@test "white space is free, and numbers are decimal, hexadecimal or infinite" {
    fails_on 'overflow>1' ' overflow  >  1 ' $'overflow\t>1' 'e4m3fn:overflow>1' \
        ' e4m3fn : overflow > 1' 'overflow > 0x1' 'overflow == 2e0' 'overflow == 0x.8p2' \
        'overflow < inf' 'overflow > -inf' 'overflow > -1'
    holds 'overflow > inf' 'overflow == infinity' 'overflow > 1e999'
}

@test "every class by its name, and its share of the elements" {
    verdict 'nan != 1' 1 True
    verdict 'inf > 0' 0 True
    verdict 'zero == 1' 1 False
    verdict 'overflow > 1' 2 False
    verdict 'underflow > 1' 1 True
    verdict 'subnormal > 0' 1 False
    verdict 'normal > 0' 2 False
    verdict 'exact < 4' 4 True
    verdict 'nan_rate >= 0.125' 0.125 False
    verdict 'overflow_rate > 0.25' 0.25 True
    verdict 'exact_rate == 0.5' 0.5 False
}

@test "every figure of the table that is no position can be judged, bare or with a dot" {
    local table=$root/src/report/metrics.def
    [ "$(grep -c '^METRIC(' "$table")" -gt 20 ]
    sed -n 's/^METRIC([A-Z0-9_]*, \([A-Z]*\), "\([a-z0-9_.]*\)", \([A-Z]*\),.*/\1 \2 \3/p' "$table" >rows
    [ "$(wc -l <rows)" -eq "$(grep -c '^METRIC(' "$table")" ]
    local rules=() averages=()
    while read -r group name type; do
        case $group,$type in
        *,INDEX)
            trouble "there is no figure '$name'" x.npy --fail-on "$name > 0"
            trouble "there is no figure 'error.$name'" x.npy --fail-on "error.$name > 0"
            ;;
        INPUT,*) rules+=(--fail-on "input.$name == -1") ;;
        CAST,*) rules+=(--fail-on "$name == -1" --fail-on "${name}_rate == -1") ;;
        ERROR,*) rules+=(--fail-on "error.$name == -1" --fail-on "$name == -1") ;;
        EMA,*) averages+=(--fail-on "ema.$name == -1") ;;
        *) rules+=(--fail-on "${group,,}.$name == -1") ;;
        esac
    done <rows
    passes x.npy -q --to bf16 --ema 0.9 "${averages[@]}"
    passes x.npy --json --to bf16 -u 1 --steps 2 --fail-on 'bits == -1' --fail-on 'scale == -1' \
        --fail-on 'relative_error.exact == -1' "${rules[@]}"
    is 'len(r["gates"])' "$((${#rules[@]} / 2 + 3))"
    # The value is the report's own.
    is '[g["rule"] for g in r["gates"] if g["rule"].split()[0] in r["tensors"][0]["casts"][0] and
         g["value"] != r["tensors"][0]["casts"][0][g["rule"].split()[0]]]' '[]'
    is '[g["rule"] for g in r["gates"] if g["rule"].startswith("error.") and
         g["value"] != r["tensors"][0]["casts"][0]["error"][g["rule"].split()[0][6:]]]' '[]'
    is '[g["rule"] for g in r["gates"] if g["rule"].startswith("input.") and
         g["value"] != r["tensors"][0]["input"][g["rule"].split()[0][6:]]]' '[]'
}

@test "bits, scale and relative_error.exact" {
    verdict 'bits > 8' 8 True
    verdict 'scale != 1' 1 True
    verdict 'relative_error.exact > 2' 3 False
    precheck x.npy --json --to bf16 --scale 2^-3 --fail-on 'scale == 0.125'
    is 'r["gates"][0]["value"], r["verdict"]' "(0.125, 'fail')"
}

@test "unknown figures, comparisons, numbers and formats" {
    for rule in 'lost > 0' 'OVERFLOW > 0' 'sums.e > 0' 'relative_error.counts > 0' 'shape > 0' \
        'error.overflow > 0' 'input.overflow > 0' 'input.nan_rate > 0' 'max_rel_rate > 0' \
        '_rate > 0' 'overflow_rate_rate > 0' 'error. > 0' 'error > 0' '.overflow > 0' 'to > 0' \
        'min_abs > 0'; do
        trouble "^precheck: rule '$rule': there is no figure '${rule%% *}'" x.npy --fail-on "$rule"
    done
    for rule in '' ' ' '> 0' '-1 > 0' "$(printf 'x%.0s' {1..64}) > 0"; do
        trouble "names no figure" x.npy --fail-on "$rule"
    done
    for rule in overflow 'overflow = 0' 'overflow => 0' 'overflow ! 0' 'overflow 0'; do
        trouble "rule '$rule' has no comparison \(< <= > >= == !=\)" x.npy --fail-on "$rule"
    done
    for rule in 'overflow >' 'overflow > x' 'overflow > 1x' 'overflow > 1 2' 'overflow > nan' \
        'overflow > 1,5' 'overflow >> 1' 'overflow >= = 1' 'overflow > 5%'; do
        trouble "is not a number" x.npy --fail-on "$rule"
    done
    for rule in 'fp17: overflow > 0' ': overflow > 0'; do
        trouble "rule '$rule': unknown format" x.npy --fail-on "$rule"
    done
}

@test "a format in front restricts the rule to it, by any of its names" {
    passes x.npy --json --to bf16,e4m3fn --fail-on 'bf16: overflow > 0'
    is '[(g["to"], g["value"]) for g in r["gates"]]' "[('bf16', 0)]"
    passes x.npy -q --to bf16,e4m3fn --fail-on 'BFLOAT16 : overflow > 0' --fail-on 'e8m7:overflow>0'
    precheck x.npy -q --to bf16,e4m3fn --fail-on 'e4m3: overflow > 0'
    [ "$status" -eq 1 ]
    precheck x.npy -q --to bf16,e4m3fn --fail-on 'overflow > 0'
    [ "$status" -eq 1 ]
    passes x.npy -q --to e6m9 --fail-on 'e6m9: overflow > 0'
}

@test "a format that is not cast to is trouble: the report is there, the verdict is not" {
    precheck x.npy --json --to bf16 --fail-on 'e4m3fn: overflow > 0'
    [ "$status" -eq 2 ]
    one_message '^precheck: rule .*: e4m3fn is not among the formats of --to$'
    is 'len(r["tensors"]), r["gates"], r["verdict"]' '(1, [], None)'
}

@test "a null figure fails whatever is asked of it" {
    npy nan.npy '<f4' 2 nan
    for rule in 'max_rel > 1' 'max_rel < 1' 'mean == 0' 'mean != 0' 'input.min_abs >= 0' \
        'input.mean == 5' 'max_abs_input > 5'; do
        precheck nan.npy --json --to bf16 --fail-on "$rule"
        [ "$status" -eq 1 ]
        is 'r["gates"][0]["value"], r["gates"][0]["pass"], r["verdict"]' "(None, False, 'fail')"
    done
    passes nan.npy --json --to bf16 --fail-on 'count > 0' --fail-on 'nan_rate < 1'
    is 'r["verdict"]' pass
    # Nothing is lost, so no element is where the most is lost.
    precheck same.npy -q --to bf16 --fail-on 'max_abs_input > 1e9'
    [ "$status" -eq 1 ]
}

@test "infinite figures are compared as infinities" {
    passes same.npy --json --to bf16 --fail-on 'sqnr_db < 1e308'
    is 'r["gates"][0]["value"]' inf
    precheck same.npy -q --to bf16 --fail-on 'sqnr_db >= inf'
    [ "$status" -eq 1 ]
}

@test "tensors without elements are not judged, and nothing to judge is trouble" {
    passes e.npy same.npy --json --to bf16 --fail-on 'overflow > 0'
    is '[g["file"] for g in r["gates"]]' "['same.npy']"
    precheck e.npy --json --fail-on 'overflow > 0'
    [ "$status" -eq 2 ]
    one_message '^precheck: no tensor has an element to judge$'
    is 'r["verdict"]' None
}

@test "rules and tensors in order, one gate each; one failure is enough" {
    precheck same.npy x.npy --json --to bf16,e4m3fn --fail-on 'overflow > 0' --fail-on 'bf16:nan > 1'
    [ "$status" -eq 1 ]
    is '[(g["rule"][:2], g["file"], g["to"], g["pass"]) for g in r["gates"]]' \
        "[('ov', 'same.npy', 'bf16', True), ('ov', 'same.npy', 'e4m3fn', True), \
('ov', 'x.npy', 'bf16', True), ('ov', 'x.npy', 'e4m3fn', False), \
('bf', 'same.npy', 'bf16', True), ('bf', 'x.npy', 'bf16', True)]"
    is 'r["verdict"]' fail
}

@test "--exit-zero: the verdict stays, the status is 0" {
    precheck x.npy --json --exit-zero --to e4m3fn --fail-on 'overflow > 0'
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    is 'r["verdict"]' fail
}

@test "trouble outranks a failed gate, with --exit-zero too" {
    precheck x.npy nothing.npy --json --to e4m3fn --fail-on 'overflow > 0'
    [ "$status" -eq 2 ]
    is 'r["verdict"]' fail
    precheck nothing.npy x.npy -q --exit-zero --to e4m3fn --fail-on 'overflow > 0'
    [ "$status" -eq 2 ]
    precheck x.npy -q --exit-zero --to e4m3fn --fail-on 'overflow > 0' -o json:/dev/full
    [ "$status" -eq 2 ]
}

@test "a failed gate keeps the cast from being written, and an older file stays" {
    "$python" -IS "$here/safetensors.py" make x.safetensors '' w F32 2 00007a44000000c0
    for pair in x.npy:y.npy x.npy:y.raw x.npy:y.safetensors x.safetensors:new/; do
        local out=${pair#*:}
        precheck ${pair%:*} -q --to e4m3fn --fail-on 'overflow > 0' -w $out
        [ "$status" -eq 1 ]
        one_message "^precheck: $out: is not written: a gate failed\$"
        [ ! -e $out ]
        passes ${pair%:*} -q --to e4m3fn --fail-on 'overflow > 0' --exit-zero -w $out
        [ -e $out ]
    done
    nothing_but {x,e,same,y}.npy y.raw {x,y}.safetensors new new/{x.safetensors,model.safetensors.index.json}
    echo old >y.npy
    precheck x.npy -q --to e4m3fn --fail-on 'overflow > 0' -w y.npy
    [ "$(<y.npy)" = old ]
    # What has no temporary file is there.
    precheck x.npy -q --to e4m3fn --fail-on 'overflow > 0' -w -
    [ "$status" -eq 1 ]
    [ -n "$output" ]
    [ -z "$stderr" ]
}

@test "gates that cannot be judged keep it from being written too" {
    trouble "there is no 'update' in this report" x.npy -q --to bf16 --fail-on 'update.lost > 0' -w y.npy
    trouble "no tensor has an element" e.npy -q --to bf16 --fail-on 'overflow > 0' -w y.npy
    [ ! -e y.npy ]
}

@test "what cannot be put in its place is no pass" {
    local long i
    long=$(printf 'x%.0s' {1..200})
    mkdir in
    for i in {1..100}; do cp same.npy "in/$long$i.npy"; done # the index is longer than the files
    status=0
    output=$( (trap '' XFSZ; ulimit -f 16; "$PRECHECK" in --json --to bf16 --fail-on 'nan > 0' -w new/) 2>told) || status=$?
    [ "$status" -eq 2 ]
    grep -qx 'precheck: new/model.safetensors.index.json: File too large' told
    is 'r["verdict"]' fail
    [ ! -e new ]
}

@test "the text begins with the verdict and names what failed" {
    precheck x.npy --to bf16,e4m3fn --fail-on 'overflow > 0' --fail-on 'nan > 1'
    [ "$status" -eq 1 ]
    [[ $output = "FAIL  1 of 4 gates"$'\n'* ]]
    has '^ +overflow > 0 +2 +e4m3fn +x.npy$'
    passes x.npy --to bf16 --fail-on 'overflow > 0'
    [[ $output = "PASS  1 gate holds"$'\n'* ]]
}

@test "the rule stands in the report as it was written" {
    precheck x.npy --json --to bf16 --fail-on $' bf16 :overflow>=\t"0"'
    [ "$status" -eq 2 ]
    precheck x.npy --json --to bf16 --fail-on $' bf16 :overflow>=\t0 '
    is 'r["gates"][0]["rule"]' $' bf16 :overflow>=\t0 '
}

@test "fp8 in a rule is both formats, in any case" {
    precheck x.npy --to e5m2,bf16,e4m3fn --fail-on 'FP8: nan_rate >= 0' --json
    [ "$status" -eq 1 ]
    [ "$(grep -o '"to": "e[^"]*", "value"' <<<"$output" | sort | uniq -c | wc -l)" -eq 2 ]
    trouble "e5m2 is not among the formats of --to" x.npy --to e4m3fn --fail-on 'fp8: overflow > 0' -q
}

@test "a verdict is not pass where an input is missing" {
    precheck x.npy missing.npy --to fp32 --fail-on 'bits > 32' --json
    [ "$status" -eq 2 ]
    grep -q '"verdict": "fail"' <<<"$output"
    precheck x.npy missing.npy --to fp32
    [ "${output%%$'\n'*}" = 'Incomplete: there was trouble, see the messages.' ]
}
