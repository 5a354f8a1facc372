"""Models that say what a script has them say, for real programs that are run without a network and without a key.

A server on this machine speaks as Anthropic's, OpenAI's (responses and chat completions), Gemini's and Auggie's do. What was
said last to it decides the answer: the first pair of a story whose words stand in it.
"""

import atexit
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

USAGE = (10, 5)


class Said:
    """What a model says: a text, a thought before it, and calls of tools as names and arguments."""

    def __init__(self, text="", thought=None, calls=()):
        self.text, self.thought, self.calls = text, thought, list(calls)


def sse(events):
    return "".join((f"event: {name}\n" if name else "") + f"data: {json.dumps(data)}\n\n" for name, data in events)


def anthropic(said, number, body):
    usage = {"input_tokens": USAGE[0], "output_tokens": USAGE[1], "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0}
    blocks, deltas = [], []
    if said.thought:
        blocks.append({"type": "thinking", "thinking": "", "signature": ""})
        deltas.append({"type": "thinking_delta", "thinking": said.thought})
    if said.text:
        blocks.append({"type": "text", "text": ""})
        deltas.append({"type": "text_delta", "text": said.text})
    for at, (name, arguments) in enumerate(said.calls):
        blocks.append({"type": "tool_use", "id": f"toolu_{number}{at}", "name": name, "input": {}})
        deltas.append({"type": "input_json_delta", "partial_json": json.dumps(arguments)})
    stop = "tool_use" if said.calls else "end_turn"
    message = {"id": f"msg_{number}", "type": "message", "role": "assistant", "model": body.get("model", "model-x"),
               "content": [], "stop_reason": None, "stop_sequence": None, "usage": usage}
    if not body.get("stream"):
        whole = [{**block, **{key: value for key, value in delta.items() if key in ("text", "thinking")}} for block, delta in zip(blocks, deltas)]
        for block, (_, arguments) in zip(whole[len(whole) - len(said.calls):], said.calls):
            block["input"] = arguments
        return json.dumps({**message, "content": whole, "stop_reason": stop})
    events = [("message_start", {"type": "message_start", "message": message})]
    for at, (block, delta) in enumerate(zip(blocks, deltas)):
        events += [
            ("content_block_start", {"type": "content_block_start", "index": at, "content_block": block}),
            ("content_block_delta", {"type": "content_block_delta", "index": at, "delta": delta}),
            ("content_block_stop", {"type": "content_block_stop", "index": at}),
        ]
    return sse([
        *events,
        ("message_delta", {"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": None}, "usage": {"output_tokens": USAGE[1]}}),
        ("message_stop", {"type": "message_stop"}),
    ])


def responses(said, number, body):
    items = []
    if said.text:
        items.append({"id": f"m{number}", "type": "message", "role": "assistant", "status": "completed",
                      "content": [{"type": "output_text", "text": said.text, "annotations": []}]})
    for at, (name, arguments) in enumerate(said.calls):
        items.append({"id": f"f{number}{at}", "type": "function_call", "call_id": f"call_{number}{at}", "name": name,
                      "arguments": json.dumps(arguments), "status": "completed"})
    usage = {"input_tokens": USAGE[0], "output_tokens": USAGE[1], "total_tokens": sum(USAGE),
             "input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    response = {"id": f"resp_{number}", "object": "response", "status": "completed", "output": items, "usage": usage}
    if not body.get("stream"):
        return json.dumps(response)
    return sse([
        ("response.created", {"type": "response.created", "response": {"id": response["id"]}}),
        *[("response.output_item.done", {"type": "response.output_item.done", "output_index": at, "item": item}) for at, item in enumerate(items)],
        ("response.completed", {"type": "response.completed", "response": response}),
    ])


def chat(said, number, body):
    usage = {"prompt_tokens": USAGE[0], "completion_tokens": USAGE[1], "total_tokens": sum(USAGE)}
    calls = [{"index": at, "id": f"call_{number}{at}", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
             for at, (name, arguments) in enumerate(said.calls)]
    message = {"role": "assistant", "content": said.text}
    if said.thought:
        message["reasoning_content"] = said.thought
    if calls:
        message["tool_calls"] = calls
    end = "tool_calls" if calls else "stop"
    head = {"id": f"c{number}", "created": 1, "model": body.get("model", "model-x")}
    if not body.get("stream"):
        choice = {"index": 0, "message": message, "finish_reason": end}
        return json.dumps({**head, "object": "chat.completion", "choices": [choice], "usage": usage})
    piece = lambda delta, end: {**head, "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": end}]}
    return sse([(None, piece(message, None)), (None, piece({}, end)),
                (None, {**piece({}, None), "choices": [], "usage": usage})]) + "data: [DONE]\n\n"


def gemini(said, number, body):
    parts = [{"text": said.thought, "thought": True}] if said.thought else []
    parts += [{"text": said.text}] if said.text else []
    parts += [{"functionCall": {"name": name, "args": arguments}} for name, arguments in said.calls]
    return {"candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": 0}],
            "usageMetadata": {"promptTokenCount": USAGE[0], "candidatesTokenCount": USAGE[1], "totalTokenCount": sum(USAGE)},
            "modelVersion": "gemini-2.5-pro"}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, text, kind="application/json"):
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        own = {"id": "model-x", "object": "model", "created": 1, "owned_by": "own"}
        self.answer(json.dumps({"object": "list", "data": [own], "models": []}))

    def do_HEAD(self):
        self.answer("")

    def do_POST(self):
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode(errors="replace")
        models = self.server.models
        models.asked.append((self.path, raw))
        try:
            body = json.loads(raw)
        except ValueError:
            body = {}
        if "count_tokens" in self.path or "countTokens" in self.path:
            self.answer(json.dumps({"input_tokens": 10, "totalTokens": 10}))
            return
        writers = {"/messages": anthropic, "/responses": responses, "/chat/completions": chat}
        writer = next((writer for path, writer in writers.items() if path in self.path), None)
        if writer:
            kind = "text/event-stream" if body.get("stream") else "application/json"
            self.answer(writer(models.said(body), len(models.asked), body), kind)
        elif "streamGenerateContent" in self.path:
            self.answer(sse([(None, gemini(models.said(body), 0, body))]), "text/event-stream")
        elif "generateContent" in self.path:
            self.answer(json.dumps(gemini(models.said(body), 0, body)))
        elif "/get-models" in self.path:
            user = {"id": "u", "email": "who@example.org"}
            self.answer(json.dumps({"default_model": "own", "models": [], "feature_flags": {}, "languages": [], "user": user}))
        elif "/chat-stream" in self.path:
            text = models.said(body).text
            said = {"text": text, "nodes": [{"id": 1, "type": 0, "content": text}], "stop_reason": 1}
            self.answer(json.dumps(said) + "\n")
        else:
            self.answer("{}")


class Models:
    """The server, with what was asked of it so far: paths and bodies."""

    def __init__(self, answer, story=()):
        self.default, self.story, self.asked = Said(answer), list(story), []
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.models = self
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{server.server_address[1]}"

    def said(self, body):
        """What is answered to a body: by what was said since the model spoke last, which the program may have added to."""
        messages = body.get("messages") or body.get("input") or body.get("contents") or []
        since = []
        for message in messages if isinstance(messages, list) else [{"content": messages}]:
            if message.get("role") in ("assistant", "model") or message.get("type") == "function_call":
                since.clear()
            elif message.get("role") not in ("system", "developer"):
                since.append(message)
        said = json.dumps(since, ensure_ascii=False)
        return next((answer for words, answer in self.story if words in said), self.default)


def hues(read, agent, *first):
    """Models of the story that most scripts tell: hues are read from a file by a call, a third one is found by a
    sub-agent. `first` are pairs of words and answers that go before it, such as what a summary is asked by."""
    return Models("You are welcome.", [
        *[(words, Said(answer)) for words, answer in first],
        ("and now?", Said("Now, blue.")),
        ("name the hues", Said("I read it.", "I shall look.", [read])),
        ("red green", Said("red, green", None, [agent])),
        ("find a third one", Said("blue is one")),
        ("blue is one", Said("And blue.")),
        ("and wrong", Said("no")),
    ])


def run(command, env, cwd, **more):
    """Runs a program to its end, and tells what it said; where it fails, the script ends."""
    done = subprocess.run(command, env=env, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=180, **more)
    if done.returncode != 0:
        sys.exit(f"{command}: exit {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return done.stdout


class Terminal:
    """A program in a terminal of tmux: what is typed into it, once it shows what is waited for."""

    def __init__(self, command, env, cwd):
        self.tmux = ["tmux", "-L", f"typed-{os.getpid()}"]
        atexit.register(self.end)
        words = ["env", "-i", *[f"{name}={value}" for name, value in env.items()], "TERM=xterm-256color", *command]
        subprocess.run([*self.tmux, "-f", "/dev/null", "new-session", "-d", "-x", "120", "-y", "50", shlex.join(words)], cwd=cwd, check=True)

    def shown(self):
        return subprocess.run([*self.tmux, "capture-pane", "-p"], capture_output=True, text=True).stdout

    def wait(self, words, seconds=30):
        for _ in range(seconds * 5):
            shown = self.shown()
            if words in shown:
                time.sleep(0.5)
                return
            time.sleep(0.2)
        sys.exit(f"{words!r} is not shown:\n{shown}")

    def type(self, text, *keys):
        """Types a text and presses keys, Enter if none are named."""
        for words in ([["-l", "--", text]] if text else []) + [list(keys or ["Enter"])]:
            subprocess.run([*self.tmux, "send-keys", *words], check=True)
            time.sleep(0.7)

    def end(self):
        subprocess.run([*self.tmux, "kill-server"], capture_output=True)


STRINGS = re.compile(r'"((?:[^"\\]|\\.)*)"')
OURS = ("hue", "third one")


def left_out(found):
    text = found.group(1)
    if len(text) < 25 or text.count(" ") < 3 or (len(text) < 100 and any(word in text for word in OURS)):
        return found.group(0)
    tag = re.match(r"<[a-z_-]+>", text)
    tags = (tag.group(0), tag.group(0).replace("<", "</")) if tag else ("", "")
    return f'"{tags[0]}({len(text)} characters are left out){tags[1]}"'


def keep(path, place):
    """Copies a file of lines or a document, and leaves out of it what the program tells its model in words of its own: all long
    texts, of which only a tag around them stays; and the system's version. What the scripts have people and models say is short."""
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(STRINGS.sub(left_out, path.read_text()).replace(os.uname().release, "0.0"))


def apart(home="/h", project="/w/shop"):
    """Begins the script again, as root, where there is no network but this machine's own and where `home` and `project`
    are empty folders of nobody else: what programs write there names no place of the machine that they ran on."""
    places = [home, "/" + project.split("/")[1]]
    if os.environ.get("APART") != "1":
        for place in places:
            os.makedirs(place, exist_ok=True)
        mounts = "; ".join(f"mount -t tmpfs none {place}" for place in places)
        words = ["unshare", "-mn", "sh", "-ec", f'{mounts}; ip link set lo up; exec "$@"', "sh", sys.executable, *sys.argv]
        os.execvpe(words[0], words, {**os.environ, "APART": "1"})
    home, project = pathlib.Path(home), pathlib.Path(project)
    project.mkdir(parents=True)
    (project / "hues.txt").write_text("red green\n")
    return home, project
