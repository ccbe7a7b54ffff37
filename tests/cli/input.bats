# What is read, from where, and how hostile or odd files end.
load helper

corpus=$root/tests/corpus/npy

prepare()
{
    npy x.npy '<f4' 2x3 1 -2 0.1 3e5 1e-9 0
}

# report_of ARGUMENT...: the JSON report without the names of files.
report_of()
{
    "$PRECHECK" --json "$@" | sed 's/"file": "[^"]*"/"file": ""/g'
}

@test "every bad file of the corpus: status 2 and one message that names it, quickly and in little memory" {
    local count=0 most=0
    for file in "$corpus"/bad-*; do
        count=$((count + 1))
        status=0
        timeout 10 /usr/bin/time -q -f %M -o peak "$PRECHECK" --json "$file" >out 2>messages || status=$?
        output=$(<out) stderr=$(<messages)
        [ "$status" -eq 2 ] || shows "$file"
        [ -z "$output" ] || shows "$file"
        [[ $stderr = "precheck: $file: "?* && $stderr != *$'\n'* ]] || shows "$file"
        if [ "$(<peak)" -gt "$most" ]; then most=$(<peak); fi
    done
    [ "$count" -gt 50 ]
    sanitized || [ "$most" -lt 65536 ]
}

@test "the same through a pipe" {
    for file in "$corpus"/bad-*; do
        status=0
        timeout 10 "$PRECHECK" --json - < <(cat "$file") >out 2>messages || status=$?
        stderr=$(<messages)
        [ "$status" -eq 2 ] || shows "$file"
        [ ! -s out ]
        [[ $stderr = "precheck: standard input: "?* && $stderr != *$'\n'* ]] || shows "$file"
    done
}

@test "every good file of the corpus is reported, or skipped beside another" {
    local cast=0 skipped=0
    for file in "$corpus"/good-*; do
        if [[ $file = */good-skip-* ]]; then
            trouble '^precheck: .*: no floating-point tensor, but ' --json "$file"
            skipped=$((skipped + 1))
        else
            precheck --json "$file"
            [ "$status" -eq 0 ] || shows "$file"
            cast=$((cast + 1))
        fi
    done
    [ "$cast" -gt 20 ]
    [ "$skipped" -gt 5 ]
    precheck --json "$corpus"/good-*
    [ "$status" -eq 0 ]
    is 'len(r["tensors"]), len(r["skipped"]), {s["reason"] for s in r["skipped"]}' \
        "($cast, $skipped, {'not floating point'})"
    is 'all("/good-skip-" in s["file"] for s in r["skipped"])' True
}

@test "a file, a pipe, a FIFO and standard input give the same report" {
    mkfifo fifo
    for file in x.npy "$data"/digits-grad.npy "$corpus"/good-{c8-fortran,v2-be,tail,empty,scalar,version-3}.npy; do
        report_of "$file" >file.json 2>messages
        report_of - <"$file" >standard.json 2>/dev/null
        cat "$file" | report_of - >pipe.json 2>/dev/null
        cat "$file" >fifo &
        report_of fifo >fifo.json 2>/dev/null
        wait
        cmp file.json standard.json
        cmp file.json pipe.json
        cmp file.json fifo.json
    done
}

@test "raw data: the same through a pipe, whole, in part and of unknown length" {
    local sphinx=$data/sphinx-variances.bin
    for layout in f32le@72:42x3x128x13 f32@72:100 f32be@4:7x3 f16 e5m2@838731 f64@12; do
        report_of "$sphinx" --raw $layout >file.json
        cat "$sphinx" | report_of - --raw $layout >pipe.json
        cmp file.json pipe.json
    done
    [ "$(value 'r["tensors"][0]["shape"]' <file.json)" = '[104840]' ]
}

@test "a stream that trickles in" {
    { for part in 1 2 3; do floats 1 2; head -c 6 /dev/zero; sleep 0.02; done; } | report_of - --raw f16 >slow.json
    { floats 1 2; head -c 6 /dev/zero; floats 1 2; head -c 6 /dev/zero; floats 1 2; head -c 6 /dev/zero; } >all.raw
    report_of all.raw --raw f16 >file.json
    cmp file.json slow.json
}

@test "a stream that ends within an element, or too early, or is empty" {
    floats 1 2 3 >x.raw
    head -c 11 x.raw >cut.raw
    for raw in f32 f32:3 f32@8:1 f32@12:1 f32@13; do
        trouble '^precheck: standard input: ' - --raw $raw < <(cat cut.raw)
        trouble '^precheck: cut.raw: ' cut.raw --raw $raw
    done
    trouble '^precheck: standard input: is empty$' - </dev/null
    trouble '^precheck: standard input: is empty$' - --raw f32 </dev/null
    : >empty
    trouble '^precheck: empty: is empty$' empty
    trouble '^precheck: empty: is empty$' empty --raw f32
    trouble '^precheck: empty: is empty$' empty --raw f32:0
}

@test "a stream that ends too early: all threads tell the same" {
    head -c 4000000 /dev/zero >cut.raw
    for _ in {1..40}; do
        trouble '^precheck: standard input: truncated: ends at byte 4000000, ' - -j 8 --raw f32:3000000 < <(cat cut.raw)
    done
}

@test "standard input: named - in the report, from where it stands, and only once from a pipe" {
    passes --json - <x.npy
    is '[t["file"] for t in r["tensors"]]' "['-']"
    floats 1 2 3 4 >x.raw
    output=$({ head -c 8 >/dev/null; "$PRECHECK" --json --raw f32 -; } < <(cat x.raw))
    is 'r["tensors"][0]["input"]["mean"]' 3.5
    output=$({ dd bs=8 count=1 of=/dev/null status=none; "$PRECHECK" --json --raw f32 -; } <x.raw)
    is 'r["tensors"][0]["input"]["mean"]' 3.5
    precheck --json - - < <(cat x.npy)
    [ "$status" -eq 2 ]
    one_message '^precheck: standard input: is empty'
    is 'len(r["tensors"])' 1
    passes --json ./x.npy x.npy
    is '[t["file"] for t in r["tensors"]]' "['./x.npy', 'x.npy']"
}

@test "--scale amax reads twice and so refuses a pipe" {
    trouble '^precheck: standard input: --scale amax reads twice and needs a file' \
        - --scale amax < <(cat x.npy)
    passes - -q --scale amax <x.npy
}

@test "what cannot be opened or is no such file" {
    trouble '^precheck: nothing: No such file or directory$' nothing
    mkdir empty
    trouble '^precheck: empty: no tensor file in this directory$' empty
    trouble '^precheck: standard input: is a directory$' - <.
    trouble '^precheck: x.npy/y: Not a directory$' x.npy/y
    trouble '^precheck: : No such file or directory$' ''
    trouble 'not a .npy, .* or .[a-z]* file \(use --raw for headerless data\)$' "$PRECHECK"
    trouble '^precheck: link: ' link
    ln -s link link
    trouble '^precheck: link: Too many levels of symbolic links$' link
}

@test "a missing file among good ones: status 2, and the others are reported" {
    cp x.npy z.npy
    precheck --json x.npy nothing.npy z.npy "$corpus"/bad-deep.npy
    [ "$status" -eq 2 ]
    [ "$(wc -l <<<"$stderr")" -eq 2 ]
    [[ $stderr = "precheck: nothing.npy: No such file or directory"$'\n'"precheck: $corpus/bad-deep.npy: "* ]]
    is '[t["file"] for t in r["tensors"]], r["total"][0]["zero"]' "(['x.npy', 'z.npy'], 2)"
    precheck nothing.npy nowhere.npy
    [ "$status" -eq 2 ]
    [ -z "$output" ]
    [ "$(wc -l <<<"$stderr")" -eq 2 ]
}

@test "files without a floating-point tensor only" {
    trouble '^precheck: no floating-point tensor in any file$' "$corpus"/good-skip-{u2,i8}.npy
    precheck --json "$corpus"/good-skip-u2.npy nothing.npy
    [ "$status" -eq 2 ]
    one_message '^precheck: nothing.npy: '
}

@test "many files" {
    for i in $(seq 300); do ln x.npy $i.npy; done
    passes --json --to bf16 $(seq -f %g.npy 300)
    is 'len(r["tensors"]), r["total"][0]["normal"], r["total"][0]["error"]["max_abs_at"]["file"]' \
        "(300, 1500, '1.npy')"
    # None of them stays open.
    (ulimit -n 16 && "$PRECHECK" -q $(seq -f %g.npy 300))
}

@test "names with control characters, invalid UTF-8 and backslashes" {
    local names=($'new\nline' $'esc\e[31m' $'bad\xff\xfe' 'back\slash' 'back\xffslash' 'quote"' $'del\x7f' $'c1\xc2\x9b' \
        $'long\xc3' $'\xed\xa0\x80')
    for name in "${names[@]}"; do cp x.npy "$name"; done
    passes --json "${names[@]}"
    is '"|".join(t["file"] for t in r["tensors"])' \
        $'new\nline|esc\e[31m|bad\\xff\\xfe|back\\slash|back\\x5cxffslash|quote"|del\x7f|c1\xc2\x9b|long\\xc3|\\xed\\xa0\\x80'
    [[ $output != *[$'\e\x7f']* ]]
    passes -v "${names[@]}"
    [[ $output != *[$'\e\x7f']* ]]
    has '── esc.x1b\[31m ─'
    has '── new.x0aline ─'
    has '── bad.xff.xfe ─'
    has '── c1.xc2.x9b ─'
    # Different names stay different, in every locale.
    for locale in C C.UTF-8; do
        LC_ALL=$locale passes -v "${names[@]}"
        [ "$(grep -aE '^(──|--) .*(back|long|bad|esc|new|quote|del|c1|xed)' <<<"$output" | sort -u | wc -l)" -eq 10 ]
    done
    rm -- "${names[@]}"
    for name in "${names[@]}"; do
        trouble '^precheck: [ -~]*: No such file or directory$' "$name"
    done
}

@test "warnings go to standard error and change no status" {
    precheck -q "$corpus"/good-tail.npy
    [ "$status" -eq 0 ]
    one_message 'good-tail.npy: 4 bytes after the data are ignored$'
    precheck -q - < <(cat "$corpus"/good-tail.npy)
    [ "$status" -eq 0 ]
    one_message '^precheck: standard input: bytes after the data are ignored$'
    precheck -q "$corpus"/good-v2-le.npy
    [ "$status" -eq 0 ]
    one_message 'good-v2-le.npy: dtype V2 taken as bf16$'
    passes -q "$corpus"/good-v2-le.npy --view bf16
    passes -q --raw f32@72:3 "$data"/sphinx-variances.bin
}

@test "--view: bf16 stored as integers, and 8-bit floats without a type" {
    for descr in '<u2' '>u2' '<i2' '<f2' '<V2'; do
        npy v.npy "$descr" 3 0x3fc0 0xc000 0x7f80
        passes --json --view bf16 v.npy
        is 'r["tensors"][0]["dtype"], r["tensors"][0]["input"]["sum"], r["tensors"][0]["input"]["inf"]' \
            "('bf16', '-0x1p-1', 1)"
    done
    npy v.npy '|V1' 2 0x7e 0xff
    trouble '^precheck: v.npy: .*--view' v.npy
    passes --json --view e4m3fn v.npy
    is 'r["tensors"][0]["input"]["max_abs"], r["tensors"][0]["input"]["nan"]' '(448, 1)'
    passes --json --view e5m2fnuz v.npy
    is 'r["tensors"][0]["input"]["nan"]' 0
}

@test "one-byte elements of 4 and 6 bits ignore what lies above" {
    printf '\x02\xf2\xc2\x82' >x.raw
    passes --json --raw e2m1 x.raw
    is 'r["tensors"][0]["input"]["mean"]' 1
    passes --json --raw e3m2 x.raw
    is 'r["tensors"][0]["input"]["sum"]' -0x1.5p+1
}

@test "a tensor without elements: counts of zero, figures of null" {
    npy e.npy '<f4' 0x3
    passes --json --to bf16 e.npy
    is '{**r["tensors"][0]["input"]}' "{'nan': 0, 'inf': 0, 'zero': 0, 'min_abs': None, 'max_abs': None, \
'mean': None, 'rms': None, 'sum': None, 'exponents': {'first': None, 'counts': []}}"
    is '{v for k, v in r["total"][0]["error"].items() if k != "count"}' '{None}'
    passes e.npy
    passes -v --to bf16 e.npy x.npy
}

@test "a tensor of none but NaN, of zeros, of infinities, of one element" {
    for value in nan 0x80000000 inf 0x7f800001 1; do
        for shape in - 1 5x1; do
            npy v.npy '<f4' $shape $value
            passes v.npy
            passes -v v.npy --overflow saturate
            passes --json v.npy
            [[ ${output,,} != *": nan"* && $output != *Infinity* ]]
        done
    done
}
