#!/usr/bin/env python3
"""Runs Factory Droid on models of these scripts, and copies what it wrote for tests/fixtures/agents/droid.

    npm install droid@0.215.0
    droid.py NODE_MODULES FOLDER

What it would tell its maker's server it tells this script's, which answers nothing. A session with a tool and a
sub-agent, gone on with, renamed, and summed up in a new one. Ids and times are the program's; run again, they are others.
"""

import json
import os
import pathlib
import sys
import time

from models import Terminal, apart, hues, keep, run

modules, folder = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
home, project = apart()
models = hues(
    ("Read", {"file_path": "/w/shop/hues.txt"}),
    ("Task", {"subagent_type": "worker", "description": "find", "prompt": "find a third one"}),
    ("summarize the following conversation", "The user asked for hues."),
    ("session titles", "A title that the model made"),
)
own = {"model": "model-x", "displayName": "own", "baseUrl": models.url + "/v1", "apiKey": "none",
       "provider": "generic-chat-completion-api", "maxOutputTokens": 8000}
droid_home = home / ".factory"
droid_home.mkdir()
(droid_home / "settings.json").write_text(json.dumps({"customModels": [own], "model": "custom:own-0"}))
env = {"HOME": str(home), "PATH": os.environ["PATH"], "NO_COLOR": "1", "FACTORY_API_KEY": "none",
       "FACTORY_API_BASE_URL": models.url, "FACTORY_APP_BASE_URL": models.url,
       "FACTORY_DISABLE_KEYRING": "1", "FACTORY_DROID_AUTO_UPDATE_ENABLED": "false"}
program = str(modules / "@factory" / "cli-linux-x64" / "bin" / "droid")
# Where it is told that there is no network it wants no login for its screen and for sub-agents; to go on it does.
apart_env = {**env, "FACTORY_AIRGAP_ENABLED": "true"}
droid = lambda env, *words: run([program, "exec", "--auto", "high", "-m", "custom:own-0", *words], {**env, "TERM": "dumb"}, project)

droid(apart_env, "name the hues")
heads = [path for path in droid_home.glob("sessions/*/*.jsonl") if "callingSessionId" not in path.read_text().split("\n")[0]]
session = heads[0].stem
droid(env, "-s", session, "thank you")
terminal = Terminal([program, "--resume", session], apart_env, project)
terminal.wait("Trust this folder?")
terminal.type("", "Enter")
terminal.wait("for help")
terminal.type("/rename Hues by hand")
terminal.wait("Session renamed")
terminal.type("/compress")
terminal.wait("Confirm /compress")
terminal.type("", "Enter")
terminal.wait("Loaded summary")
terminal.type("and now?")
terminal.wait("Now, blue.")
time.sleep(2)
terminal.end()
for path in [*droid_home.glob("sessions/*/*.jsonl"), *droid_home.glob("sessions/*/*.settings.json")]:
    keep(path, folder / path.relative_to(droid_home))
