#!/usr/bin/env bats
# What CI systems are given to use: the action, the hook, and the snippets of the README.
load ../cli/helper

prepare()
{
    mkdir model runner bin
    npy model/w.npy '<f4' 4 1 -2 0.1 1e5
    npy model/v.npy '<f4' 3 1 2 3
    ln -s "$PRECHECK" bin/precheck
    PATH=$PWD/bin:$PATH
    unset MAKEFLAGS MFLAGS MAKELEVEL
    action=$root/.github/actions/precheck/action.yml
}

# An interpreter that has yaml, as $with_yaml.
needs_yaml()
{
    for with_yaml in "$python" /usr/bin/python3; do
        if "$with_yaml" -c 'import yaml' 2>/dev/null; then return; fi
    done
    skip 'python3-yaml is not installed'
}

# acts INPUT=VALUE...: runs the action. $status, $output and $stderr.
acts()
{
    needs_yaml
    make -sqC "$root" all || skip 'build/precheck is not built'
    rm -rf runner && mkdir runner
    status=0
    output=$("$with_yaml" "$root/tests/ci/action.py" "$action" "$PWD/runner" "$@" 2>messages) || status=$?
    stderr=$(<messages)
}

@test "the action tells in annotations, a summary and outputs what fails" {
    acts files=model/ to=fp16 fail-on='overflow > 0' junit=j.xml json=j.json
    [ "$status" -eq 1 ] || shows action
    has '^::error file=model/w.npy,title=overflow > 0::model/w.npy: overflow > 0 in fp16 \(value 1\)$'
    has '^exit-status=1$'
    has '^verdict=fail$'
    grep -q '^### precheck: FAIL, 1 of 2 gates' runner/summary.1
    grep -q 'failures="1"' j.xml
    [ "$(value 'r["verdict"]' <j.json)" = fail ]
}

@test "the action passes where all gates hold" {
    echo '{"version": 1, "rules": [{"metric": "nan", "op": ">", "value": 0}]}' >'my gates.json'
    acts files=$'model/w.npy\nmodel/v.npy\n' policy='my gates.json' fail-on=$'inf > 0\n\nbf16: overflow > 0\n' \
        args=$'--scale=2^-4\n--top=1\n'
    [ "$status" -eq 0 ] || shows action
    [ "$output" = $'exit-status=0\nverdict=pass' ] || shows action
    grep -q '^### precheck: PASS, 18 gates' runner/summary.1
}

@test "the action tells of trouble" {
    acts files=nowhere.npy
    [ "$status" -eq 2 ] || shows action
    has '^verdict=trouble$'
    [[ $stderr = *"nowhere.npy: "* ]]
}

@test "the inputs of the action are never commands" {
    local bad='$(touch pwned)`touch pwned`"; touch pwned; '\''${{ inputs.to }}'
    for input in files to policy fail-on args junit json; do
        acts files=model/ "$input=$bad"
        [ ! -e pwned ]
        [[ $status -eq 2 || $input = j* ]] || shows "$input"
    done
    acts files=--list
    [[ $status -eq 2 && $stderr = *"--list: "* ]] || shows 'a file like an option'
}

@test "pre-commit accepts the hook and runs it" {
    needs pre-commit git
    export PRE_COMMIT_HOME=$PWD/cache HOME=$PWD GIT_CONFIG_GLOBAL=$PWD/config GIT_CONFIG_NOSYSTEM=1
    git config --global user.name tester
    git config --global user.email tester@example.org
    git config --global init.defaultBranch main
    pre-commit validate-manifest "$root/.pre-commit-hooks.yaml"
    git init -q hooks
    cp "$root/.pre-commit-hooks.yaml" hooks/
    git -C hooks add .
    git -C hooks commit -qm hooks
    git init -q work
    cp model/v.npy work/v.npy
    echo text >work/notes.txt
    cd work
    git add .
    pre-commit try-repo ../hooks precheck --all-files >told || shows "$(<told)"
    npy bad.npy '<f4' 2 nan 1
    git add .
    run pre-commit try-repo ../hooks precheck --all-files
    [ "$status" -eq 1 ]
    has 'FAIL  1 of'
    lacks notes.txt
}

# snippet WORD: the indented block of the README that has the word.
snippet()
{
    "$python" -IS -c 'import re, sys, textwrap
blocks = re.findall(r"(?:^(?:    .*)?\n)+", open(sys.argv[1], encoding="utf-8").read(), re.M)
print(*[textwrap.dedent(b) for b in blocks if sys.argv[2] in b])' "$root/README.md" "$1"
}

@test "the GitHub snippet of the README names inputs that the action has" {
    needs_yaml
    snippet 'actions/precheck@' >snippet.yml
    "$with_yaml" -c 'import sys, yaml
step, = yaml.safe_load(open("snippet.yml"))
inputs = yaml.safe_load(open(sys.argv[1]))["inputs"]
assert "files" in step["with"] and set(step["with"]) <= set(inputs), step' "$action"
}

@test "the GitLab snippet of the README leaves a test report" {
    needs_yaml
    snippet 'image: ' >snippet.yml
    echo '{"version": 1, "rules": [{"metric": "max_rel", "op": ">", "value": 0}]}' >gates.json
    "$with_yaml" -c 'import yaml
job = yaml.safe_load(open("snippet.yml"))["precheck"]
assert job["artifacts"]["when"] == "always"
open("report", "w").write(job["artifacts"]["reports"]["junit"])
open("script", "w").write("set -e\n" + "\n".join(job["script"]))'
    run -1 bash script
    grep -q '<testsuites' "$(<report)"
}

@test "the pre-commit snippet of the README names the hook" {
    needs_yaml
    snippet 'hooks:' >snippet.yml
    "$with_yaml" -c 'import sys, yaml
repo, = yaml.safe_load(open("snippet.yml"))["repos"]
hook, = repo["hooks"]
known, = yaml.safe_load(open(sys.argv[1]))
assert hook["id"] == known["id"]
print("\n".join(hook["args"]))' "$root/.pre-commit-hooks.yaml" >arguments
    mapfile -t arguments <arguments
    passes "${arguments[@]}" model/v.npy
}
