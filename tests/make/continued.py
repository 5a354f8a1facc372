#!/usr/bin/env python3
"""Writes sessions with Continue's own command line, with invented texts, for tests/fixtures/agents/continue.

    npm install @continuedev/cli@1.5.47
    continued.py node_modules/.bin/cn FOLDER

FOLDER gets one session with calls, gone on with, a fork of it, and the list of sessions. Ids and times are the
program's; run again, they are others.
"""

import pathlib
import shutil
import sys

from player import PROJECT, Player, call, empty, shop, words

CONFIG = """name: Own
version: 1.0.0
schema: v1
models:
  - {name: Hue, provider: openai, model: hue-1, apiBase: "URL/", apiKey: none, roles: [chat], capabilities: [tool_use]}
"""


def main():
    program, folder = str(pathlib.Path(sys.argv[1]).resolve()), empty(sys.argv[2])
    home = empty(folder / "home")
    shop()
    play = Player()
    config = home / "config.yaml"
    config.write_text(CONFIG.replace("URL", play.url))
    run = lambda *words: play.run([program, "--config", str(config), "-p", *words], home, CONTINUE_TELEMETRY_ENABLED="0")
    play.next = [call("Read", {"filepath": f"{PROJECT}/a.txt"}, text="I look.", thinking="I shall look."), words("red, green")]
    run("name the hues")
    play.next = [call("Read", {"filepath": f"{PROJECT}/none.txt"}), words("there is no such file")]
    run("--resume", "and the other file?")
    sessions = home / ".continue" / "sessions"
    first = next(path.stem for path in sessions.glob("*-*.json"))
    play.next = [words("violet")]
    run("--fork", first, "the fourth?")
    for path in sessions.iterdir():
        shutil.copy(path, folder)


main()
