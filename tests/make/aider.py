# Writes a history with aider's own writer, with invented texts, for tests/fixtures/agents/aider.
#
#   pip download --no-deps aider-chat==0.86.2 && unzip aider_chat-0.86.2-py3-none-any.whl -d aider
#   pip install prompt-toolkit rich
#   python aider.py aider FOLDER
#
# FOLDER gets .aider.chat.history.md with two runs. Times are the writer's; run again, they are others. What else
# of the program the writer imports is made up here.
import sys
import types
from pathlib import Path

package, folder = sys.argv[1:3]
sys.path.insert(0, package)


class Anything(types.ModuleType):
    def __getattr__(self, name):
        return type(name, (), {})


import importlib  # noqa: E402

while True:
    try:
        io = importlib.import_module("aider.io")
        break
    except ModuleNotFoundError as error:
        sys.modules[error.name] = Anything(error.name)

path = Path(folder) / ".aider.chat.history.md"
for words in (["name the hues", "and nothing else"], ["thank you"]):
    out = io.InputOutput(pretty=False, yes=True, fancy_input=False, chat_history_file=path)
    out.tool_output("Aider v0.86.2")
    out.tool_output("Model: model-x with diff edit format")
    out.user_input("\n".join(words))
    out.ai_output("red, green\n\n> quoted by the model\n\n#### a heading of the model")
    out.tool_output("Tokens: 100 sent, 6 received.")
