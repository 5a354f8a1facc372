// Writes sessions with pi's own writer, with invented texts, for tests/fixtures/agents/pi.
//
//   npm install @earendil-works/pi-coding-agent@0.74.2
//   node pi.mjs FOLDER
//
// FOLDER gets the files of one session, of a branch of it that became a file of its own, and of a fork.
// Ids and times are the writer's; run again, they are others. Only the folder's own path, which the writer
// notes of a parent, is replaced by the one that sessions lie in.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { SessionManager } from "@earendil-works/pi-coding-agent";

const [folder] = process.argv.slice(2);
if (!folder) throw new Error("usage: node pi.mjs FOLDER");

const usage = (input, output, cacheRead, cacheWrite) => ({
  input, output, cacheRead, cacheWrite, totalTokens: input + output + cacheRead + cacheWrite,
  cost: { input: 0.000005, output: 0.0001, cacheRead: 0, cacheWrite: 0.00002, total: 0.000125 },
});
const user = (text) => ({ role: "user", content: [{ type: "text", text }], timestamp: Date.now() });
const assistant = (content, tokens) => ({
  role: "assistant", content, api: "anthropic-messages", provider: "p", model: "model-x",
  usage: tokens, stopReason: "stop", timestamp: Date.now(),
});
const text = (words) => ({ type: "text", text: words });
// Times of a file's name are milliseconds apart.
const later = () => new Promise((done) => setTimeout(done, 5));

const session = SessionManager.create("/w/shop", folder);
session.appendModelChange("p", "model-x");
session.appendThinkingLevelChange("low");
session.appendMessage(user("name the hues"));
session.appendMessage(assistant([
  { type: "thinking", thinking: "I shall look.", thinkingSignature: "eA==" },
  { type: "toolCall", id: "t1", name: "read", arguments: { path: "a.txt" } },
], usage(3, 9, 1, 12)));
const result = session.appendMessage({
  role: "toolResult", toolCallId: "t1", toolName: "read", content: [text("red green")],
  isError: false, timestamp: Date.now(),
});
session.appendMessage(assistant([text("red and blue")], usage(10, 2, 0, 0)));
session.branch(result);
const good = session.appendMessage(assistant([text("red, green")], usage(11, 3, 0, 0)));
session.appendMessage({
  role: "bashExecution", command: "git status", output: "all clean", exitCode: 0, cancelled: false,
  truncated: false, timestamp: Date.now(),
});
session.appendCustomMessageEntry("note", "a hidden note", false);
session.appendCustomEntry("state", { n: 1 });
session.appendLabelChange(good, "good");
session.appendCompaction("The user asked for hues.", good, 50);
session.appendSessionInfo("Hues by hand");
session.appendMessage(user("thank you"));
const asked = session.appendMessage(assistant([text("You are welcome.")], usage(5, 4, 0, 0)));
session.branchWithSummary(good, "Thanks were said.");
session.appendMessage(user("and the third one?"));
session.appendMessage(assistant([text("blue")], usage(6, 1, 0, 0)));

const source = session.getSessionFile();
await later();
SessionManager.forkFrom(source, "/w/other", folder);
await later();
SessionManager.open(source, folder).createBranchedSession(asked);

for (const name of readdirSync(folder)) {
  const path = join(folder, name);
  const text = readFileSync(path, "utf8").replaceAll(resolve(folder), "/h/.pi/agent/sessions/--w-shop--");
  writeFileSync(path, text);
}
