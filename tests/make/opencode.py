#!/usr/bin/env python3
"""Writes a database with OpenCode's or Kilo's own program, with invented texts, for tests/fixtures/agents.

    npm install opencode-ai@1.18.33 @kilocode/cli-linux-x64@7.7.9
    opencode.py node_modules/opencode-linux-x64/bin/opencode FOLDER
    opencode.py node_modules/@kilocode/cli-linux-x64/bin/kilo FOLDER

FOLDER gets opencode.db (kilo.db): a session with a call, a sub-agent, a compaction and a question that was taken
back; a fork of it that was archived, with a call that failed and a command of the user. Ids and times are the
program's; run again, they are others.
"""

import contextlib
import json
import pathlib
import re
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request

from player import PROJECT, Player, call, empty, shop, words

# Tables that the session is not in, or that say it once more.
REPEATED = ("event", "event_sequence")
REMINDER = re.compile(r"(<system-reminder>).*?(</system-reminder>)")


def settings(home, name, url):
    model = {"name": "Hue 1", "tool_call": True, "reasoning": True, "limit": {"context": 100000, "output": 4000}}
    own = {"npm": "@ai-sdk/openai-compatible", "name": "Own", "options": {"baseURL": url, "apiKey": "none"}, "models": {"hue-1": model}}
    path = home / ".config" / name / f"{name}.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"model": "own/hue-1", "small_model": "own/hue-1", "autoupdate": False, "share": "disabled",
                                "provider": {"own": own}}))


class Rest:
    def __init__(self, port):
        self.base = f"http://127.0.0.1:{port}"

    def __call__(self, method, path, body=None, seconds=90):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            return json.loads(answer.read() or b"null")


@contextlib.contextmanager
def served(program, home, variables):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [program, "serve", "--port", str(port)]
    server = subprocess.Popen(command, env={"HOME": str(home), **variables}, cwd=PROJECT, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    rest = Rest(port)
    try:
        for _ in range(120):
            with contextlib.suppress(OSError):
                rest("GET", "/session", seconds=5)
                break
            time.sleep(0.5)
        yield rest
    finally:
        server.terminate()
        server.wait(20)


def small(path):
    """One file, as it lies there when nobody has it open, without what says the same again."""
    database = sqlite3.connect(path, isolation_level=None)
    for table in REPEATED:
        database.execute(f"DELETE FROM {table}")
    # Words of the program itself stay out.
    database.create_function("own_words", 1, lambda data: REMINDER.sub(r"\1A note.\2", data), deterministic=True)
    database.execute("UPDATE part SET data = own_words(data)")
    database.execute("PRAGMA journal_mode = DELETE")
    database.execute("PRAGMA page_size = 512")
    database.execute("VACUUM")
    database.close()


def main():
    program, folder = sys.argv[1], empty(sys.argv[2])
    program = str(pathlib.Path(program).resolve())
    name = pathlib.Path(program).name
    home = empty(folder / "home")
    shop()
    play = Player()
    settings(home, name, play.url)
    variables = {f"{name.upper()}_DISABLE_{what}": "1" for what in ("MODELS_FETCH", "AUTOUPDATE", "LSP_DOWNLOAD")}
    run = lambda *words: play.run([program, *words], home, **variables)

    play.next = [call("read", {"filePath": f"{PROJECT}/a.txt"}, thinking="I shall look."), words("red, green")]
    run("run", "name the hues")
    first = json.loads(run("session", "list", "--format", "json"))[0]["id"]
    task = {"description": "Look for blue", "prompt": "look for blue", "subagent_type": "general"}
    play.sub = {"look for blue": [words("none here")]}
    play.next = [call("task", task), words("blue is missing")]
    run("run", "--session", first, "and blue?")
    play.next = [call("read", {"filePath": f"{PROJECT}/none.txt"}), words("there is no such file")]
    run("run", "--session", first, "--fork", "and the other file?")
    with served(program, home, variables) as rest:
        play.summary = "They named hues."
        rest("POST", f"/session/{first}/summarize", {"providerID": "own", "modelID": "hue-1"})
        ask = lambda text: rest("POST", f"/session/{first}/message", {"parts": [{"type": "text", "text": text}]})
        play.next = [words("violet")]
        ask("the fourth?")
        play.next = [words("purple, perhaps")]
        asked = ask("a question asked by mistake")["info"]["parentID"]
        rest("POST", f"/session/{first}/revert", {"messageID": asked})
        fork = next(one["id"] for one in rest("GET", "/session") if one["id"] != first and not one.get("parentID"))
        rest("POST", f"/session/{fork}/shell", {"agent": "build", "command": "cat a.txt"})
        rest("PATCH", f"/session/{fork}", {"time": {"archived": int(time.time() * 1000)}})
    database = home / ".local/share" / name / f"{name}.db"
    small(database)
    database.replace(folder / database.name)


main()
