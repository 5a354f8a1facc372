#!/usr/bin/env python3
"""Runs CodeBuddy on models of these scripts, and copies what it wrote for tests/fixtures/agents/codebuddy.

    npm install @tencent-ai/agent-sdk@0.3.201
    codebuddy.py NODE_MODULES FOLDER

The program, 2.117.0, is in the package of its SDK. A session with a tool and a sub-agent, gone on with, and a fork of it. Ids
and times are the program's; run again, they are others.
"""

import os
import pathlib
import sys

from models import apart, hues, keep, run

modules, folder = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
home, project = apart()
models = hues(
    ("Read", {"file_path": "/w/shop/hues.txt"}),
    ("Agent", {"subagent_type": "Explore", "description": "find", "prompt": "find a third one"}),
)
env = {"HOME": str(home), "PATH": os.environ["PATH"], "NO_COLOR": "1", "TERM": "dumb", "CODEBUDDY_API_KEY": "none",
       "CODEBUDDY_BASE_URL": models.url + "/v1", "CODEBUDDY_MODEL": "model-x", "DISABLE_AUTOUPDATER": "1"}
program = ["node", str(modules / "@tencent-ai" / "agent-sdk" / "cli" / "bin" / "codebuddy"), "--dangerously-skip-permissions"]
codebuddy = lambda *words: run([*program, *words], env, project)

codebuddy("-p", "name the hues")
codebuddy("--continue", "-p", "thank you")
codebuddy("--continue", "--fork-session", "-p", "and now?")
projects = home / ".codebuddy" / "projects"
for path in [*projects.rglob("*.jsonl"), *projects.rglob("*.meta.json")]:
    keep(path, folder / path.relative_to(projects.parent))
