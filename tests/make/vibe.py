#!/usr/bin/env python3
"""Runs Mistral Vibe on models of these scripts, and copies what it wrote for tests/fixtures/agents/vibe.

    python3.13 -m venv VENV && VENV/bin/pip install mistral-vibe==2.15.0
    vibe.py VENV FOLDER

A session with a tool and a sub-agent; another that goes on with it, renamed; and one that goes on with what that was summed up
in. With a later version (3.0.3; from 2.26 on sessions are kept in another form, tests/fixtures/agents/vibe-unified): a session
with the same, which is branched and then summed up. Ids and times are the program's.
"""

import json
import os
import pathlib
import sys
import time

from models import Terminal, apart, hues, keep, run

venv, folder = pathlib.Path(sys.argv[1]).absolute(), pathlib.Path(sys.argv[2]).resolve()
home, project = apart()
SPAWN = 'async function main() { return await tools.agents.spawn({name: "finder", message: "find a third one"}); }'
is_later = any(venv.glob("lib/*/site-packages/mistralai_vibe_local_harness"))
tools = [("read", {"file_path": "/w/shop/hues.txt"}), ("task", {"agent": "explore", "task": "find a third one"})]
if is_later:
    tools = [("read_file", {"path": "/w/shop/hues.txt"}), ("run_typescript", {"code": SPAWN})]
models = hues(*tools, ("handoff summary", "The user asked for hues."))
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
terminal.wait("tokens (0%)" if is_later else "0% of 200k")
time.sleep(3)
terminal.type("/rename Hues by hand")
terminal.wait("Session renamed")
terminal.type("thank you")
terminal.wait("You are welcome.")
if is_later:
    terminal.type("/branch")
    terminal.wait("Branched to a new session")
terminal.type("/compact")
terminal.wait("Compaction completed")
terminal.type("and now?")
terminal.wait("Now, blue.")
time.sleep(2)
terminal.end()
# What the program still ran ends a little later.
time.sleep(8 if is_later else 0)
kept = ["unified/*/CURRENT", "unified/*/*.json", "unified/*/[gj]*/**/*.json*"] if is_later else ["**/m*.json*"]
found = [path for pattern in kept for path in vibe_home.glob(f"logs/session/{pattern}")]
# Of the pieces those of what is shown: the others hold tools and what the model sees.
for path in [path for path in found if path.name == "manifest.json"]:
    names = json.loads(path.read_text())["projection_state"]["chunks"] or []
    found += [path.parents[2] / "chunks" / f"{name}.json" for name in names]
for path in set(found):
    keep(path, folder / path.relative_to(vibe_home))
