#!/usr/bin/env python3
"""Runs the steps of a composite action as a runner of GitHub does, and prints its outputs, a line each:

    action.py ACTION.YML DIRECTORY [INPUT=VALUE...]

DIRECTORY is where the runner keeps its files: outputs, summaries, programs. The steps run in the current directory. Ends
with the status of the step that failed. Needs yaml.
"""

import os
import re
import subprocess
import sys

import yaml


def evaluated(text, values):
    """The only expressions are names, and only the environment of a step and the outputs have them."""
    return re.sub(r"\$\{\{ ([\w.-]+) \}\}", lambda m: values[m[1]], text)


def lines_of(path):
    with open(path, encoding="utf-8") as f:
        return f.read().splitlines()


def run_step(number, step, values, folder):
    assert step["shell"] == "bash" and "${{" not in step["run"], step
    files = {name: os.path.join(folder, f"{name}.{number}") for name in ("output", "summary", "path")}
    for path in files.values():
        open(path, "x", encoding="utf-8").close()
    script = os.path.join(folder, f"script.{number}")
    with open(script, "w", encoding="utf-8") as f:
        f.write(step["run"])
    environment = dict(os.environ, RUNNER_TEMP=folder, GITHUB_OUTPUT=files["output"], GITHUB_PATH=files["path"],
                       GITHUB_STEP_SUMMARY=files["summary"])
    environment.update({name: evaluated(value, values) for name, value in step.get("env", {}).items()})
    done = subprocess.run(["bash", "--noprofile", "--norc", "-eo", "pipefail", script], env=environment, check=False)
    for line in lines_of(files["output"]):
        name, value = line.split("=", 1)
        values[f"steps.{step.get('id')}.outputs.{name}"] = value
    for path in lines_of(files["path"]):
        os.environ["PATH"] = path + os.pathsep + os.environ["PATH"]
    return done.returncode


def main():
    path, folder, *given = sys.argv[1:]
    with open(path, encoding="utf-8") as f:
        action = yaml.safe_load(f)
    assert action["runs"]["using"] == "composite"
    inputs = dict(pair.split("=", 1) for pair in given)
    assert set(inputs) <= set(action["inputs"]), inputs
    for name, facts in action["inputs"].items():
        assert name in inputs or not facts.get("required"), name
        inputs.setdefault(name, facts.get("default"))
    values = {f"inputs.{name}": value for name, value in inputs.items()}
    values["github.action_path"] = os.path.dirname(os.path.abspath(path))
    status = 0
    for number, step in enumerate(action["runs"]["steps"]):
        status = run_step(number, step, values, folder)
        if status:
            break
    for name, facts in action["outputs"].items():
        print(f"{name}={evaluated(facts['value'], values)}")
    return status


if __name__ == "__main__":
    sys.exit(main())
