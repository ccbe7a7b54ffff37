
# Splits a text as the shell would, but expands nothing: what strangers wrote stays text. The words
# are in `parts`, of which the last one is not ended; `quote` is the mark that is open there, and is
# taken to be open at the start.
_precheck_split()
{
    local text=$1 part='' begun='' c i
    parts=()
    for ((i = 0; i < ${#text}; i++)); do
        c=${text:i:1}
        case $quote$c in
        \'\' | \"\") quote='' ;;
        \"\\)
            [[ ${text:i+1:1} == [\$\`\"\\] ]] && c=${text:$((++i)):1}
            part+=$c
            ;;
        \'? | \"?) part+=$c ;;
        [\'\"]) quote=$c begun=yes ;;
        \\) part+=${text:$((++i)):1} begun=yes ;;
        [[:space:]\;\&\|\<\>\(\)])
            [[ $part$begun ]] && parts+=("$part")
            part='' begun=''
            ;;
        \~)
            [[ ! $part$begun && ${text:i+1:1} == / ]] && c=$HOME
            part+=$c
            ;;
        *) part+=$c ;;
        esac
    done
    parts+=("$part")
}

# WORD...: adds what is no option and no argument of one to `files`. `takes` and `words` are of the
# option whose argument would come next; `ended` tells that there was a --.
_precheck_walk()
{
    local word j
    takes='' words=''
    while (($#)); do
        word=$1
        shift
        case $ended$word in
        --) ended=yes ;;
        --*) _precheck_takes "$word" ;;
        -?*)
            for ((j = 1; j < ${#word}; j++)); do
                _precheck_takes "-${word:j:1}"
                [[ $takes ]] && break
            done
            ((j < ${#word} - 1)) && takes=''
            ;;
        *) files+=("$word") ;;
        esac
        if [[ $takes ]] && (($#)); then
            shift
            takes=''
        fi
    done
}

# The patterns of names that the files have, and those of their last parts.
_precheck_names()
{
    local file there=()
    for file in "${files[@]}"; do
        [[ -f $file || -d $file ]] && there+=("$file")
    done
    ((${#there[@]})) || return
    mapfile -t replies < <(
        timeout 5 precheck --list -o names -- "${there[@]}" 2>/dev/null </dev/null |
            head -n 20000 | sed -n 'p; s/.*\./*./p'
    )
}

# [FORMAT:] FIGURE COMPARISON: the last one once it is clear which figure is meant.
_precheck_rules()
{
    local before='' rest=$value word figures
    if [[ $value =~ ^[^:]*:[[:space:]]* ]]; then
        before=${BASH_REMATCH[0]}
        rest=${value#"$before"}
    fi
    while :; do
        figures=()
        for word in $words; do
            [[ $word == "$rest"* && ! ($before && $word == *:) ]] && figures+=("$word")
        done
        [[ ${#figures[@]} -eq 1 && ${figures[0]} == *: ]] || break
        before="${figures[0]} " rest=''
    done
    [[ $rest == *[[:space:]]* ]] && figures=("${rest%%[[:space:]]*}")
    if ((${#figures[@]} == 1)); then
        for word in "${_precheck_comparisons[@]}"; do
            replies+=("$before${figures[0]} $word")
        done
    else
        replies=("${figures[@]/#/$before}")
    fi
}

# What `value` can become, in `replies`.
_precheck_values()
{
    local before
    case $takes in
    names) _precheck_names ;;
    rule) _precheck_rules ;;
    formats)
        before=${value%"${value##*,}"}
        replies=($words)
        replies=("${replies[@]/#/$before}")
        ;;
    words | kind) replies=($words) ;;
    esac
    case $takes in
    formats | kind | rule) compopt -o nospace ;;
    esac
}

# Quotes `reply` for where it goes, within the mark that is open or without one. (What readline does
# for file names leaves a $ as it is.)
_precheck_quote()
{
    local text=$reply i
    case $1 in
    \') reply=${text//\'/\'\\\'\'} ;;
    \")
        reply=''
        for ((i = 0; i < ${#text}; i++)); do
            case ${text:i:1} in
            [\\\$\`\"!]) reply+="\"'${text:i:1}'\"" ;;
            *) reply+=${text:i:1} ;;
            esac
        done
        ;;
    *) printf -v reply %q "$text" ;;
    esac
    # Readline takes a mark at the end for the one that closes, and adds none.
    [[ $1 && $reply == *"$1" ]] && reply+=$1
}

_precheck()
{
    local IFS=$' \t\n' parts quote='' takes words files=() ended='' replies=()
    _precheck_split "${COMP_LINE:0:COMP_POINT}"
    local left=("${parts[@]}") open=$quote
    local current=${left[-1]} value=${left[-1]} reply
    _precheck_split "_${COMP_LINE:COMP_POINT}" # with the rest of the current word
    local right=("${parts[@]}")

    _precheck_walk "${right[@]:1}"
    ended=''
    _precheck_walk "${left[@]:1:${#left[@]}-2}"
    if [[ ! $takes && ! $ended && $current == --*=* ]]; then
        _precheck_takes "${current%%=*}"
        value=${current#*=}
    fi
    if [[ $takes ]]; then
        _precheck_values
    elif [[ ! $ended && $current == -* ]]; then
        replies=("${_precheck_options[@]}")
    else
        takes=file
    fi
    if [[ $takes == file || ($takes == kind && $value == *:*) ]]; then
        compopt -o default
        return
    fi

    # Readline has a notion of its own of where a word begins, and replaces what follows.
    quote=$open
    _precheck_split "$2"
    local head=${current%"$value"} kept=${current%"${parts[-1]}"}
    for reply in "${replies[@]}"; do
        [[ $reply == "$value"* ]] || continue
        reply=$head$reply
        reply=${reply#"$kept"}
        [[ $reply == *^ ]] && compopt -o nospace
        _precheck_quote "$open"
        COMPREPLY+=("$reply")
    done
}

complete -F _precheck precheck
