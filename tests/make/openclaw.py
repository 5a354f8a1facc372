#!/usr/bin/env python3
"""Writes a database with OpenClaw's own program, with invented texts, for tests/fixtures/agents/openclaw.

    npm install openclaw@2026.9.6          # its node is 22 or newer
    openclaw.py NODE node_modules/openclaw/openclaw.mjs FOLDER

FOLDER gets openclaw-agent.sqlite: a session with calls, one of which failed, and an event that is packed. Only the tables
of sessions are kept, without what the program says of its skills. Ids and times are the program's; run again, they
are others.
"""

import json
import os
import pathlib
import sqlite3
import sys

from player import PROJECT, Player, call, empty, shop, words

KEPT = ("session_nodes", "session_windows", "transcript_events")


def settings(url):
    model = {"id": "hue-1", "name": "Hue 1", "reasoning": False, "input": ["text"], "contextWindow": 100000, "maxTokens": 4000,
             "cost": {"input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0}}
    own = {"baseUrl": url, "apiKey": "none", "api": "openai-completions", "models": [model]}
    return json.dumps({"models": {"mode": "merge", "providers": {"own": own}},
                       "agents": {"defaults": {"model": {"primary": "own/hue-1"}, "workspace": str(PROJECT), "skipBootstrap": True}}})


def small(source, target):
    database = sqlite3.connect(target, isolation_level=None)
    # Its checks ask for this; an older SQLite has it not.
    database.create_function("octet_length", 1, lambda value: value and len(value.encode() if isinstance(value, str) else value),
                             deterministic=True)
    database.execute("PRAGMA page_size = 512")
    database.execute("ATTACH ? AS source", (str(source),))
    for table in KEPT:
        (schema,) = database.execute("SELECT sql FROM source.sqlite_schema WHERE name = ?", (table,)).fetchone()
        database.execute(schema)
        database.execute(f"INSERT INTO {table} SELECT * FROM source.{table}")
    database.execute("UPDATE session_nodes SET entry_json = '{}'")
    (version,) = database.execute("PRAGMA source.user_version").fetchone()
    database.execute(f"PRAGMA user_version = {version}")
    database.execute("DETACH source")
    database.execute("VACUUM")
    database.close()


def main():
    node, program = (str(pathlib.Path(path).resolve()) for path in sys.argv[1:3])
    folder = empty(sys.argv[3])
    home = empty(folder / "home")
    shop()
    play = Player()
    (home / ".openclaw").mkdir()
    (home / ".openclaw" / "openclaw.json").write_text(settings(play.url))
    paths = f"{pathlib.Path(node).parent}:{os.environ['PATH']}"
    say = lambda text: play.run([node, program, "agent", "--local", "--agent", "main", "--message", text], home, PATH=paths)
    play.next = [call("read", {"path": f"{PROJECT}/a.txt"}, text="I look."), words("red, green")]
    say("name the hues")
    play.next = [call("read", {"path": f"{PROJECT}/none.txt"}), words("there is no such file")]
    say("and the other file?")
    # No gateway runs here, so that the sub-agent fails; the answer is long enough to be packed.
    play.next = [call("tool_call", {"id": "sessions_spawn", "args": {"task": "look for blue"}}), words("nobody can look")]
    say("and blue?")
    small(home / ".openclaw/agents/main/agent/openclaw-agent.sqlite", folder / "openclaw-agent.sqlite")


main()
