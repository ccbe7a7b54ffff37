
_precheck_formats()
{
    compset -P '*,'
    compadd -S , -q -- "$@"
}

_precheck_kind()
{
    if compset -P '*:'; then
        _files
    else
        compadd -S : -q -- "$@"
    fi
}

# [FORMAT:] FIGURE COMPARISON: the last one once it is clear which figure is meant.
_precheck_rule()
{
    local -a figures
    local rest
    compset -P '*:(\\ | )#' && set -- ${@:#*:}
    rest=${(Q)PREFIX}
    figures=(${(M)@:#${(b)rest}*})
    [[ $rest == *' '* ]] && figures=(${rest%% *})
    if (($#figures == 1)) && [[ $figures != *: ]]; then
        figures="$figures "
        figures=($^figures$^_precheck_comparisons)
    fi
    compadd -S '' -- $figures
}

# The patterns of names that the files of the line have, and those of their last parts. Nothing of
# the line is expanded: what strangers wrote stays text.
_precheck_names()
{
    local -a there names
    local file
    for file in "${(@Q)line}" "${(@Q)words[CURRENT + 1, -1]}"; do
        [[ $file == '~/'* ]] && file=$HOME/${file#'~/'}
        [[ -f $file || -d $file ]] && there+=("$file")
    done
    (($#there)) || return
    names=(${(f)"$(
        timeout 5 precheck --list -o names -- $there 2>/dev/null </dev/null |
            head -n 20000 | sed -n 'p; s/.*\./*./p'
    )"})
    compadd -a -- names
}

_precheck()
{
    setopt localoptions extendedglob
    local -A opt_args
    local line
    _arguments -s -S : $_precheck_options '*:file:_files'
}

# Read as a file of fpath, this is the function; else it defines it.
if [[ $funcstack[1] == _precheck ]]; then
    _precheck "$@"
else
    compdef _precheck precheck
fi
