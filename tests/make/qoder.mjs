// Writes a session with Qoder CLI's own writer, with invented texts, for tests/fixtures/agents/qoder.
//
//   npm install @qoder-ai/qodercli@1.1.52
//   node qoder.mjs NODE_MODULES FOLDER
//
// The program wants a login before it asks a model, also one of the user's own, so it is not run: its package is one bundle,
// and a copy of that without its last call, and with one line more, gives its store of transcripts away. What messages hold is
// made up after what the bundle reads of them; the envelopes, their order and the other lines are the writer's.
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, folder] = process.argv.slice(2);
if (!modules || !folder) throw new Error("usage: node qoder.mjs NODE_MODULES FOLDER");
const bundle = resolve(modules, "@qoder-ai/qodercli/bundle/qodercli.js");
const text = readFileSync(bundle, "utf8");
const at = text.search(/[\w$]+=class\{stateSource;coordinator;transcriptRepository;/);
const store = text.slice(at, text.indexOf("=", at));
const begin = /([\w$]+)=b\(\(\)=>\{/g;
let init;
for (let found; (found = begin.exec(text)) && found.index < at;) init = found[1];
const call = text.lastIndexOf("(process.argv),");
const source = text.slice(0, text.lastIndexOf("}", call) + 1) + `\n${init}();\nexport const Store = ${store};\n`;
const opened = join(dirname(bundle), "opened.mjs");
writeFileSync(opened, source);
const { Store } = await import(pathToFileURL(opened));

const project = join(resolve(folder), "projects", "-w-shop");
const session = "aa000000-0000-4000-8000-000000000003";
const file = join(project, `${session}.jsonl`);
const common = { cwd: "/w/shop", entrypoint: "cli", version: "1.1.52", gitBranch: "main" };
const transcripts = new Store();
const writer = await transcripts.acquireSessionWriter({ filePath: file, sessionId: session, ...common });
let number = 0;
const uuid = () => `bb000000-0000-4000-8000-${String(++number).padStart(12, "0")}`;
const user = (content, more) => ({ type: "user", uuid: uuid(), message: { role: "user", content }, ...more });
const usage = (input, output) => ({ input_tokens: input, output_tokens: output, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 });
// The writer keeps tokens of models that the user brought alone.
const answer = (id, content, tokens) => ({
  type: "assistant", uuid: uuid(), modelSource: "custom",
  message: { id, type: "message", role: "assistant", model: "model-x", content, stop_reason: "end_turn", usage: tokens },
});
const words = (text) => [{ type: "text", text }];

const first = [
  user("name the hues"),
  answer("m1", [{ type: "thinking", thinking: "I shall look.", signature: "" }], usage(10, 2)),
  answer("m1", [{ type: "text", text: "I read it." }], usage(10, 4)),
  answer("m1", [{ type: "tool_use", id: "t1", name: "Read", input: { file_path: "/w/shop/hues.txt" } }], usage(10, 5)),
  user([{ type: "tool_result", tool_use_id: "t1", content: "red green" }], { toolUseResult: "red green" }),
  answer("m2", words("red, green"), usage(20, 3)),
];
await writer.recordMessages(first);
await writer.recordLastPrompt("name the hues");
await writer.recordAiTitle("Hues of a file");
const wrong = [user("and wrong"), answer("m3", words("no"), usage(7, 2))];
await writer.recordMessages([...first, ...wrong]);
await writer.recordActiveLeaf(first.at(-1).uuid, { explicit: true, rewound: true, durable: true });
const thanks = [user("thank you"), answer("m4", words("You are welcome."), usage(5, 4))];
await writer.recordMessages([...first, ...thanks]);
await writer.recordCustomTitle("Hues by hand");
await writer.recordTag("hues");
await writer.recordTokenStats(42);
await writer.recordWorkspaceDirectories(["/w/shop"]);
await writer.flush();
const agent = join(project, session, "subagents", "agent-a1.jsonl");
const sub = await transcripts.acquireSubagentWriter({ filePath: agent, sessionId: session, ...common });
await sub.recordSidechainMessages([user("find a third one"), answer("m5", words("blue is one"), usage(3, 1))], "a1");
await sub.flush();
await sub.close();
await writer.close();
process.exit(0);
