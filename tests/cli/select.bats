# Which tensors are looked at: --select and --exclude; and --progress, which changes nothing.
load helper

make()
{
    "$python" -IS "$here/safetensors.py" make "$@"
}

prepare()
{
    make m.safetensors '' layer.0.weight F32 1 0000803f layer.0.bias F32 1 00000040 \
        layer.1.weight F32 1 00004040 steps I64 1 0100000000000000
}

# looks_at EXPECTED ARGUMENT...: the names in the report, then after a slash those that are skipped.
looks_at()
{
    local expected=$1
    shift
    passes m.safetensors --json "$@"
    is '" ".join(sorted(t["name"] for t in r["tensors"])) + "/" + " ".join(t["name"] for t in r["skipped"])' "$expected"
}

@test "--select and --exclude: any of the one, none of the other" {
    looks_at 'layer.0.bias layer.0.weight layer.1.weight/steps'
    looks_at 'layer.0.weight layer.1.weight/' --select '*.weight'
    looks_at 'layer.0.bias layer.0.weight/steps' --select 'layer.0.*' --select steps
    looks_at 'layer.0.bias layer.0.weight/' --exclude 'layer.1.*' --exclude '*s[!x]*ps' --exclude 'steps'
    looks_at 'layer.0.weight/' --exclude '*.bias' --select 'layer.?.weight' --exclude '*.1.*'
}

@test "--select and --exclude go for --list, too" {
    passes m.safetensors --list --json --select 'layer.0.*' --exclude '*.bias'
    is '[t["name"] for t in r["tensors"]]' "['layer.0.weight']"
}

@test "a pattern that matches nothing, or means nothing, is trouble" {
    trouble "^precheck: --select 'weight' matches no tensor$" m.safetensors -q --select weight --select '*'
    trouble "^precheck: --exclude 'x\*' matches no tensor$" m.safetensors -q --exclude 'x*'
    trouble "^precheck: --select: pattern '\[a': a \[ is not closed$" m.safetensors --select '[a'
    trouble "^precheck: --exclude: pattern 'a.' ends with a backslash$" m.safetensors --exclude 'a\'
}

@test "nothing but what cannot be cast is selected" {
    trouble '^precheck: m.safetensors: no floating-point tensor, but i64$' m.safetensors --select steps
}

@test "the longest of names leaves room for what is wrong" {
    name=$(printf 'n%.0s' {1..600})
    make long.safetensors '' "$name" F32 1 0000803f b F32 1 0000803f
    make other.safetensors '' b F32 1 0000803f c F32 1 0000803f
    trouble '^precheck: long.safetensors: tensor .nnn.*.: --update: other.safetensors has no floating-point tensor for this one$' \
        long.safetensors -q --to bf16 --update other.safetensors
}

@test "--progress: not within the first second, and never in the report" {
    precheck m.safetensors
    expected=$output
    for when in auto always never; do
        passes m.safetensors --progress $when
        [ "$output" = "$expected" ]
    done
    trouble "^precheck: --progress: 'often' is none of auto, always, never$" m.safetensors --progress often
}
