#!/usr/bin/env bats
# What --completion prints, tried in the shells that it is for: complete.py types on their terminals.
load helper

# A line that is typed, with tabs, and what the command is given.
lines=(
    $'precheck --ro\t' '--round'
    $'precheck --sort u\t' '--sort underflow'
    $'precheck --sort=u\t' '--sort=underflow'
    $'precheck --color al\t' '--color always'
    $'precheck --overflow s\t' '--overflow saturate'
    $'precheck --round to\t' '--round toward-zero'
    $'precheck --isa sc\t' '--isa scalar'
    $'precheck --view f6\t' '--view f64'
    $'precheck --scale am\t' '--scale amax'
    $'precheck --completion f\t' '--completion fish'
    $'precheck --to tf\t' '--to tf32'
    $'precheck -t fp16,tf\t' '-t fp16,tf32'
    $'precheck --to=fp16,tf\t' '--to=fp16,tf32'
    $'precheck --to hal\t' '--to half'
    $'precheck -o js\t' '-o json'
    $'precheck -qo js\t' '-qo json'
    $'precheck --output=junit:x.n\t' '--output=junit:x.npz'
    $'precheck x.n\t' 'x.npz'
    $'precheck --write x.n\t' '--write x.npz'
    $'precheck --policy=x.n\t' '--policy=x.npz'
    $'precheck -- x.n\t' '-- x.npz'
    $'precheck --fail-on \'max_abs_i\t> 0\'' "--fail-on 'max_abs_input > 0'"
    $'precheck --fail-on \'bf16: error.sq\t> 0\'' "--fail-on 'bf16: error.sqnr_db > 0'"
    $'precheck x.npz --select lay\t' 'x.npz --select layer.0.weight'
    $'precheck x.npz --exclude=lay\t' 'x.npz --exclude=layer.0.weight'
    $'precheck x.npz --keep \'*.w\t' "x.npz --keep '*.weight'"
    $'precheck -qt bf16 x.npz -o json:y.npz --select b\t' '-qt bf16 x.npz -o json:y.npz --select bias'
    $'precheck \'a "b$(c.npz\' --select lay\t' "'a \"b\$(c.npz' --select layer.0.weight"
    $'precheck a\\ \\"b\\$\\(c.npz --select lay\t' "'a \"b\$(c.npz' --select layer.0.weight"
    $'precheck fifo --select lay\t' 'fifo --select lay'
    $'precheck no.npz --select lay\t' 'no.npz --select lay'
    $'precheck --top x\t' '--top x'
)

# A name of a tensor, what of it is typed, and what the command is given: a pattern that matches it.
names=(
    'a1 b' $'a1\t' 'a1 b'
    "a2'c" $'a2\t' "a2'c"
    "a2'c" $'\'a2\t' "a2'c"
    'a3"d' $'a3\t' 'a3"d'
    'a3"d' $'"a3\t' 'a3"d'
    'a4$(touch pwned)' $'a4\t' 'a4$(touch pwned)'
    'a4$(touch pwned)' $'"a4\t' 'a4$(touch pwned)'
    'a5`touch pwned`' $'a5\t' 'a5`touch pwned`'
    'a5`touch pwned`' $'"a5\t' 'a5`touch pwned`'
    $'a6\ntouch pwned' $'a6\t' 'a6?touch pwned'
    'a7[b]*?' $'a7\t' 'a7\[b]\*\?'
    'a8\c' $'a8\t' 'a8\\c'
    'a8\c' $'"a8\t' 'a8\\c'
    'a9;touch pwned' $'a9\t' 'a9;touch pwned'
    'b1&|<>(){}#~^' $'b1\t' 'b1&|<>(){}#~^'
    'b2:c=d,e@f' $'b2\t' 'b2:c=d,e@f'
    'b2:c=d,e@f' $'b2:c\t' 'b2:c=d,e@f'
    'b3/c.d' $'b3\t' 'b3/c.d'
    '~b4' $'\\~\t' '~b4'
    $'b5\e[31m' $'b5\t' 'b5?\[31m'
    'b6 !!x' $'b6\t' 'b6 !!x'
    'b6 !!x' $'\'b6\t' 'b6 !!x'
    '=b7' $'\\=\t' '=b7'
    'b8{x,y}' $'b8\t' 'b8{x,y}'
    $'b9\xe2\x80\xae\xc3\xa9' $'b9\t' 'b9?é'
    '$HOME' $'\\$H\t' '$HOME'
)

# archive FILE NAME...: an .npz file with tensors of these names.
archive()
{
    "$python" -IS -c 'import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as archive:
    for name in dict.fromkeys(sys.argv[2:]):
        archive.write("one", name + ".npy")' "$@"
}

prepare()
{
    npy one '<f4' 2 1 -2
}

# types SHELL LINE...: what the command is given, a line each, quoted.
types()
{
    needs "$1"
    "$python" "$here/complete.py" "$@" >given 2>messages || shows "$1: $(<given) $(<messages)"
}

# every Nth ARRAY: elements of it, a line each.
completes()
{
    local i typed=() wanted=()
    archive x.npz layer.0.weight bias
    cp x.npz 'a "b$(c.npz'
    mkfifo fifo
    for ((i = 0; i < ${#lines[@]}; i += 2)); do
        typed+=("${lines[i]}")
        wanted+=("${lines[i + 1]}")
    done
    types "$1" "${typed[@]}"
    diff <(printf '%s\n' "${wanted[@]}") given
}

keeps_names_inert()
{
    local i all=() typed=() wanted=()
    for ((i = 0; i < ${#names[@]}; i += 3)); do
        all+=("${names[i]}")
        typed+=("precheck x.npz --select ${names[i + 1]}")
        wanted+=("${names[i + 2]}")
    done
    archive x.npz "${all[@]}"
    types "$1" "${typed[@]}"
    "$python" -IS -c 'import shlex, sys
for line in sys.stdin: print(shlex.split(line)[2])' <given >patterns
    diff <(printf '%s\n' "${wanted[@]}") patterns
    [ ! -e pwned ]
}

@test "bash completes options, words, files and names" {
    completes bash
}

@test "bash goes on to the figures where only one format is meant" {
    types bash $'precheck --fail-on \'tf\tzero_r\t> 0\''
    [ "$(<given)" = "--fail-on 'tf32: zero_rate > 0'" ]
}

@test "files behind the cursor count too" {
    archive x.npz layer.0.weight bias
    for shell in bash zsh; do
        types $shell $'precheck --select lay x.npz\x02\x02\x02\x02\x02\x02\t'
        [ "$(<given)" = '--select layer.0.weight x.npz' ]
    done
}

@test "zsh completes options, words, files and names" {
    completes zsh
}

@test "fish completes options, words, files and names" {
    completes fish
}

@test "names from strangers are inert in bash" {
    keeps_names_inert bash
}

@test "names from strangers are inert in zsh" {
    keeps_names_inert zsh
}

@test "names from strangers are inert in fish" {
    keeps_names_inert fish
}

@test "what is offered is a pattern that matches the name, and only it" {
    local i
    for ((i = 0; i < ${#names[@]}; i += 3)); do
        archive x.npz "${names[i]}" other
        passes x.npz --list --select "${names[i + 2]}" --json
        is 'len(r["tensors"])' 1
        is 'r["tensors"][0]["name"] != "other"' True
    done
}

# words OPTION: that its argument can be, by the script for bash.
words()
{
    (
        source <("$PRECHECK" --completion bash)
        _precheck_takes "$1"
        printf '%s\n' $words
    )
}

@test "the words are those that the program takes" {
    passes one --to "$(words --to | paste -sd,)"
    for option in --round --overflow --sort --color --progress --view --raw; do
        [ "$(words $option | wc -l)" -ge 2 ]
        for word in $(words $option); do
            precheck one $option $word
            [[ $stderr != *unknown* && $stderr != *"none of"* ]] || shows "$option $word"
        done
    done
    for word in $(words -o); do passes one -o $word --fail-on 'nan > 0'; done
    for word in $(words --isa); do
        precheck one --isa $word
        [ -z "$stderr" ] || one_message 'this processor has no' || shows "--isa $word"
    done
    for word in $(words --completion); do passes --completion $word; done
    trouble "completion: 'csh' is none of bash, zsh, fish" --completion csh
}

@test "the figures are those that gates take, and all of metrics.def" {
    words --fail-on | grep -v : >figures
    while read -r figure; do
        precheck one --fail-on "$figure > 0" -q
        [[ $stderr != *"no figure"* ]] || shows "$figure"
    done <figures
    local count=0 group name
    while read -r group name; do
        count=$((count + 1))
        [ "$group" = cast ] || name=$group.$name
        grep -qxF "$name" figures || shows "no $name"
    done < <(sed -nE 's/^METRIC\(\w+, (\w+), "([^"]+)", (COUNT|REAL),.*/\L\1 \2/p' "$root/src/report/metrics.def")
    [ "$count" -gt 40 ]
    for format in $(words --fail-on | grep :); do passes one --to "${format%:}" --fail-on "$format nan > 0"; done
}

@test "every option is in every script, with what it does" {
    local options option
    options=$("$PRECHECK" --help | sed -nE 's/^  (-., |    )--([a-z-]+).*/\2/p')
    [ "$(wc -l <<<"$options")" -gt 30 ]
    for shell in bash zsh fish; do "$PRECHECK" --completion $shell >$shell; done
    for option in $options; do
        grep -qE -- "[( ]--$option[ )]" bash || shows "bash: $option"
        grep -qE -- "--$option[=}']*\[\w" zsh || shows "zsh: $option"
        grep -qE -- " -l $option -d '\w" fish || shows "fish: $option"
    done
}

@test "fish lists formats and figures" {
    needs fish
    "$PRECHECK" --completion fish >precheck.fish
    listed() { fish --no-config -c 'source precheck.fish; complete -C "$argv"' -- "$1" | cut -f1; }
    diff <(words --to | sort) <(listed 'precheck --to ' | sort)
    diff <(words --fail-on | sort) <(listed 'precheck --fail-on ' | sort)
    [ "$(listed 'precheck --to fp16,e3m' | paste -sd' ')" = 'fp16,e3m2 fp16,e3m4' ]
    [ "$(listed "precheck --fail-on 'bf16: xyzzy" | wc -l)" -eq 0 ]
}

@test "make install puts the scripts where the shells look for them" {
    [ -x "$root/build/precheck" ] || skip 'build/precheck is not built'
    share=$PWD/usr/share
    unset MAKEFLAGS MFLAGS MAKELEVEL
    make -sC "$root" -o all install DESTDIR="$PWD" PREFIX=/usr
    [ -x usr/bin/precheck ]
    cmp <("$root/build/precheck" --completion bash) "$share/bash-completion/completions/precheck"
    if command -v zsh >/dev/null; then
        [ "$(zsh -dfc "fpath=($share/zsh/site-functions \$fpath)
            autoload -Uz compinit; compinit -D -u; print \$_comps[precheck]")" = _precheck ]
    fi
    if command -v fish >/dev/null; then
        [ "$(PATH=$PWD/usr/bin:$PATH HOME=$PWD XDG_CONFIG_HOME=$PWD XDG_DATA_DIRS=$share \
            fish -c "complete -C 'precheck --sort u'" | cut -f1)" = underflow ]
    fi
    make -sC "$root" uninstall DESTDIR="$PWD" PREFIX=/usr
    [ -z "$(find usr -type f)" ]
}

@test "what cannot be run is installed without completions" {
    [ -x "$root/build/precheck" ] || skip 'build/precheck is not built'
    unset MAKEFLAGS MFLAGS MAKELEVEL
    make -sC "$root" -o all install DESTDIR="$PWD" PREFIX=/usr RUNNER=false
    diff <(find usr -type f | sort) <(printf '%s\n' usr/bin/precheck usr/share/man/man1/precheck.1)
}

@test "-o names is a line for each tensor" {
    archive x.npz layer.0.weight $'a\nb*' bias
    cp one unnamed.npy
    passes --list x.npz unnamed.npy -o names
    [ "$output" = $'layer.0.weight\na?b\\*\nbias' ]
    passes x.npz --select '*a*' -o names
    [ "$output" = $'layer.0.weight\na?b\\*\nbias' ]
    LC_ALL=C passes x.npz -o names
    archive x.npz $'\xc3\xa9'
    LC_ALL=C passes --list x.npz -o names
    [ "$output" = '?' ]
}
