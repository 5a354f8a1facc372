// Writes a session with Qwen Code's own writer, with invented texts, for tests/fixtures/agents/qwen.
//
//   npm pack @qwen-code/qwen-code@0.24.4 && tar xzf qwen-code-qwen-code-0.24.4.tgz
//   node qwen.mjs package FOLDER
//
// The package is one bundle that does not give its writer to others: a copy of the chunk that has it, with one
// more line, does. What of the program's configuration the writer asks for is made up here. Ids and times
// are the writer's; run again, they are others.
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [home, folder] = process.argv.slice(2);
if (!home || !folder) throw new Error("usage: node qwen.mjs PACKAGE FOLDER");

const chunks = resolve(home, "chunks");
const has = (name) => readFileSync(join(chunks, name), "utf8").includes("var ChatRecordingService = class");
const source = readdirSync(chunks).find((name) => name.endsWith(".js") && !name.startsWith("opened-") && has(name));
const opened = join(chunks, `opened-${source}`);
writeFileSync(opened, readFileSync(join(chunks, source), "utf8") + "\nexport { ChatRecordingService };\n");
const { ChatRecordingService } = await import(pathToFileURL(opened));

mkdirSync(folder, { recursive: true });
const config = {
  getSessionId: () => "aa000000-0000-4000-8000-000000000002",
  getProjectRoot: () => "/w/shop",
  getCliVersion: () => "0.24.4",
  getResumedSessionData: () => undefined,
  getSessionService: () => ({ getSessionTitleInfo: () => undefined }),
  getFastModel: () => undefined,
  isInteractive: () => false,
  isSessionWriterLeaseEnabled: () => false,
  storage: { getProjectDir: () => resolve(folder) },
};
const writer = new ChatRecordingService(config, (failure) => { throw failure; }, false);
const tokens = (prompt, written, cached) => ({
  promptTokenCount: prompt, candidatesTokenCount: written, cachedContentTokenCount: cached,
  totalTokenCount: prompt + written,
});
const answer = (parts, usage) => writer.recordAssistantTurn({ model: "model-q", message: parts, tokens: usage });

await writer.recordParentSession("aa000000-0000-4000-8000-000000000001");
writer.recordUserMessage([{ text: "name the hues, and nothing else" }], undefined, { displayText: "name the hues" });
answer([
  { text: "I shall look.", thought: true }, { text: "I read it." },
  { functionCall: { id: "t1", name: "read_file", args: { path: "a.txt" } } },
], tokens(10, 5, 4));
writer.recordToolResult(
  [{ functionResponse: { id: "t1", name: "read_file", response: { output: "red green" } } }],
  { callId: "t1", status: "success" },
);
answer([{ text: "red, green" }], tokens(20, 3, 0));
writer.recordUserMessage([{ text: "and wrong" }]);
answer([{ text: "no" }], tokens(7, 2, 0));
writer.rewindRecording(1, { targetTurnIndex: 1 });
writer.recordUserMessage([{ text: "thank you" }]);
answer([{ text: "You are welcome." }], tokens(5, 4, 0));
writer.recordMidTurnUserMessage([{ text: "wait" }], "wait");
writer.recordNotification([{ text: "a task is done" }], "task done");
writer.recordChatCompression({ info: {}, compressedHistory: [{ role: "user", parts: [{ text: "The user asked for hues." }] }] });
await writer.recordCustomTitle("Hues by hand");
await writer.flush();
