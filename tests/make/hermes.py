# Writes a database with Hermes' own writer, with invented texts, for tests/fixtures/agents/hermes.
#
#   pip download --no-deps hermes-agent==0.19.0 && unzip hermes_agent-0.19.0-py3-none-any.whl -d hermes
#   python hermes.py hermes FOLDER
#
# FOLDER gets state.db: a session with parts, a call and its answer; what a compaction made of it; a
# sub-agent of it. Times are the writer's; run again, they are others.
import os
import sys
from pathlib import Path

package, folder = sys.argv[1:3]
os.environ["HERMES_HOME"] = folder
sys.path.insert(0, package)
from hermes_state import SessionDB  # noqa: E402

path = Path(folder) / "state.db"
db = SessionDB(path)
first = "20261120_100000_abcd12"
db.create_session(first, "cli", model="model-x", model_config={}, cwd="/w/shop")
db.append_message(first, "user", [{"type": "text", "text": "name the hues"}])
db.append_message(
    first, "assistant", "", reasoning="I shall look.",
    tool_calls=[{"id": "t1", "type": "function",
                 "function": {"name": "read_file", "arguments": '{"path":"a.txt"}'}}],
)
db.append_message(first, "tool", "red green", tool_name="read_file", tool_call_id="t1")
db.append_message(first, "assistant", '{"hues": ["red", "green"]}', finish_reason="stop")
db.update_token_counts(first, input_tokens=100, output_tokens=19, cache_read_tokens=40)
db.set_session_title(first, "Three hues")

child = "20261120_100001_abcd13"
db.create_session(
    child, "cli", model="model-x", model_config={"_delegate_from": first, "api_key": "k-1"},
    parent_session_id=first,
)
db.append_message(child, "user", "look for blue")
db.append_message(child, "assistant", "none")

last = "20261120_100002_abcd14"
db.end_session(first, "compression")
db.create_session(last, "cli", model="model-x", parent_session_id=first)
db.append_message(last, "user", "and the third one?")
db.append_message(last, "assistant", "blue")
db.close()

# One file, as it lies there when nobody has it open; the indexes over the text make it large.
import sqlite3  # noqa: E402

plain = sqlite3.connect(path)
plain.isolation_level = None
named = "SELECT name FROM sqlite_schema WHERE"
for (trigger,) in plain.execute(f"{named} type = 'trigger'").fetchall():
    plain.execute(f'DROP TRIGGER "{trigger}"')
for (table,) in plain.execute(f"{named} name LIKE 'messages_fts%' AND sql LIKE 'CREATE VIRTUAL%'").fetchall():
    plain.execute(f'DROP TABLE "{table}"')
plain.execute("PRAGMA journal_mode = DELETE")
plain.execute("PRAGMA page_size = 512")
plain.execute("VACUUM")
plain.close()
