# --policy: gates from a file. Which rules count for which names is tested in unit/policy_test.c.
load helper

# 1 overflow of e4m3fn, none of bf16.
prepare()
{
    npy x.npy '<f4' 3 1000 1 2
}

# policy RULE...: makes p.json.
policy()
{
    local IFS=,
    echo "{\"version\": 1, \"rules\": [$*]}" >p.json
}

overflow='"metric": "overflow", "op": ">", "value": 0'

@test "a policy's rules are gates: their texts, levels and values are in the report" {
    policy "{$overflow}" '{"to": "bf16", "metric": "max_rel", "op": ">", "value": 1e-3, "level": "warn"}'
    precheck x.npy --json --to bf16,e4m3fn --policy p.json
    [ "$status" -eq 1 ]
    [ -z "$stderr" ]
    is '[tuple(g.values()) for g in r["gates"]], r["verdict"]' \
        "([('overflow > 0', 'x.npy', '', 'bf16', 0, True, 'error'), \
('overflow > 0', 'x.npy', '', 'e4m3fn', 1, False, 'error'), \
('bf16: max_rel > 0.001', 'x.npy', '', 'bf16', 0, True, 'warn')], 'fail')"
}

@test "warnings are told and do not fail" {
    policy "{$overflow, \"level\": \"warn\"}"
    passes x.npy --to bf16,e4m3fn --policy p.json
    [[ $output = "PASS  1 gate holds, 1 warning"$'\n'* ]]
    has '^  warns on +value +format +tensor$'
    has '^  overflow > 0 +1 +e4m3fn +x.npy$'
    lacks 'fails on|the other'
    passes x.npy --to e4m3fn --policy p.json
    [[ $output = "PASS  1 warning"$'\n'* ]]
    passes x.npy --json --to e4m3fn --policy p.json
    is 'r["gates"][0]["pass"], r["gates"][0]["level"], r["verdict"]' "(False, 'warn', 'pass')"
}

@test "failures come before warnings" {
    policy "{$overflow, \"level\": \"warn\"}" '{"metric": "exact", "op": "<", "value": 4}' \
        '{"metric": "exact_rate", "op": "<", "value": 0, "level": "warn"}'
    precheck x.npy --to e4m3fn --policy p.json
    [ "$status" -eq 1 ]
    [[ $output = "FAIL  1 of 3 gates, 1 warning"$'\n'*"fails on"*"exact < 4"*"warns on"*"overflow > 0"*"the other one holds"* ]]
}

@test "--fail-on applies too, whatever the policy says" {
    policy '{"metric": "overflow", "level": "off"}' '{"metric": "nan", "op": ">", "value": 0}'
    passes x.npy -q --to e4m3fn --policy p.json
    precheck x.npy --json --to e4m3fn --policy p.json --fail-on 'overflow > 0'
    [ "$status" -eq 1 ]
    is '[g["rule"] for g in r["gates"]]' "['overflow > 0', 'nan > 0']"
}

@test "the pattern * is for the tensor without a name, others are not" {
    policy "{\"tensors\": \"*\", $overflow}"
    passes x.npy -q --to bf16 --policy p.json
    policy "{\"tensors\": \"?*\", $overflow}"
    trouble "^precheck: rule '\?\*: overflow > 0': no tensor with elements has such a name$" \
        x.npy -q --to bf16 --policy p.json
    policy "{\"tensors\": \"?*\", $overflow, \"optional\": true}" "{$overflow}"
    passes x.npy -q --to bf16 --policy p.json
}

@test "names of a container" {
    policy "{\"tensors\": \"a\", $overflow}" '{"tensors": "[bc]", "metric": "exact", "op": "<", "value": 1}'
    passes "$root/tests/corpus/gguf/good-three.gguf" --json --to bf16 --policy p.json
    is '[(g["rule"], g["name"]) for g in r["gates"]]' \
        "[('a: overflow > 0', 'a'), ('[bc]: exact < 1', 'b'), ('[bc]: exact < 1', 'c')]"
}

@test "what is wrong with a policy is told before a tensor is read" {
    policy "{$overflow}" "{$overflow, \"levle\": \"warn\"}"
    trouble "^precheck: p.json: rule 2: unknown key 'levle'$" x.npy --policy p.json
    echo '{"version": 1, "rules": [' >p.json
    trouble '^precheck: p.json: line 2, column 0: ' x.npy --policy p.json
    trouble '^precheck: none.json: No such file or directory$' missing.npy --policy none.json
    trouble '^precheck: .: Is a directory$' x.npy --policy .
    trouble '^precheck: --policy names no file$' x.npy --policy=
}

@test "the last policy counts, and only it is read" {
    policy "{$overflow}"
    precheck x.npy -q --to e4m3fn --policy none.json --policy p.json
    [ "$status" -eq 1 ]
    [ -z "$stderr" ]
}

@test "a policy may come through a pipe" {
    policy "{$overflow}"
    precheck x.npy -q --to e4m3fn --policy <(cat p.json)
    [ "$status" -eq 1 ]
    [ -z "$stderr" ]
}

@test "a policy is not overwritten" {
    policy "{$overflow}"
    cp p.json copy.json
    trouble '^precheck: p.json: is an input: it would be overwritten$' x.npy --policy p.json -o json:p.json -q
    trouble '^precheck: p.json: is an input: it would be overwritten$' x.npy --policy p.json --to bf16 -w p.json
    cmp p.json copy.json
}

@test "--exit-zero and trouble are as with --fail-on" {
    policy "{$overflow}"
    passes x.npy -q --to e4m3fn --policy p.json --exit-zero
    precheck x.npy missing.npy -q --to e4m3fn --policy p.json
    [ "$status" -eq 2 ]
}

@test "colours: a warning is no failure" {
    policy "{$overflow, \"level\": \"warn\"}"
    passes x.npy --to e4m3fn --policy p.json --color always
    [[ $output = $'\e['*m'PASS'* ]]
    [ "$(grep -c $'\e\\[[0-9;]*33m' <<<"$output")" -ge 1 ]
}
