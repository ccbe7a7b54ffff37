# Where reports and cast tensors go, what is left behind when that fails, and what text looks like.
load helper

prepare()
{
    npy x.npy '<f4' 2x3 1 -2 0.1 3e5 1e-9 0
}

# ends [OPTION]... COMMAND...: $how it ended, of ends.py, and $stderr
ends()
{
    "$python" -IS "$here/ends.py" "$@" 2>told
    how=$(tail -n 1 told)
    stderr=$(sed '$d' told)
    rm told
}

@test "text goes to standard output, to a file with -o" {
    passes x.npy
    local text=$output
    has '^── x.npy ─'
    has '^Rounding: nearest-even\.'
    passes x.npy -o text
    [ "$output" = "$text" ]
    passes x.npy -o text:-
    [ "$output" = "$text" ]
    passes x.npy -q -o text:x.txt
    [ -z "$output" ]
    [ "$(<x.txt)" = "$text" ]
    nothing_but x.npy x.txt
}

@test "--json and -o json are the same, and replace the text" {
    passes x.npy --json
    local json=$output
    is 'r["schema"]' precheck/1
    for words in '-o json' '-ojson:-' '--output=json' '-o json:/dev/stdout' '-q --json'; do
        # shellcheck disable=SC2086
        passes x.npy $words
        [ "$output" = "$json" ]
    done
    passes x.npy -q -o json:x.json
    [ -z "$output" ]
    [ "$(<x.json)" = "$json" ]
}

@test "a file beside standard output leaves the text there" {
    passes x.npy
    local text=$output
    passes x.npy -o json:x.json
    [ "$output" = "$text" ]
    [ -s x.json ]
}

@test "several outputs at once, and a path with a colon" {
    passes x.npy --json -o text:a:b.txt -o json:b.json -o json:c.json --to bf16 -w y.npy
    [ "$output" = "$(<b.json)" ]
    cmp b.json c.json
    grep -q '^Rounding' a:b.txt
    nothing_but a:b.txt b.json c.json x.npy y.npy
}

@test "-q prints nothing, and takes nothing away that was asked for" {
    passes x.npy -q
    [ -z "$output" ]
    passes x.npy -q -o text
    [ -n "$output" ]
    passes x.npy -q --to bf16 -w - >/dev/null
}

@test "two outputs to one standard output are refused" {
    trouble 'two outputs to one standard output' x.npy --json -o text
    trouble 'two outputs to one standard output' x.npy --json --to bf16 -w -
    trouble 'two outputs to one standard output' x.npy -o text --to bf16 -w /dev/stdout
    trouble 'two outputs to one standard output' x.npy -o text -o json:/dev/stdout
}

@test "two outputs to one file are refused; to a device they are not" {
    trouble '^precheck: y: is named for two outputs' x.npy -o json:y -o text:y
    trouble '^precheck: y: is named for two outputs' x.npy -o json:y --to bf16 -w y
    : >y
    ln -s y z
    trouble '^precheck: z: is named for two outputs' x.npy -o json:y -o text:z
    nothing_but x.npy y z
    passes x.npy -q -o json:/dev/null -o text:/dev/null
}

@test "an output takes the place of what was there, with its permissions, through a link" {
    echo old >old
    chmod 640 old
    ln -s old link
    passes x.npy -q -o json:link
    [ -L link ]
    [ "$(stat -c %a old)" = 640 ]
    is_json <old
    (umask 027 && passes x.npy -q -o json:new)
    [ "$(stat -c %a new)" = 640 ]
    nothing_but link new old x.npy
}

is_json()
{
    [ "$(value 'r["schema"]')" = precheck/1 ]
}

@test "an output that fails leaves what was there, and no temporary file" {
    echo old >y.npy
    head -c 140 x.npy >cut.npy
    trouble '^precheck: cut.npy: truncated' cut.npy --to bf16 -w y.npy
    trouble '^precheck: nothing.npy: No such file' nothing.npy --to bf16 -w y.npy
    precheck x.npy cut.npy --to bf16 -w y.npy
    [ "$status" -eq 2 ]
    [ "$(<y.npy)" = old ]
    nothing_but cut.npy x.npy y.npy
}

@test "where there is no room, the temporary file goes and the old one stays" {
    truncate -s 40K big.raw
    echo old >y.npy
    # A limit on the size of files stands for the full disk: two blocks of 1024 bytes.
    ulimit -f 2
    ends --ignore=XFSZ "$PRECHECK" big.raw -q --raw f32 --to fp32 -w y.npy
    [ "$how" = "exit 2" ]
    one_message '^precheck: big.raw: y.npy: File too large'
    ends --ignore=XFSZ "$PRECHECK" x.npy -q -o json:y.npy
    [ "$how" = "exit 2" ]
    one_message '^precheck: y.npy: File too large'
    ends --default=XFSZ "$PRECHECK" big.raw -q --raw f32 --to fp32 -w y.npy
    [ "$how" = "signal SIGXFSZ" ]
    [ -z "$stderr" ]
    [ "$(<y.npy)" = old ]
    nothing_but big.raw x.npy y.npy
}

@test "places that cannot be written" {
    mkdir folder
    trouble '^precheck: no/y: cannot be written: No such file' x.npy --to bf16 -w no/y
    trouble '^precheck: x.npy/y: cannot be written: Not a directory' x.npy --to bf16 -w x.npy/y
    precheck x.npy -q -o json:no/y -o text:folder -o json:good
    [ "$status" -eq 2 ]
    [ "$stderr" = "precheck: no/y: cannot be written: No such file or directory
precheck: folder: is a directory" ]
    is_json <good # one that fails keeps none of the others from being written
}

# kinds: those of --output, a line each
kinds()
{
    "$PRECHECK" --help | sed -n '/kinds:$/,/^  [ -]* --\|^  -/p' | sed '1d;$d' | tr -d ' ' | tr ',' '\n' | grep .
}

# Those that say something of x.npy alone: it has no name, and no gate fails.
talkative_kinds()
{
    kinds | sed '/github/d; /names/d'
}

# full ARGUMENT...: trouble where standard output is a full device
full()
{
    status=0
    "$PRECHECK" "$@" >/dev/full 2>messages || status=$?
    output=
    stderr=$(<messages)
    [ "$status" -eq 2 ] && one_message '^precheck: standard output: No space left on device$' || shows "precheck $*"
}

@test "a full device: status 2 and one message" {
    [ "$(kinds | wc -l)" -ge 8 ]
    for words in '' '--json' '--help' '--version' '-qo text'; do
        # shellcheck disable=SC2086
        full x.npy $words
    done
    full --formats
    for kind in $(talkative_kinds) github; do
        # A gate that fails, so that each has something to say; what is trouble outranks it.
        trouble '^precheck: /dev/full: No space left on device$' x.npy -q -o "$kind:/dev/full" --fail-on 'nan >= 0'
        full x.npy -o "$kind" --fail-on 'nan >= 0'
    done
    full --list x.npy
    full --list x.npy --json
    full x.npy --fail-on 'nan >= 0' --exit-zero
    precheck x.npy -q --to bf16 -w /dev/full
    [ "$status" -eq 2 ]
    one_message '^precheck: x.npy: /dev/full: No space left on device$'
    status=0
    "$PRECHECK" x.npy --to bf16 -w - >/dev/full 2>messages || status=$?
    stderr=$(<messages)
    [ "$status" -eq 2 ]
    one_message '^precheck: x.npy: standard output: No space left on device$'
}

@test "a closed pipe: death by SIGPIPE, or a silent 2 where that is ignored" {
    mkfifo pipe
    # A pipe that nobody reads any more: the reader is gone before the program starts.
    exec 7<>pipe 8>pipe 7<&-
    for words in '' '--to bf16 -w -' $(talkative_kinds | sed 's/^/-o/') --list --help --version; do
        # shellcheck disable=SC2086
        ends --default=PIPE "$PRECHECK" x.npy $words >&8
        [ "$how" = "signal SIGPIPE" ]
        [ -z "$stderr" ]
        # shellcheck disable=SC2086
        ends --ignore=PIPE "$PRECHECK" x.npy $words >&8
        [ "$how" = "exit 2" ]
        [ -z "$stderr" ]
    done
    exec 8>&-
    nothing_but pipe x.npy
}

@test "a shell sees 141 after SIGPIPE" {
    mkfifo pipe
    status=0
    bash -c 'exec 7<>pipe 8>pipe 7<&-; env --default-signal=PIPE "$0" x.npy >&8; exit $?' \
        "$PRECHECK" || status=$?
    [ "$status" -eq 141 ]
}

@test "closed standard streams: no file takes their place" {
    npy v.npy '<V2' 4 0x3f80
    "$PRECHECK" v.npy -q --to fp16 -w right.npy 2>/dev/null
    status=0
    "$PRECHECK" v.npy --to fp16 -w y.npy >&- 2>messages || status=$?
    [ "$status" -eq 2 ]
    grep -q '^precheck: standard output: Bad file descriptor' messages
    cmp right.npy y.npy
    "$PRECHECK" v.npy -q --to fp16 -w z.npy 2>&-
    cmp right.npy z.npy
    "$PRECHECK" v.npy -q --to fp16 -w z.npy <&- >&- 2>&-
    cmp right.npy z.npy
    status=0
    "$PRECHECK" - <&- >out 2>messages || status=$?
    stderr=$(<messages)
    [ "$status" -eq 2 ]
    one_message '^precheck: standard input: Bad file descriptor'
}

@test "-w - to a pipe, to a file and -w FILE are the same bytes" {
    passes x.npy -q --to bf16 -w y.npy
    "$PRECHECK" x.npy --to bf16 -w - | cat >piped.npy
    "$PRECHECK" x.npy --to bf16 -w - >redirected.npy
    "$PRECHECK" x.npy --to bf16 -w /dev/stdout >named.npy
    mkfifo fifo.npy
    cat fifo.npy >through.npy &
    "$PRECHECK" x.npy -q --to bf16 -w fifo.npy
    wait
    for copy in piped redirected named through; do
        cmp y.npy $copy.npy
    done
}

@test "standard output that is a file is written from where it is" {
    { printf 'first\n'; "$PRECHECK" x.npy --json; printf 'last\n'; } >out
    [ "$(head -n 1 out)" = first ]
    [ "$(tail -n 1 out)" = last ]
    sed '1d;$d' out | is_json
}

@test "an input is never overwritten" {
    cp x.npy before
    ln -s x.npy soft.npy
    ln x.npy hard.npy
    mkdir sub
    for place in x.npy ./x.npy sub/../x.npy soft.npy hard.npy "$PWD/x.npy"; do
        trouble 'is an input: it would be overwritten' x.npy --to bf16 -w "$place"
        trouble 'is an input: it would be overwritten' x.npy -o "json:$place"
    done
    trouble '^precheck: x.npy: is an input' soft.npy -o text:x.npy
    trouble '^precheck: x.npy: is an input' before x.npy -o text:x.npy
    trouble '^precheck: x.npy: is an input' - -o text:x.npy <x.npy
    trouble '^precheck: soft.npy: is an input' /dev/stdin --to bf16 -w soft.npy <x.npy
    cmp x.npy before
    nothing_but before hard.npy soft.npy sub x.npy
    # A pipe has no place of its own that could be meant.
    "$PRECHECK" - -q -o text:y <<<"$(:)" 2>/dev/null || true
    cmp x.npy before
}

@test "SIGINT, SIGTERM and SIGHUP leave no temporary file and end the program as that signal" {
    mkfifo pipe.raw
    for name in INT TERM HUP; do
        exec 7<>pipe.raw # so that the program waits for elements until it is told to end
        ends --default=$name --send=$name --when='y.npy.??????' \
            "$PRECHECK" pipe.raw -q --raw f32:100 --to bf16 -w y.npy
        exec 7<&-
        [ "$how" = "signal SIG$name" ]
        [ -z "$stderr" ]
        nothing_but pipe.raw x.npy
    done
}

@test "a signal that was ignored from the start stays ignored" {
    mkfifo pipe.raw
    exec 7<>pipe.raw
    ends --ignore=INT --send=INT --when='y.npy.??????' --feed=pipe.raw:400 \
        "$PRECHECK" pipe.raw -q --raw f32:100 --to bf16 -w y.npy
    exec 7<&-
    [ "$how" = "exit 0" ]
    nothing_but pipe.raw x.npy y.npy
}

@test "colour: on a terminal, unless NO_COLOR or TERM says no" {
    terminal() { "$python" -IS "$here/terminal.py" "$@"; }
    export TERM=xterm
    terminal "$PRECHECK" x.npy | grep -q $'\e\\['
    terminal "$PRECHECK" --formats | grep -q $'\e\\['
    terminal env NO_COLOR= "$PRECHECK" x.npy | grep -q $'\e\\['
    local plain
    plain=$("$PRECHECK" x.npy)
    for words in 'env NO_COLOR=1' 'env TERM=dumb' ''; do
        # shellcheck disable=SC2086
        output=$(terminal $words "$PRECHECK" x.npy --color "$([ "$words" ] && echo auto || echo never)")
        [[ $output != *$'\e'* ]] || shows "$words"
    done
    NO_COLOR=1 passes x.npy --color always
    [[ $output = *$'\e['* ]]
    # Without its colours it is the same text.
    [ "$(sed 's/\x1b\[[0-9;]*m//g' <<<"$output")" = "$plain" ]
}

@test "no escape codes where it is no terminal, unless --color always asks for them" {
    for words in x.npy --formats '-v x.npy' '--json x.npy' --help; do
        # shellcheck disable=SC2086
        passes $words
        [[ $output != *$'\e'* ]]
        # shellcheck disable=SC2086
        passes $words --color auto
        [[ $output != *$'\e'* ]]
    done
    passes x.npy --color always
    [[ $output = *$'\e['* ]]
    passes x.npy -q --color always -o text:t
    grep -q $'\e\\[' t
    passes x.npy --json --color always
    [[ $output != *$'\e'* ]]
}

@test "each coloured line ends as it began" {
    passes x.npy --color always -v
    lacks $'\e\\[[1-9][0-9;]*m[^\e]*$'
}

@test "the width is the terminal's, 80 columns elsewhere whatever COLUMNS says" {
    COLUMNS=200 passes x.npy -v
    lacks '.{81}'
    has '^── x.npy ─+$'
    [ "$(grep -m1 '^── ' <<<"$output" | wc -m)" -eq 81 ]
    output=$("$python" -IS "$here/terminal.py" "$PRECHECK" --color never x.npy)
    [ "$(grep -m1 '^── ' <<<"$output" | wc -m)" -eq 101 ]
}

@test "the C locale gets ASCII, a UTF-8 locale gets more" {
    local name=$'x\xc3\xa9.npy'
    cp x.npy "$name"
    for words in "$name" "-v $name" --formats --help; do
        # shellcheck disable=SC2086
        LC_ALL=C passes $words
        LC_ALL=C lacks '[^ -~]'
    done
    LC_ALL=C passes "$name"
    [[ $output = *'x\xc3\xa9.npy'* ]]
    passes "$name"
    [[ $output = *"$name"* ]]
    [[ $output = *'──'* ]]
    LC_ALL=C trouble '^precheck: y.xc3.xa9: No such file' $'y\xc3\xa9'
    # JSON is UTF-8 always.
    LC_ALL=C passes --json "$name"
    [[ $output = *"\"$name\""* ]]
    LC_ALL=C passes --color never x.npy -o json:a
    passes --color never x.npy -o json:b
    cmp a b
}

@test "numbers are printed and read in the C locale whatever LC_NUMERIC says" {
    unset LC_ALL
    passes x.npy --json --fail-on 'bf16: max_rel > 0.5'
    local json=$output
    export LC_NUMERIC=de_DE.UTF-8 LANG=de_DE.UTF-8 LC_CTYPE=C.UTF-8
    passes x.npy --json --fail-on 'bf16: max_rel > 0.5'
    [ "$output" = "$json" ]
}

@test "numbers have points in a locale that has commas" {
    unset LC_ALL
    passes x.npy -v
    local text=$output
    if ! localedef -i de_DE -f UTF-8 ./de_DE.UTF-8 2>/dev/null; then skip "no locale de_DE.UTF-8"; fi
    [ "$(LOCPATH=$PWD LC_ALL=de_DE.UTF-8 locale decimal_point 2>&1)" = , ] || skip "no locale of our own"
    export LOCPATH=$PWD LC_ALL=de_DE.UTF-8
    passes x.npy -v
    [ "$output" = "$text" ]
    passes x.npy --json --update 2.5e-1 --update-scale 1.5 --fail-on 'max_rel > 1.5' --ema 0.5
    is 'r["gates"][0]["pass"], r["settings"]["update"], r["settings"]["ema"]' "(True, '2.5e-1', '0.5')"
    trouble "'1,5' is not a number" x.npy --fail-on 'max_rel > 1,5'
    for kind in $(kinds); do
        passes x.npy -q -o "$kind:comma"
        LC_ALL=C.UTF-8 passes x.npy -q -o "$kind:point"
        cmp comma point
    done
}

@test "-v adds every histogram and the exact sums" {
    cp x.npy z.npy
    passes x.npy z.npy
    lacks 0x1
    [ "$(grep -c '^Magnitudes' <<<"$output")" -eq 1 ]
    passes x.npy z.npy -v
    has '0x1'
    [ "$(grep -c '^Magnitudes' <<<"$output")" -eq 3 ]
}

@test "the text ends in no trailing spaces" {
    npy big.npy '<f4' 40x40 1e-40 1 3e38 0 nan 0x7f800000 -3
    for file in x.npy big.npy; do
        passes $file -v
        lacks '[[:space:]]$'
    done
}

@test "a report without a tensor takes the place of an old one" {
    echo old >report.json
    echo nothing >x.bad
    precheck x.bad --json -o json:report.json -q
    [ "$status" -eq 2 ]
    [ -z "$output" ]
    grep -q '"tensors": \[\]' report.json
}

@test "outputs that are not there yet and are one file, and links to nothing, are refused" {
    echo 0123 >x.bin
    trouble 'is named for two outputs' x.bin --raw f32 --to bf16 -w ./q.npy -o json:q.npy
    ln -s nowhere link.npy
    trouble 'is a symbolic link to nothing' x.bin --raw f32:1 --to bf16 -q -w link.npy
    [ -L link.npy ]
}
