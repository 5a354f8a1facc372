#!/usr/bin/env python3
"""Writes sessions with Oh My Pi's own program, with invented texts, for tests/fixtures/agents/omp.

    npm install @oh-my-pi/pi-coding-agent@18.2.3 bun@1.4.5
    omp.py node_modules FOLDER

FOLDER gets a session with a call, gone on with, a sub-agent of it in its folder. Ids and times are the program's; run
again, they are others. What the model is told by the program itself is left out.
"""

import json
import pathlib
import shutil
import sys

from player import PROJECT, Player, call, empty, shop, words

MODELS = """providers:
  own:
    baseUrl: URL
    apiKey: none
    api: openai-completions
    models:
      - {id: hue-1, name: Hue 1, reasoning: true, input: [text], contextWindow: 100000, maxTokens: 4000,
         cost: {input: 0, output: 0, cacheRead: 0, cacheWrite: 0}}
"""


def small(path, home):
    """What the program tells the model, and where this folder is, stay out."""
    lines = []
    for text in path.read_text().replace(str(home), "/h").splitlines():
        line = json.loads(text)
        said = line.get("message", {})
        if line["type"] == "session_init":
            line["systemPrompt"] = "You are."
        elif said.get("role") == "developer":
            said["content"] = [{"type": "text", "text": "<system-reminder>\nA note.\n</system-reminder>"}]
        elif said.get("toolName") == "task":
            said["content"][0]["text"] = said["content"][0]["text"].split(".")[0] + "."
        lines.append(json.dumps(line, separators=(",", ":"), ensure_ascii=False))
    path.write_text("\n".join(lines) + "\n")


def main():
    modules, folder = pathlib.Path(sys.argv[1]).resolve(), empty(sys.argv[2])
    home = empty(folder / "home")
    shop()
    play = Player()
    program = [str(modules / "@oven/bun-linux-x64/bin/bun"), str(modules / "@oh-my-pi/pi-coding-agent/dist/cli.js")]
    agent = home / ".omp" / "agent"
    agent.mkdir(parents=True)
    (agent / "models.yml").write_text(MODELS.replace("URL", play.url))
    run = lambda *words: play.run([*program, "--model", "own/hue-1", *words], home)
    play.next = [call("read", {"path": f"{PROJECT}/a.txt"}, text="I look.", thinking="I shall look."), words("red, green")]
    run("-p", "name the hues")
    first = next((agent / "sessions").rglob("*.jsonl")).stem.partition("_")[2]
    task = {"i": "Looking", "context": "hues", "tasks": [{"name": "Blue", "task": "look for blue", "agent": "task"}]}
    play.sub = {"look for blue": [words("none here")]}
    play.next = [call("task", task), call("hub", {"i": "Waiting", "op": "wait"}), words("blue is missing")]
    run("--resume", first, "-p", "and blue?")
    for path in (agent / "sessions").rglob("*.jsonl"):
        small(path, home)
    shutil.copytree(agent / "sessions", folder / "sessions")


main()
