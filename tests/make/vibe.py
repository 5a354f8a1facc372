#!/usr/bin/env python3
"""Runs Mistral Vibe on models of these scripts, and copies what it wrote for tests/fixtures/agents/vibe.

    python3.13 -m venv VENV && VENV/bin/pip install mistral-vibe==2.15.0
    vibe.py VENV FOLDER

A session with a tool and a sub-agent; another that goes on with it, renamed; and one that goes on with what that was summed up
in. Later versions (2.26.1 was tried) keep sessions in another form. Ids and times are the program's.
"""

import os
import pathlib
import sys
import time

from models import Terminal, apart, hues, keep, run

venv, folder = pathlib.Path(sys.argv[1]).absolute(), pathlib.Path(sys.argv[2]).resolve()
home, project = apart()
models = hues(
    ("read", {"file_path": "/w/shop/hues.txt"}),
    ("task", {"agent": "explore", "task": "find a third one"}),
    ("handoff summary", "The user asked for hues."),
)
CONFIG = f"""
active_model = "own"
enable_telemetry = false
enable_update_checks = false
enable_auto_update = false
[[providers]]
name = "own"
api_base = "{models.url}/v1"
api_key_env_var = "OWN_KEY"
backend = "generic"
reasoning_field_name = "reasoning_content"
[[models]]
name = "model-x"
provider = "own"
alias = "own"
"""
vibe_home = home / ".vibe"
vibe_home.mkdir()
(home / "tmp").mkdir()
(vibe_home / "config.toml").write_text(CONFIG)
env = {"HOME": str(home), "PATH": os.environ["PATH"], "NO_COLOR": "1", "OWN_KEY": "none", "LOGNAME": "somebody",
       "TMPDIR": str(home / "tmp")}
program = str(venv / "bin" / "vibe")
vibe = lambda *words: run([program, "--trust", "--auto-approve", *words], {**env, "TERM": "dumb"}, project)

vibe("-p", "name the hues")
terminal = Terminal([program, "--trust", "--continue"], env, project)
terminal.wait("0% of 200k")
terminal.type("/rename Hues by hand")
terminal.wait("Session renamed")
terminal.type("thank you")
terminal.wait("You are welcome.")
terminal.type("/compact")
terminal.wait("Compaction completed")
terminal.type("and now?")
terminal.wait("Now, blue.")
time.sleep(2)
terminal.end()
for path in vibe_home.glob("logs/session/**/m*.json*"):
    keep(path, folder / path.relative_to(vibe_home))
