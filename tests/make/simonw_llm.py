# Writes databases with llm's own writer, with invented texts, for tests/fixtures/agents/llm.
#
#   pip install llm==0.36 && python simonw_llm.py FOLDER/threads.db
#   pip install llm==0.27 && python simonw_llm.py FOLDER/conversations.db
#
# Each gets a conversation of two turns with a call of a tool. Ids and times are the writer's; run again, they
# are others.
import sys
import sqlite3

import llm
import sqlite_utils
from llm.migrations import migrate


class Hues(llm.Model):
    model_id = "model-x"
    supports_tools = True

    def execute(self, prompt, stream, response, conversation):
        response.set_usage(input=10, output=5)
        if prompt.tool_results:
            yield "red, green"
        elif prompt.tools:
            response.add_tool_call(
                llm.ToolCall(tool_call_id="t1", name="read_file", arguments={"path": "a.txt"})
            )
            yield "Let me read the file."
        else:
            yield "You are welcome."


def read_file(path: str) -> str:
    "Reads a file."
    return "red green"


path = sys.argv[1]
db = sqlite_utils.Database(path)
migrate(db)
conversation = llm.Conversation(model=Hues(), name="Three hues")
chain = conversation.chain("name the hues", tools=[read_file])
for response in chain.responses():
    response.text()
    response.log_to_db(db)
response = conversation.prompt("thank you")
response.text()
response.log_to_db(db)
db.close()
plain = sqlite3.connect(path)
plain.isolation_level = None
plain.execute("PRAGMA page_size = 512")
plain.execute("PRAGMA journal_mode = DELETE")
plain.execute("VACUUM")
plain.close()
