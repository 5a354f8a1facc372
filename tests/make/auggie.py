#!/usr/bin/env python3
"""Writes a session with Auggie's own program, with invented texts, for tests/fixtures/agents/auggie.

    npm install @augmentcode/auggie@0.36.0
    auggie.py node_modules/@augmentcode/auggie/augment.mjs FOLDER

Its service is this script: nobody is logged in anywhere. FOLDER gets one session with calls, one of which failed, gone on
with by its id. Ids and times are the program's; run again, they are others.
"""

import json
import pathlib
import shutil
import sys
import threading
from http.server import ThreadingHTTPServer

from models import Handler
from player import Player, call, empty, shop, words

ENDED, CALLED = 1, 3
MODELS = {"default_model": "hue-1", "models": [{"name": "hue-1", "suggested_prefix_char_count": 0, "suggested_suffix_char_count": 0}],
          "feature_flags": {}, "languages": [], "user_tier": "COMMUNITY_TIER", "user": {"id": "u", "email": "who@example.org"}}


def nodes(reply, number):
    found = []
    if "text" in reply:
        found.append({"id": 1, "type": 0, "content": reply["text"]})
    if "call" in reply:
        name, arguments = reply["call"]
        use = {"tool_use_id": f"call_{number}", "tool_name": name, "input_json": json.dumps(arguments)}
        found.append({"id": 2, "type": 5, "content": "", "tool_use": use})
    return found


def service(play):
    class Service(Handler):
        def do_POST(self):
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            said = {}
            if self.path.startswith("/get-models"):
                said = MODELS
            elif self.path.startswith("/chat-stream"):
                reply = play.next.pop(0)
                play.asked.append(reply)
                said = {"text": reply.get("text", ""), "nodes": nodes(reply, len(play.asked)),
                        "stop_reason": CALLED if "call" in reply else ENDED}
            self.answer(json.dumps(said) + "\n", "application/json")

    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_address[1]}/"


def main():
    program, folder = str(pathlib.Path(sys.argv[1]).resolve()), empty(sys.argv[2])
    home = empty(folder / "home")
    shop()
    play = Player()
    login = json.dumps({"accessToken": "none", "tenantURL": service(play), "scopes": ["read", "write"]})
    run = lambda *words: play.run(["node", program, "--print", *words], home, AUGMENT_SESSION_AUTH=login)
    play.next = [call("view", {"path": "a.txt", "type": "file"}, text="I look."), words("red, green")]
    run("name the hues")
    sessions = home / ".augment" / "sessions"
    first = next(sessions.glob("*.json"))
    play.next = [call("view", {"path": "none.txt", "type": "file"}), words("there is no such file")]
    run("--resume", first.stem, "and the other file?")
    for path in sessions.glob("*.json"):
        shutil.copy(path, folder)


main()
