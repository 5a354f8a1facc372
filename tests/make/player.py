"""A server of invented answers, and a folder for a program to write in: what the scripts beside share that let a real
program write sessions with invented texts. Nothing leaves the machine and no key is needed.

    play = Player()                     # play.url is where the program finds its models
    play.next = [call("read", {...}), words("red, green")]
    play.run([program, "-p", "name the hues"], home)

A request without tools is one for a title or, where `play.summary` is set, for a summary. What a sub-agent is asked is
told by its first message: `play.sub` has its words and the answers.
"""

import json
import os
import pathlib
import shutil
import subprocess
import threading
import types
from http.server import ThreadingHTTPServer

from models import Handler, sse

# Neither the machine nor the one who runs it stands in what programs write: they work here.
PROJECT = pathlib.Path("/tmp/shop")
TITLE = "Three hues"
USAGE = {"prompt_tokens": 100, "completion_tokens": 7, "total_tokens": 107,
         "prompt_tokens_details": {"cached_tokens": 40}, "completion_tokens_details": {"reasoning_tokens": 2}}


def words(text, **more):
    return {"text": text, **more}


def call(name, arguments, **more):
    return {"call": (name, arguments), **more}


def message(reply, number):
    """What the model says, and why it ends."""
    said = {"role": "assistant", "content": reply.get("text")}
    if "thinking" in reply:
        said["reasoning_content"] = reply["thinking"]
    if "call" not in reply:
        return said, "stop"
    name, arguments = reply["call"]
    said["tool_calls"] = [{"index": 0, "id": f"call_{number}", "type": "function",
                           "function": {"name": name, "arguments": json.dumps(arguments)}}]
    return said, "tool_calls"


def whole(reply, number):
    said, end = message(reply, number)
    return json.dumps({"id": f"c{number}", "object": "chat.completion", "created": 1, "model": "hue-1",
                       "choices": [{"index": 0, "message": said, "finish_reason": end}], "usage": USAGE})


def streamed(reply, number):
    said, end = message(reply, number)
    piece = lambda choices, **more: (None, {"id": f"c{number}", "object": "chat.completion.chunk", "created": 1,
                                            "model": "hue-1", "choices": choices, **more})
    choice = lambda delta, end: [{"index": 0, "delta": delta, "finish_reason": end}]
    return sse([piece(choice(said, None)), piece(choice({}, end)), piece([], usage=USAGE)]) + "data: [DONE]\n\n"


class Player:
    def __init__(self):
        self.next, self.asked, self.sub, self.summary = [], [], {}, None
        play = self

        class Server(Handler):
            def do_POST(self):
                if "/chat/completions" not in self.path:
                    return super().do_POST()
                body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
                play.asked.append(body)
                reply, number = play.reply(body), len(play.asked)
                if body.get("stream"):
                    return self.answer(streamed(reply, number), "text/event-stream")
                return self.answer(whole(reply, number), "application/json")

        server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
        server.models = types.SimpleNamespace(asked=[])
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{server.server_address[1]}/v1"

    def reply(self, body):
        if not body.get("tools"):
            return words(self.summary or TITLE)
        talk = [json.dumps(said["content"]) for said in body["messages"] if said["role"] not in ("system", "developer")]
        for asked, answers in self.sub.items():
            if asked in talk[0]:
                return answers.pop(0) if len(answers) > 1 else answers[0]
        return self.next.pop(0) if self.next else words("That is all.")

    def run(self, command, home, said="", **env):
        env = {"HOME": str(home), "PATH": os.environ["PATH"], "TERM": "dumb", "NO_COLOR": "1", **env}
        done = subprocess.run(command, env=env, cwd=PROJECT, input=said, capture_output=True, text=True, timeout=180)
        if done.returncode != 0:
            raise SystemExit(f"{command}: exit {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
        return done.stdout


def empty(folder):
    folder = pathlib.Path(folder).resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def shop():
    """The project: one file in a folder."""
    PROJECT.mkdir(exist_ok=True)
    (PROJECT / "a.txt").write_text("red\ngreen\n")
