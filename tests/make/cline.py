#!/usr/bin/env python3
"""Writes a session with Cline's own command line, with invented texts, for tests/fixtures/agents/cline.

    npm install cline@3.0.65
    cline.py node_modules/@cline/cli-linux-x64/bin/cline FOLDER

FOLDER gets a folder of one session with a call, gone on with by its id on a terminal, and a sub-agent of it. Ids and
times are the program's; run again, they are others. What the model was told about itself is left out.
"""

import json
import os
import pathlib
import pty
import select
import shutil
import signal
import sys
import time

from player import PROJECT, Player, call, empty, shop, words

OWN = ["-P", "openai-compatible", "-m", "hue-1"]


def typed(command, env, text, done):
    """Runs a program on a terminal, types a text, and leaves it when it has done with it."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(PROJECT)
        os.execve(command[0], command, {**env, "COLUMNS": "100", "LINES": "40", "TERM": "xterm-256color"})
    began, keys = time.time(), [(12, text), (14, b"\r")]
    while time.time() - began < 90:
        if select.select([terminal], [], [], 0.5)[0]:
            try:
                os.read(terminal, 65536)
            except OSError:
                break
        while keys and time.time() - began > keys[0][0]:
            os.write(terminal, keys.pop(0)[1])
        if not keys and done():
            after = time.time() - began
            keys = [(after + 3, b"\x03"), (after + 5, b"\x03")]
            done = lambda: False
    os.waitpid(child, 0)


def stop_hub(home):
    """The program leaves a server of its own behind."""
    for path in (home / ".cline/data/locks/hub").glob("*.json"):
        os.kill(json.loads(path.read_text())["pid"], signal.SIGTERM)


def small(path):
    document = json.loads(path.read_text())
    if "system_prompt" in document:
        document["system_prompt"] = "You are."
    if "messages_path" in document:
        document["messages_path"] = f"/h/.cline/data/sessions/{path.parent.name}/{path.stem}.messages.json"
    path.write_text(json.dumps(document, indent=2))


def main():
    program, folder = str(pathlib.Path(sys.argv[1]).resolve()), empty(sys.argv[2])
    home = empty(folder / "home")
    shop()
    play = Player()
    quiet = {"CLINE_TELEMETRY_DISABLED": "1", "DO_NOT_TRACK": "1"}
    play.run([program, "auth", "openai-compatible", "-k", "none", "-m", "hue-1", "-b", play.url], home, **quiet)
    try:
        play.next = [call("read_files", {"files": [{"path": f"{PROJECT}/a.txt"}]}, text="I look.", thinking="I shall look."),
                     words("red, green")]
        play.run([program, *OWN, "name the hues"], home, **quiet)
        session = next((home / ".cline/data/sessions").iterdir())
        play.sub = {"look for blue": [words("none here")]}
        play.next = [call("spawn_agent", {"systemPrompt": "You look for hues.", "task": "look for blue"}), words("blue is missing")]
        env = {"HOME": str(home), "PATH": os.environ["PATH"], **quiet}
        typed([program, *OWN, "--id", session.name], env, b"and blue?", lambda: not play.next)
    finally:
        stop_hub(home)
    for path in session.iterdir():
        small(path)
    shutil.copytree(session, folder / session.name)


main()
