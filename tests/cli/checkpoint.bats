# Checkpoints: many tensors in one file or several, whatever they are in.
load helper

corpus=$root/tests/corpus
containers=(stored.npz deflated.npz one.safetensors zip.pt legacy.pt one.gguf shards shards/model.safetensors.index.json folder)

# checkpoint COMMAND ARGUMENT...: see checkpoint.py.
checkpoint()
{
    "$python" -IS "$here/checkpoint.py" "$@"
}

# figures_of ARGUMENT...: what is reported, without files.
figures_of()
{
    "$PRECHECK" --json "$@" 2>/dev/null | checkpoint figures
}

# Three tensors, of which one has its data before those of the others.
weights=('b.weight=f32:2x3:1,-2,0.5,4096' 'a.weight=f32:2x3:0.25,3' 'a.bias=f16:3:1e-3,0' 'n.steps=i64:2:7')

names='[t["name"] for t in r["tensors"]]'

# What it is in.

@test "the same tensors in every container: the same figures" {
    checkpoint same .
    for options in '' '--scale amax --to fp16,e4m3fn --round up' '--update 1e-4 --to bf16 --overflow saturate'; do
        # shellcheck disable=SC2086
        figures_of one.safetensors $options >wanted
        [ "$(grep -c '"relative_error"' wanted)" -gt 7 ]
        for container in "${containers[@]}"; do
            # shellcheck disable=SC2086
            figures_of "$container" $options >got
            cmp wanted got || shows "$container $options"
        done
    done
    # .npy files have no names, from which advice could be given.
    "$PRECHECK" --json one.safetensors | checkpoint figures advice >wanted
    "$PRECHECK" --json npy/*.npy 2>/dev/null | checkpoint figures advice >got
    cmp wanted got
}

@test "-j 1, 2 and 7: the same report, byte for byte" {
    checkpoint same .
    for container in "${containers[@]}"; do
        for options in '' '--scale amax --round stochastic:3 --to fp16,e5m2'; do
            # shellcheck disable=SC2086
            "$PRECHECK" --json -j 1 $options "$container" >one 2>/dev/null
            for threads in 2 7; do
                # shellcheck disable=SC2086
                "$PRECHECK" --json -j $threads $options "$container" 2>/dev/null | cmp one - || shows "$container -j $threads"
            done
        done
    done
    "$PRECHECK" -v -j 1 shards >one
    "$PRECHECK" -v -j 7 shards | cmp one -
}

@test "--reference agrees, in every container" {
    checkpoint make x.safetensors "${weights[@]}" 'e=f32:0x3:'
    for kind in npz deflated.npz pt legacy.pt gguf; do checkpoint make x.$kind "${weights[@]}" 'e=f32:0x3:'; done
    for kind in safetensors npz deflated.npz pt legacy.pt gguf; do
        for options in '' '-u 1e-3 --to bf16 --round stochastic:1' '--scale amax --to fp8'; do
            # shellcheck disable=SC2086
            passes -q x.$kind --reference $options
        done
    done
    checkpoint same .
    for container in deflated.npz zip.pt shards; do
        precheck -q "$container" --to bf16 --reference --exclude '*exp_avg_sq'
        [ "$status" -eq 0 ] || shows "$container"
    done
}

@test "a pipe gives what a file gives, where the container allows it" {
    checkpoint same .
    for file in one.safetensors one.gguf; do
        figures_of $file >wanted
        figures_of - <$file | cmp wanted -
        # shellcheck disable=SC2002
        cat $file | "$PRECHECK" --json -j 3 - | checkpoint figures | cmp wanted -
    done
    for file in stored.npz deflated.npz zip.pt; do
        trouble '^precheck: standard input: a zip archive needs a file, not a pipe$' - < <(cat $file)
        figures_of - <$file | cmp wanted -
    done
    trouble '^precheck: standard input: a PyTorch file needs a file, not a pipe$' - < <(cat legacy.pt)
    trouble '^precheck: standard input: --scale amax reads twice' - --scale amax < <(cat one.gguf)
}

@test "the corpora: what is good is reported or has no float, what is bad has one message" {
    for file in "$corpus"/{npz,safetensors,torch,gguf}/good-*; do
        precheck --json "$file"
        if [ "$status" -eq 0 ]; then
            is 'all(t["elements"] >= 0 for t in r["tensors"])' True
        else
            trouble '^precheck: .*: no floating-point tensor' "$file"
        fi
    done
    for file in "$corpus"/{safetensors,torch,gguf,index}/bad-*; do
        trouble '^precheck: .*: ' --json "$file"
        [[ $stderr = "precheck: $file: "?* ]] || shows "$file"
    done
    # In archives there may be other tensors that are whole.
    for file in "$corpus"/npz/bad-*; do
        precheck --json "$file"
        stderr=${stderr##*"are ignored"$'\n'} # a warning
        [ "$status" -eq 2 ] && one_message '^precheck: .*: ' || shows "$file"
    done
}

# Names, and what is skipped.

@test "names, skipped tensors and sizes in the reports" {
    for file in x.npz x.safetensors x.pt x.gguf; do
        checkpoint make $file "${weights[@]}"
        passes --json --to bf16,e5m2 $file
        is "$names" "['b.weight', 'a.weight', 'a.bias']"
        is 'r["skipped"]' "[{'file': '$file', 'name': 'n.steps', 'dtype': 'i64', 'reason': 'not floating point'}]"
        is 'r["checkpoint"]["bytes"], r["checkpoint"]["dtypes"]' \
            "(54, [{'dtype': 'f32', 'tensors': 2, 'bytes': 48}, {'dtype': 'f16', 'tensors': 1, 'bytes': 6}])"
        is 'r["checkpoint"]["after"]' "[{'to': 'bf16', 'bytes': 30}, {'to': 'e5m2', 'bytes': 15}]"
        is 'r["total"][0]["error"]["max_abs_at"] and r["total"][0]["error"]["max_abs_at"]["name"]' a.bias
        passes $file
        has 'a\.weight'
        has 'n\.steps'
    done
    trouble 'x.pt: no floating-point tensor, but i64$' x.pt --select n.steps
}

@test "names with control characters, newlines, markup and formats of printf" {
    local evil=($'two\nlines' $'\e[31mred' '<script>alert(1)</script>' '%s%n%x' '../../passwd' $'tab\t' '"quote"' 'back\x41' ' ')
    local words=()
    for name in "${evil[@]}"; do words+=("$name=f32:2:1,3e9"); done
    for file in x.npz x.safetensors x.pt x.gguf; do
        checkpoint make $file "${words[@]}"
        passes --json --to fp16 $file
        is 'len(r["tensors"]), len({t["name"] for t in r["tensors"]})' '(9, 9)'
        is '{"two\nlines", "\x1b[31mred", "<script>alert(1)</script>", "%s%n%x", "back\\x5cx41"} <= {t["name"] for t in r["tensors"]}' True
        [[ $output != *[$'\e\t']* ]]
        passes --to fp16 $file
        [[ $output != *[$'\e\t']* ]]
        has 'two\\x0alines'
        has '%s%n%x'
        LC_ALL=C passes --to fp16 $file
        passes -q --to fp16 $file --select $'two\nlines' --select '%s%n%x'
        precheck --to fp16 $file --fail-on 'overflow > 0'
        [ "$status" -eq 1 ]
        [[ $output != *[$'\e\t']* ]]
        trouble $'^precheck: --select \'no\\\\x0aname\' matches no tensor$' $file --select $'no\nname'
    done
    for file in "$corpus"/torch/good-names.pt "$corpus"/gguf/good-name-bytes.gguf "$corpus"/safetensors/good-name-*.safetensors; do
        passes "$file"
        [[ $output != *[$'\e\t\r']* ]]
        passes --json "$file"
        [[ $output != *[$'\e\t\r']* ]]
    done
    # And in messages.
    checkpoint make bad.npz $'%s\n\e[31m=f32:1:1' 'b=f32:1:2'
    checkpoint damage bad.npz $'%s\n\e[31m.npy'
    precheck -q bad.npz
    [ "$status" -eq 2 ]
    one_message '^precheck: bad.npz: tensor .%s\\x0a\\x1b\[31m.: the data are damaged'
}

@test "the same name in two files of a folder are two tensors" {
    mkdir two
    checkpoint make two/1.safetensors 'w=f32:2:1'
    checkpoint make two/2.npz 'w=f32:2:3e5'
    passes --json two --to fp16
    is '[(t["file"], t["name"]) for t in r["tensors"]]' "[('two/1.safetensors', 'w'), ('two/2.npz', 'w')]"
    is 'r["total"][0]["overflow"]' 2
}

@test "tied tensors and views of PyTorch files" {
    passes --json "$corpus"/torch/good-tied.pt
    is "$names" "['a', 'c']"
    is '[(s["name"], s["reason"]) for s in r["skipped"]]' "[('b', 'the same elements as a')]"
    passes --json "$corpus"/torch/good-expanded.pt
    is 'r["tensors"][0]["shape"], r["tensors"][0]["elements"]' '([4, 3], 3)'
    passes --json "$corpus"/torch/good-duplicates.pt
    is 'len(r["tensors"]), len({t["name"] for t in r["tensors"]})' '(4, 4)'
}

# --select and --exclude

@test "--select and --exclude" {
    for file in x.npz x.safetensors x.pt x.gguf; do
        checkpoint make $file "${weights[@]}"
        passes --json $file --select '*.weight'
        is "$names, r['skipped']" "(['b.weight', 'a.weight'], [])"
        passes --json $file --select 'a.*' --select '*.steps'
        is "$names, [s['name'] for s in r['skipped']]" "(['a.weight', 'a.bias'], ['n.steps'])"
        passes --json $file --exclude '*.bias'
        is "$names" "['b.weight', 'a.weight']"
        passes --json $file --select '*.weight' --exclude 'b*'
        is "$names, r['checkpoint']['bytes']" "(['a.weight'], 24)"
        passes --json $file --exclude 'b*' --select '*.weight'
        is "$names" "['a.weight']"
        trouble "^precheck: --select 'weight' matches no tensor\$" $file --select weight
        # What others match is reported all the same.
        precheck --json $file --select '*.weight' --select 'c*'
        [ "$status" -eq 2 ] && one_message "^precheck: --select 'c\\*' matches no tensor\$" || shows "$file"
        is "$names" "['b.weight', 'a.weight']"
        precheck -q $file --exclude 'c*'
        [ "$status" -eq 2 ] && one_message "^precheck: --exclude 'c\\*' matches no tensor\$" || shows "$file"
        trouble "^precheck: $file: no floating-point tensor" $file --exclude '*'
        trouble "^precheck: --select: pattern '\\['" $file --select '['
    done
    # In any of the files.
    passes --json x.npz x.pt --select 'a.bias'
    is '[t["file"] for t in r["tensors"]]' "['x.npz', 'x.pt']"
    checkpoint same .
    passes --json shards --select '*norm*' --to bf16
    is '[(t["file"], t["name"]) for t in r["tensors"]]' "[('shards/model-00002-of-00003.safetensors', 'model.norm.weight')]"
    trouble "^precheck: --select 'nothing' matches no tensor\$" shards --select nothing
    # Of a stream, what is not selected is passed over.
    passes --json - --select '*.bias' < <(cat x.safetensors)
    is "$names" "['a.bias']"
    passes --json - --select '*.bias' < <(cat x.gguf)
    is "$names" "['a.bias']"
}

# What is asked of each tensor.

@test "--scale amax is found for each tensor" {
    checkpoint make x.safetensors 'small=f32:2:1e-6' 'large=f32:2:-3e6' 'zero=f32:1:0'
    passes --json --to fp16 --scale amax x.safetensors
    is '[t["casts"][0]["scale"] for t in r["tensors"]]' '[34359738368, 0.015625, 1]'
    is 'r["total"][0]["overflow"], r["total"][0]["scale"]' '(0, None)'
}

@test "--update: tensors match by name, in any order and of any type" {
    checkpoint make w.safetensors 'a=f32:3:1' 'b=f32:2x2:1' 'c=f32:1:1'
    # The update of a vanishes in bf16, that of c does not.
    checkpoint make u.safetensors 'c=f16:1:1' 'x=f32:1:0' 'b=f64:2x2:1e-8,1' 'a=f32:3:1e-8'
    checkpoint make u.npz 'c=f16:1:1' 'x=f32:1:0' 'b=f64:2x2:1e-8,1' 'a=f32:3:1e-8'
    checkpoint make u.pt 'c=f16:1:1' 'x=f32:1:0' 'b=f64:2x2:1e-8,1' 'a=f32:3:1e-8'
    checkpoint make u.gguf 'c=f16:1:1' 'x=f32:1:0' 'b=f64:2x2:1e-8,1' 'a=f32:3:1e-8'
    for updates in u.safetensors u.npz u.pt u.gguf; do
        for threads in 1 3; do
            passes --json --to bf16 -j $threads w.safetensors --update $updates
            is '[(t["name"], t["casts"][0]["update"]["lost"]) for t in r["tensors"]]' "[('a', 3), ('b', 2), ('c', 0)]"
        done
        passes -q --to bf16 w.safetensors --update $updates --reference
    done
    passes -q --to bf16 - --update u.pt < <(cat w.safetensors)
    passes --json --to bf16 w.safetensors -u u.pt --select b --ema 0.9
    is "$names" "['b']"
}

@test "--update: a tensor without one, of another shape or order, is named" {
    checkpoint make w.safetensors 'a=f32:3:1' 'b=f32:2x2:1' 'c=f32:1:1'
    checkpoint make u.npz 'c=f32:1:1' 'a=f32:3:1'
    precheck --json --to bf16 w.safetensors --update u.npz
    [ "$status" -eq 2 ]
    one_message '^precheck: w.safetensors: tensor .b.: --update: u.npz has no floating-point tensor for this one$'
    is "$names, r['verdict']" "(['a', 'c'], None)"
    passes -q w.safetensors --update u.npz --exclude b
    checkpoint make u.npz 'b=i64:2x2:1' 'c=f32:1:1' 'a=f32:3:1'
    precheck -q w.safetensors --update u.npz
    one_message '^precheck: w.safetensors: tensor .b.: --update: u.npz has no floating-point tensor for this one$'
    checkpoint make u.npz 'b=f32:4:1' 'c=f32:1:1' 'a=f32:3:1'
    precheck -q w.safetensors --update u.npz
    one_message '^precheck: w.safetensors: tensor .b.: --update: u.npz has another shape$'
    checkpoint make u.npz 'b=f32:4:1' 'c=f32:2:1' 'a=f32:3:1'
    precheck -q w.safetensors --update u.npz
    one_message '^precheck: w.safetensors: tensor .b.: --update: u.npz has another shape \(and 1 more tensor\)$'
}

@test "--update: names do not matter only where there is one tensor on both sides" {
    checkpoint make one.safetensors 'w=f32:3:1'
    checkpoint make two.safetensors 'a=f32:3:1' 'b=f32:3:1'
    checkpoint make u.safetensors 'grad=f32:3:1'
    checkpoint make a.safetensors 'a=f32:3:1'
    mkdir shards
    checkpoint make shards/1.safetensors 'a=f32:3:1'
    checkpoint make shards/2.safetensors 'b=f32:3:1'
    checkpoint index shards
    passes -q one.safetensors -u u.safetensors
    trouble '^precheck: two.safetensors: tensor .b.: --update: a.safetensors has no ' -q two.safetensors -u a.safetensors
    trouble '^precheck: two.safetensors: tensor .b.: --update: a.safetensors has no ' -q two.safetensors -u a.safetensors --select b
    passes -q two.safetensors -u a.safetensors --select a
    trouble '^precheck: shards/2.safetensors: tensor .b.: --update: a.safetensors has no ' -q shards -u a.safetensors
    passes -q shards -u two.safetensors
}

@test "--update: compressed archives and pipes are refused" {
    checkpoint make w.safetensors 'a=f32:3:1' 'b=f32:2x2:1'
    checkpoint make deflated.npz 'a=f32:3:1' 'b=f32:2x2:1'
    trouble '^precheck: w.safetensors: tensor .a.: --update: deflated.npz is compressed and cannot be read beside' -q w.safetensors -u deflated.npz
    checkpoint make u.safetensors 'a=f32:3:1' 'b=f32:2x2:1'
    mkfifo fifo
    cat u.safetensors >fifo &
    trouble '^precheck: fifo: updates .* need a file, not a pipe$' -q w.safetensors -u fifo
}

@test "gates name the tensor" {
    checkpoint make x.safetensors 'fine=f32:2:1' 'large=f32:2:1e6' 'norm=f32:3:1,1e6' 'none=f32:0:'
    precheck --json x.safetensors --to fp16,bf16 --fail-on 'overflow > 0'
    [ "$status" -eq 1 ]
    is '[(g["name"], g["to"], g["value"]) for g in r["gates"] if not g["pass"]]' "[('large', 'fp16', 2), ('norm', 'fp16', 1)]"
    is 'len(r["gates"])' 6
    precheck x.safetensors --to fp16,bf16 --fail-on 'overflow > 0'
    has '^FAIL  2 of 6 gates'
    has 'overflow > 0 .* fp16 .*large'
    cat >policy.json <<'JSON'
{"version": 1, "rules": [{"metric": "overflow", "op": ">", "value": 0}, {"tensors": "l*", "metric": "overflow", "level": "off"},
 {"tensors": "norm", "metric": "overflow", "op": ">", "value": 0, "level": "warn"}]}
JSON
    passes --json x.safetensors --to fp16 --policy policy.json
    is '[(g["name"], g["pass"], g["level"]) for g in r["gates"]]' "[('fine', True, 'error'), ('norm', False, 'warn')]"
    # A pattern that the selection left nothing for is one that matches nothing.
    trouble '.*l\*.*' -q x.safetensors --to fp16 --policy policy.json --exclude large
    precheck -q x.safetensors --to fp16 --fail-on 'overflow > 0' --select none
    [ "$status" -eq 2 ]
}

# How far it is.

@test "--progress: after a second, on a line that goes away" {
    checkpoint make x.safetensors 'a=f32:1000x1000:1' 'b=f32:3:2'
    passes x.safetensors -q --progress always # too short
    for when in always auto never; do
        { head -c 1000000 x.safetensors; sleep 1.7; tail -c +1000001 x.safetensors; } |
            "$PRECHECK" -q --to bf16 --progress=$when - 2>told
        if [ $when = always ]; then
            stderr=$(tr '\r' '\n' <told)
            grep -qE '^ *[0-9]+ %  [0-9.]+ .?B  [0-9.]+ .?B/s  .* left' <<<"$stderr" || shows "$when"
            [[ $(<told) != *$'\n'* && $(tail -c 1 told) = $'\r' ]] || shows "$when"
        else
            [ ! -s told ] # it is no terminal
        fi
    done
    trouble "--progress" x.safetensors --progress=sometimes
}

# What is broken.

@test "messages name a tensor alike, whatever it is read from" {
    for file in npz/bad-header-none.npz safetensors/bad-gap-first.safetensors \
        gguf/bad-offset-unaligned.gguf torch/bad-offset-huge.pt; do
        trouble "^precheck: [^:]*/$file: tensor 'w': [a-z]" "$corpus/$file"
    done
    trouble ": safetensors header, byte 95: tensor 'w': the shape is too large$" "$corpus/safetensors/bad-offsets-end.safetensors"
    trouble ": two tensors 'w'$" "$corpus/gguf/bad-name-twice.gguf"
    # A file of one tensor without a name is all that there is to name.
    npy x.npy '<f4' 3 1
    npy u.npy '<f4' 4 1
    trouble '^precheck: x.npy: --update: u.npy has another shape$' x.npy -q --to bf16 --update u.npy
}

@test "a tensor whose checksum is wrong is named, and the others are measured" {
    for file in stored.npz deflated.npz; do
        checkpoint make $file 'a=f32:3:1' 'b=f32:70000:2,3' 'c=f32:1:4' 'd=f32:2:5'
        checkpoint damage $file b.npy
        for threads in 1 2 7; do
            precheck --json --to bf16 -j $threads $file
            [ "$status" -eq 2 ]
            one_message "^precheck: $file: tensor .b.: the data are damaged: their CRC-32 is [0-9a-f]{8}, not [0-9a-f]{8}\$"
            is "$names" "['a', 'c', 'd']"
            is 'r["total"][0]["normal"], r["verdict"]' '(6, None)'
        done
        precheck -q $file --fail-on 'overflow > 0'
        [ "$status" -eq 2 ]
        passes -q $file --exclude b
        checkpoint damage $file d.npy
        precheck -q --to bf16 $file
        one_message "^precheck: $file: tensor .b.: the data are damaged.* \\(and 1 more tensor\\)\$"
        # The scales of the others are found too.
        for threads in 1 3; do
            precheck --json --to e4m3fn --scale amax -j $threads $file
            [ "$status" -eq 2 ]
            one_message "^precheck: $file: tensor .b.: the data are damaged.* \\(and 1 more tensor\\)\$"
            is "$names" "['a', 'c']"
            local scales='[(t["name"], t["casts"][0]["scale"]) for t in r["tensors"]]' found=$output
            passes --json --to e4m3fn --scale amax $file --exclude '[bd]'
            [ "$(value "$scales" <<<"$found")" = "$(value "$scales" <<<"$output")" ]
        done
    done
    # PyTorch's archives have no checksums to rely on: their storages are read where views begin.
    checkpoint make x.pt 'a=f32:3:1'
    checkpoint damage x.pt archive/data/0
    passes -q x.pt
}

@test "a broken file among others: the others are measured" {
    checkpoint same .
    head -c 5000 one.gguf >folder/x.gguf
    precheck --json folder --to bf16
    [ "$status" -eq 2 ]
    one_message "^precheck: folder/x.gguf: tensor 'model.embed.weight': truncated data: "
    is 'len(r["tensors"])' 7
    rm shards/model-00002-of-00003.safetensors
    trouble "^precheck: shards: model.safetensors.index.json: index: 'model-00002-of-00003.safetensors': No such file" shards
    checkpoint make shards/model-00002-of-00003.safetensors 'other=f32:1:1'
    precheck --json shards --to bf16
    [ "$status" -eq 2 ]
    one_message "^precheck: shards/model-00002-of-00003.safetensors: has no tensor 'model.norm.weight', which the index has in this file\$"
    ln -sf /etc/hostname shards/model-00002-of-00003.safetensors
    trouble 'is a link out of the folder of the index$' shards
}

@test "files that are cut anywhere are refused, as pipes too" {
    checkpoint make x.safetensors "${weights[@]}"
    for kind in npz deflated.npz pt legacy.pt gguf; do checkpoint make x.$kind "${weights[@]}"; done
    for kind in safetensors npz deflated.npz pt legacy.pt gguf; do
        local size step
        size=$(stat -c %s x.$kind)
        step=$((size / 20 + 1))
        # The padding behind the last data of a .gguf file may be missing.
        if [ $kind = gguf ]; then size=$((size - 32)); fi
        for ((at = 1; at < size; at += step)); do
            head -c $at x.$kind >cut
            trouble '^precheck: cut: ' cut
            precheck -q - < <(cat cut)
            [ "$status" -eq 2 ] && one_message '^precheck: standard input: ' || shows "$kind $at"
        done
    done
}

# What changes while it is read; see memory.bats.
change_while_read()
{
    checkpoint zeros x.safetensors 8000000
    checkpoint zeros u.safetensors 8000000
    mkfifo out.raw
    "$python" -IS "$here/ends.py" "$PRECHECK" x.safetensors --json --to bf16 -w out.raw "$@" 2>told >out &
    exec 7<out.raw
    head -c 1000 <&7 >/dev/null
}

@test "a checkpoint that shrinks or changes while it is read: status 2" {
    for command in 'truncate -s 0' 'truncate -s 500000' 'truncate -s -4' 'truncate -s +4' 'touch'; do
        change_while_read
        sleep 0.02 # for the clock of the file system to tick
        $command x.safetensors
        cat <&7 >/dev/null
        exec 7<&-
        wait
        [ "$(tail -n 1 told)" = 'exit 2' ] || shows "$command"
        stderr=$(sed '$d' told)
        one_message '^precheck: x.safetensors: (tensor .w.: )?the file (shrank|changed|became shorter) while it was (being )?read$' || shows "$command"
        rm x.safetensors out.raw
    done
}

@test "updates from shards: an index or a folder, names matched across all files" {
    checkpoint same .
    mkdir one
    cp one.safetensors one/weights.safetensors
    passes --json --to bf16 one.safetensors -u one.safetensors --update-scale 1e-3
    local wanted
    wanted=$(checkpoint figures settings <<<"$output")
    for updates in shards shards/model.safetensors.index.json folder one; do
        for input in one.safetensors shards; do
            figures_of --to bf16 $input -u $updates --update-scale 1e-3 | value 'r["tensors"]' >got
            diff got <(value 'r["tensors"]' <<<"$wanted")
        done
        passes -q --to bf16 one.safetensors -u $updates --reference --select '*.bias'
    done
    # What the index has elsewhere is none of it.
    checkpoint make x.safetensors 'model.norm.weight=f64:2x3:1' 'other=f32:1:1'
    cp x.safetensors shards/model-00002-of-00003.safetensors
    precheck --json --to bf16 x.safetensors -u shards
    [ "$status" -eq 2 ]
    one_message "^precheck: x.safetensors: tensor 'other': --update: shards has no floating-point tensor for this one\$"
    is "$names" "['model.norm.weight']"
    # Two of one name are trouble where one is asked for.
    cp x.safetensors folder/again.safetensors
    passes -q --to bf16 x.safetensors -u folder --exclude model.norm.weight
    trouble "^precheck: x.safetensors: tensor 'model.norm.weight': --update: both folder/again.safetensors and folder/model-0000.-of-00003.safetensors have a tensor of this name\$" \
        -q --to bf16 x.safetensors -u folder --select model.norm.weight
    # What is wrong with any of them is told.
    printf x >>folder/again.safetensors
    trouble '^precheck: folder/again.safetensors: ' -q --to bf16 x.safetensors -u folder
    rm shards/model-00002-of-00003.safetensors
    trouble "^precheck: shards: model.safetensors.index.json: index: 'model-00002-of-00003.safetensors': No such file" \
        -q --to bf16 x.safetensors -u shards
    mkdir empty
    trouble '^precheck: empty: no tensor file in this directory$' -q --to bf16 x.safetensors -u empty
    checkpoint make folder/again.safetensors 'model.norm.weight=f64:2x3:1' 'other=f32:1:1'
    trouble 'folder/again.safetensors: is an input' x.safetensors --to bf16 -u folder -w folder/again.safetensors
    trouble 'folder/again.safetensors: is an input' x.safetensors --to bf16 -u folder -o json:folder/again.safetensors
}

@test "updates that shrink while they are read: status 2" {
    change_while_read -u u.safetensors
    truncate -s 100000 u.safetensors
    cat <&7 >/dev/null
    exec 7<&-
    wait
    [ "$(tail -n 1 told)" = 'exit 2' ]
    stderr=$(sed '$d' told)
    one_message '^precheck: x.safetensors: .*--update: u.safetensors: the file (shrank|changed)'
}

@test "a checkpoint that is cut again and again while several threads read it ends with 0 or 2" {
    checkpoint zeros x.safetensors 100000000
    for _ in 1 2; do
        "$python" -IS "$here/ends.py" "$PRECHECK" x.safetensors -q -j 4 --to bf16 2>told &
        for _ in $(seq 20); do
            truncate -s 1M x.safetensors
            truncate -s 100000066 x.safetensors
        done
        wait
        grep -qE '^exit [02]$' told || shows "$(<told)"
    done
}

# How much it takes.

# peak_of COMMAND...: in KiB
peak_of()
{
    /usr/bin/time -q -f %M -o "$BATS_TEST_TMPDIR/peak" "$@"
    cat "$BATS_TEST_TMPDIR/peak"
}

@test "100,000 tensors take less than 256 MiB, and no time that grows with their square" {
    if sanitized; then skip "AddressSanitizer needs memory of its own"; fi
    checkpoint many x.safetensors 100000
    [ "$(peak_of timeout 120 "$PRECHECK" -q --to bf16 x.safetensors -o json:report.json)" -lt 262144 ]
    [ "$(value 'len(r["tensors"]), len(r["gates"]), r["checkpoint"]["bytes"]' <report.json)" = '(100000, 0, 3200000)' ]
    for file in x.pt x.gguf x.npz; do
        checkpoint many $file 20000
        [ "$(peak_of timeout 120 "$PRECHECK" -q --to bf16 $file --select '*9.weight' -u $file)" -lt 262144 ]
    done
}

@test "2 GB of zeros, which is a hole, take less than 128 MiB" {
    if sanitized; then skip "AddressSanitizer needs memory of its own"; fi
    checkpoint zeros x.safetensors 2000000000
    [ "$(peak_of "$PRECHECK" -q --to bf16 x.safetensors -o json:report.json)" -lt 131072 ]
    [ "$(value 'r["tensors"][0]["input"]["zero"]' <report.json)" -eq 500000000 ]
}

@test "a claim of a header of gigabytes costs nothing" {
    if sanitized; then skip "AddressSanitizer needs memory of its own"; fi
    for claim in '\x00\xe1\xf5\x05\0\0\0\0{' '\xff\xff\xff\xff\xff\xff\xff\x7f{' '\x00\xe0\xf5\x05\0\0\0\0{'; do
        # shellcheck disable=SC2059
        printf "$claim" >x.safetensors
        [ "$(peak_of "$PRECHECK" x.safetensors 2>messages || true)" -lt 65536 ]
        [ "$(wc -l <messages)" -eq 1 ]
        # shellcheck disable=SC2002
        [ "$(cat x.safetensors | peak_of "$PRECHECK" - 2>messages || true)" -lt 65536 ]
        [ "$(wc -l <messages)" -eq 1 ]
    done
}

@test "advice: what is narrow already, and whether a master copy is beside the states of an optimizer" {
    checkpoint make alone.safetensors 'state.0.exp_avg=f32:3:1,1,1' 'state.0.exp_avg_sq=f32:3:1,1,1' 'state.0.step=f32:-:1' 'w=bf16:3:1,1,1'
    checkpoint make whole.safetensors 'state.0.exp_avg=f32:3:1,1,1' 'w=f32:3:1,1,1'
    checkpoint make copies.safetensors 'state.0.exp_avg=f32:3:1,1,1' 'fp32_from_fp16_params.0=f32:3:1,1,1' 'w=bf16:3:1,1,1'
    codes='[a["code"] for a in r["advice"]]'
    passes --json --to fp16 alone.safetensors
    is "$codes" "['already-narrow', 'no-master-copy']"
    is 'r["advice"][0]["text"].startswith("1 of 4 tensors is bf16 already")' True
    is '"2 of 4 tensors are optimizer states: exp_avg, exp_avg_sq (PyTorch Adam)" in r["advice"][1]["text"]' True
    passes --json --to fp16 whole.safetensors
    is "$codes" "['keep-master-copies']"
    passes --json --to fp16 copies.safetensors
    is "$codes" "['already-narrow', 'keep-master-copies']"
    is '"1 fp32 master copy is beside them: fp32_from_fp16_params (Apex and Megatron-LM)" in r["advice"][1]["text"]' True
    is 'r["checkpoint"]' "{'bytes': 30, 'dtypes': [{'dtype': 'f32', 'tensors': 2, 'bytes': 24}, {'dtype': 'bf16', 'tensors': 1, 'bytes': 6}], 'after': [{'to': 'fp16', 'bytes': 18}]}"
}
