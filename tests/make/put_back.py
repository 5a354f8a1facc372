#!/usr/bin/env python3
"""Real programs on sessions that were put back: each starts a session, which is imported, deleted and put back, and goes on with it.

A server of this script's own answers for the models, so that nothing leaves the machine and no key is needed. The
programs come from npm (`npm i @openai/codex @anthropic-ai/claude-code @google/gemini-cli @augmentcode/auggie`, and for Claude Code its
`install.cjs`); a program that is not there is passed over, and said so.

    put_back.py SCROLLBACK NODE_MODULES [AGENT...]
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FIRST = "The password of the invented cellar is QUORUM-7311."
SECOND = "What was the password of the cellar?"
ANSWER = "It stands in what you said before."
asked = []


def sse(events):
    return "".join((f"event: {name}\n" if name else "") + f"data: {json.dumps(data)}\n\n" for name, data in events)


def anthropic():
    usage = {"input_tokens": 10, "output_tokens": 5, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0}
    message = {"id": f"msg_{len(asked)}", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5",
               "content": [], "stop_reason": None, "stop_sequence": None, "usage": usage}
    return sse([
        ("message_start", {"type": "message_start", "message": message}),
        ("content_block_start", {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        ("content_block_delta", {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": ANSWER}}),
        ("content_block_stop", {"type": "content_block_stop", "index": 0}),
        ("message_delta", {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {"output_tokens": 5}}),
        ("message_stop", {"type": "message_stop"}),
    ])


def openai():
    item = {"id": f"m{len(asked)}", "type": "message", "role": "assistant", "status": "completed",
            "content": [{"type": "output_text", "text": ANSWER, "annotations": []}]}
    usage = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15,
             "input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    response = {"id": f"resp_{len(asked)}", "object": "response", "status": "completed", "output": [item], "usage": usage}
    return sse([
        ("response.created", {"type": "response.created", "response": {"id": response["id"]}}),
        ("response.output_item.done", {"type": "response.output_item.done", "output_index": 0, "item": item}),
        ("response.completed", {"type": "response.completed", "response": response}),
    ])


def gemini():
    return sse([(None, {"candidates": [{"content": {"role": "model", "parts": [{"text": ANSWER}]}, "finishReason": "STOP", "index": 0}],
                        "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15},
                        "modelVersion": "gemini-2.5-pro"})])


def chat():
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    piece = lambda delta, end: {"id": f"c{len(asked)}", "object": "chat.completion.chunk", "created": 1, "model": "gpt-5",
                                "choices": [{"index": 0, "delta": delta, "finish_reason": end}]}
    return sse([(None, piece({"role": "assistant", "content": ANSWER}, None)), (None, piece({}, "stop")),
                (None, {**piece({}, None), "choices": [], "usage": usage})]) + "data: [DONE]\n\n"


class Models(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, text, kind):
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(json.dumps({"data": [], "models": []}), "application/json")

    def do_HEAD(self):
        self.answer("", "application/json")

    def do_POST(self):
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size).decode(errors="replace")
        asked.append((self.path, body))
        if "count_tokens" in self.path or "countTokens" in self.path:
            self.answer(json.dumps({"input_tokens": 10, "totalTokens": 10}), "application/json")
        elif "/messages" in self.path:
            self.answer(anthropic(), "text/event-stream")
        elif "/responses" in self.path:
            self.answer(openai(), "text/event-stream")
        elif "/chat/completions" in self.path:
            self.answer(chat(), "text/event-stream")
        elif "/get-models" in self.path:
            user = {"id": "u", "email": "who@example.org"}
            self.answer(json.dumps({"default_model": "own", "models": [], "feature_flags": {}, "languages": [], "user": user}), "application/json")
        elif "/chat-stream" in self.path:
            said = {"text": ANSWER, "nodes": [{"id": 1, "type": 0, "content": ANSWER}], "stop_reason": 1}
            self.answer(json.dumps(said) + "\n", "application/json")
        elif "streamGenerateContent" in self.path:
            self.answer(gemini(), "text/event-stream")
        elif "generateContent" in self.path:
            data = json.loads(gemini()[len("data: "):])
            self.answer(json.dumps(data), "application/json")
        else:
            self.answer("{}", "application/json")


def run(command, env, cwd, **more):
    done = subprocess.run(command, env=env, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=180, **more)
    if done.returncode != 0:
        sys.exit(f"{command}: exit {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return done.stdout


def rows(text):
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


class Agent:
    def __init__(self, name, program, begin, go_on, env, files):
        self.name, self.program, self.begin, self.go_on = name, program, begin, go_on
        self.env, self.files = env, files


def check(agent, scrollback, url):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder).resolve()
        home, project = folder / "home", folder / "shop"
        home.mkdir()
        project.mkdir()
        env = {"HOME": str(home), "PATH": os.environ["PATH"], "TERM": "dumb", "NO_COLOR": "1",
               "SCROLLBACK_STORE": str(folder / "store.redb")}
        env.update(agent.env(url, home))
        tool = lambda *words: run([scrollback, *words], env, project)
        run([*agent.program, *agent.begin], env, project)
        tool("import", "--json")
        listed = [row for row in rows(tool("list", "--json")) if row["agent"] == agent.name]
        assert len(listed) == 1, listed
        session = listed[0]["id"]
        shown = [row for row in rows(tool("show", session, "--json"))]
        said = json.dumps(shown)
        assert "QUORUM-7311" in said and ANSWER in said, said[:2000]
        before = {path: path.read_bytes() for path in home.glob(agent.files)}
        assert before, agent.files
        for path in before:
            path.unlink()
        tool("put-back", session, "--json")
        for path, content in before.items():
            assert path.read_bytes() == content, f"{path} came back otherwise"
        asked.clear()
        words = [word.replace("ID", session) for word in agent.go_on]
        run([*agent.program, *words], env, project)
        bodies = [body for path, body in asked if SECOND in body]
        assert any("QUORUM-7311" in body for body in bodies), f"the model was not told what was said before: {[b[:600] for b in bodies]}"
        tool("import", "--json")
        listed = [row for row in rows(tool("list", "--json")) if row["agent"] == agent.name]
        assert [row["id"] for row in listed] == [session], listed
        said = [row.get("text") or json.dumps(row) for row in rows(tool("show", session, "--json"))]
        for words in (FIRST, SECOND):
            times = sum(words in text for text in said)
            assert times == 1, f"{words!r} is shown {times} times"
        print(f"ok {agent.name}: {session}, {listed[0]['message_count']} messages, byte for byte, gone on with")


def gemini_home(url, home):
    settings = home / ".gemini" / "settings.json"
    settings.parent.mkdir()
    settings.write_text(json.dumps({"security": {"auth": {"selectedType": "gemini-api-key"}}}))
    return {"GEMINI_API_KEY": "none", "GOOGLE_GEMINI_BASE_URL": url}


def pi_home(url, home):
    models = home / ".pi" / "agent" / "models.json"
    models.parent.mkdir(parents=True)
    own = {"baseUrl": f"{url}/v1", "apiKey": "none", "api": "openai-completions", "models": [{"id": "gpt-own"}]}
    models.write_text(json.dumps({"providers": {"own": own}}))
    return {}


def main():
    scrollback, modules = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Models)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    bin_ = lambda name: [str(modules / ".bin" / name)]
    provider = lambda url: ["-c", "model_provider=own", "-c", 'model_providers.own.name="own"', "-c", f'model_providers.own.base_url="{url}/v1"',
                            "-c", 'model_providers.own.wire_api="responses"', "-c", 'model="gpt-5"', "--skip-git-repo-check"]
    agents = [
        Agent("claude-code", bin_("claude"), ["-p", FIRST], ["-p", "--resume", "ID", SECOND],
              lambda url, home: {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "none", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
                                 "DISABLE_AUTOUPDATER": "1"},
              ".claude/projects/*/*.jsonl"),
        Agent("codex", bin_("codex"), ["exec", *provider(url), FIRST], ["exec", "resume", *provider(url), "ID", SECOND],
              lambda url, home: {}, ".codex/sessions/*/*/*/*.jsonl"),
        Agent("gemini", bin_("gemini"), ["--skip-trust", "-p", FIRST], ["--skip-trust", "-p", SECOND, "--resume", "ID"],
              gemini_home, ".gemini/tmp/*/chats/*"),
        Agent("qwen", [*bin_("qwen"), "--auth-type", "openai", "-m", "gpt-own"], ["-p", FIRST], ["--resume", "ID", "-p", SECOND],
              lambda url, home: {"OPENAI_API_KEY": "none", "OPENAI_BASE_URL": f"{url}/v1"}, ".qwen/projects/*/chats/*.jsonl"),
        Agent("pi", [*bin_("pi"), "--model", "own/gpt-own"], ["-p", FIRST], ["--session", "ID", "-p", SECOND],
              pi_home, ".pi/agent/sessions/*/*.jsonl"),
        Agent("auggie", bin_("auggie"), ["--print", FIRST], ["--print", "--resume", "ID", SECOND],
              lambda url, home: {"AUGMENT_SESSION_AUTH": json.dumps({"accessToken": "none", "tenantURL": f"{url}/", "scopes": ["read", "write"]})},
              ".augment/sessions/*.json"),
    ]
    wanted, failed = sys.argv[3:], False
    for agent in agents:
        if wanted and agent.name not in wanted:
            continue
        if not os.path.exists(agent.program[0]):
            print(f"SKIPPED {agent.name}: {agent.program[0]} is not there")
            continue
        try:
            check(agent, scrollback, url)
        except (AssertionError, SystemExit, subprocess.TimeoutExpired) as error:
            failed = True
            print(f"FAILED {agent.name}: {str(error)[:3000]}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
