
# The current word, or what follows the = of an option; without the quotation mark that is open.
function __precheck_value
    commandline -ct | string replace -r -- '^--[a-z-]+=' '' | string replace -r '^[\'"]' ''
end

function __precheck_formats
    set -l before (__precheck_value | string replace -r '[^,]*$' '')
    printf '%s\n' "$before"$argv
end

function __precheck_kind
    set -l value (__precheck_value)
    if string match -q '*:*' -- $value
        set -l parts (string split -m 1 : -- $value)
        printf '%s\n' $parts[1]:(__fish_complete_path $parts[2])
    else
        printf '%s\n' $argv
    end
end

# [FORMAT:] FIGURE COMPARISON: the last one once it is clear which figure is meant.
function __precheck_rule
    set -l value (__precheck_value | string replace -a '\\ ' ' ')
    set -l before (string match -r '^[^:]*:\s*' -- "$value")
    test -n "$before"; and set argv (string match -v '*:' -- $argv)
    set -l rest (string replace -- "$before" '' "$value")
    set -l figures (string match -r '^[a-z0-9_.]+(?=\s)' -- $rest)
    test -n "$figures"; or set figures (string match -- "$rest*" $argv)
    if test (count $figures) -eq 1; and not string match -q '*:' -- $figures
        printf '%s\n' "$before$figures "$__precheck_comparisons
    else
        printf '%s\n' "$before"$argv
    end
end

# The patterns of names that the files up to here have, and those of their last parts. Nothing of
# the line is expanded: what strangers wrote stays text.
function __precheck_names
    set argv (commandline -opc)[2..] '' # the last one is the current word
    argparse -i $__precheck_specs -- $argv 2>/dev/null
    set -l there
    for file in (string replace -r '^~/' "$HOME/" -- $argv)
        test -f "$file" -o -d "$file"; and set -a there $file
    end
    set -q there[1]; or return
    timeout 5 precheck --list -o names -- $there 2>/dev/null </dev/null |
        head -n 20000 | sed -n 'p; s/.*\./*./p'
end
