#!/usr/bin/env python3
"""Runs Kimi CLI 1 on models of these scripts, and copies what it wrote for tests/fixtures/agents/kimi-cli.

    python3.13 -m venv VENV && VENV/bin/pip install kimi-cli==1.52.0
    kimi_cli.py VENV FOLDER

The program's own command only says that it is no longer kept up; the one before it is still in the package. A session with
a tool and a sub-agent, gone on with, renamed and made shorter; and a fork of it. Ids and times are the program's.
"""

import os
import pathlib
import sys
import time

from models import Terminal, apart, hues, keep, run

venv, folder = pathlib.Path(sys.argv[1]).absolute(), pathlib.Path(sys.argv[2]).resolve()
home, project = apart()
models = hues(
    ("ReadFile", {"path": "hues.txt"}),
    ("Agent", {"description": "find", "prompt": "find a third one"}),
    ("compact this conversation", "The user asked for hues."),
    ("too brief", "blue is one"),
)
CONFIG = f"""
default_model = "own"
telemetry = false
[providers.own]
type = "openai_legacy"
base_url = "{models.url}/v1"
api_key = "none"
[models.own]
provider = "own"
model = "model-x"
max_context_size = 200000
"""
kimi_home = home / ".kimi"
kimi_home.mkdir()
(kimi_home / "config.toml").write_text(CONFIG)
env = {"HOME": str(home), "PATH": os.environ["PATH"], "NO_COLOR": "1"}
program = [str(venv / "bin" / "python"), "-c", "import sys; from kimi_cli.__main__ import run_original_cli as run; sys.exit(run(sys.argv[1:]))"]
kimi = lambda *words: run([*program, *words], {**env, "TERM": "dumb"}, project)

kimi("--print", "--prompt", "name the hues")
kimi("--continue", "--print", "--prompt", "thank you")
terminal = Terminal([*program, "--continue"], env, project)
terminal.wait("context: 0.0%")
terminal.type("/title Hues by hand")
terminal.wait("Session title set to")
terminal.type("/compact")
terminal.wait("The context has been compacted")
terminal.type("and now?")
terminal.wait("Now, blue.")
terminal.type("/fork")
terminal.wait("Switching to new session")
time.sleep(3)
terminal.end()
kept = [*kimi_home.glob("sessions/*/*/*.json*"), *kimi_home.glob("sessions/*/*/subagents/*/*"), kimi_home / "kimi.json"]
for path in kept:
    keep(path, folder / path.relative_to(kimi_home))
