#!/usr/bin/env python3
"""Runs Copilot CLI on models of these scripts, and copies what it wrote for tests/fixtures/agents/copilot.

    npm install @github/copilot@1.0.102
    copilot.py NODE_MODULES FOLDER

A session with a tool and a sub-agent, gone on with, renamed, rewound, made shorter and gone on with: `before` the rewind,
which rewrites the file, and `after` all. Ids and times are the program's; run again, they are others.
"""

import os
import pathlib
import sys
import time

from models import Terminal, apart, hues, keep, run

modules, folder = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
home, project = apart()
models = hues(
    ("view", {"path": "/w/shop/hues.txt"}),
    ("task", {"agent_type": "explore", "name": "find", "description": "find", "prompt": "find a third one"}),
    ("summary of the conversation", "The user asked for hues."),
)
env = {"HOME": str(home), "PATH": f"{modules / '.bin'}:{os.environ['PATH']}", "NO_COLOR": "1", "COPILOT_AUTO_UPDATE": "false",
       "COPILOT_OFFLINE": "true", "COPILOT_PROVIDER_BASE_URL": models.url + "/v1", "COPILOT_MODEL": "model-x"}
program = str(modules / ".bin" / "copilot")
copilot = lambda *words: run([program, "--allow-all-tools", *words], {**env, "TERM": "dumb"}, project)

sessions = home / ".copilot" / "session-state"


def keep_all(name):
    time.sleep(2)
    for path in [*sessions.glob("*/events.jsonl"), *sessions.glob("*/workspace.yaml"), *sessions.glob("*/checkpoints/[0-9]*")]:
        keep(path, folder / name / path.relative_to(sessions.parent))


copilot("-p", "name the hues")
copilot("--continue", "-p", "thank you")
terminal = Terminal([program, "--continue"], env, project)
terminal.wait("Do you trust the files")
terminal.type("", "Enter")
terminal.wait("Manual Approval")
terminal.type("/rename Hues by hand")
terminal.wait("Session renamed")
terminal.type("and wrong")
terminal.wait("● no")
keep_all("before")
terminal.type("/undo")
terminal.wait("Rewind to a previous point")
terminal.type("", "Enter")
terminal.wait("Conversation only")
terminal.type("", "Enter")
terminal.wait("Rewound the conversation")
terminal.type("", "C-e", "C-u")
terminal.type("/compact")
terminal.wait("Compaction completed")
terminal.type("and now?")
terminal.wait("Now, blue.")
terminal.type("/exit")
time.sleep(3)
keep_all("after")
