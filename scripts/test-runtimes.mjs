/**
 * Packs the package, installs it in an empty folder, and runs test/runtimes/smoke.mjs on every runtime that it claims:
 * this Node, the newest Node, Bun, Deno and Chromium, there with shared memory and without it. What is missing is fetched
 * with npm, Chromium with apt-get. Every runtime must give the same line.
 */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "cmp-runtimes-"));
const { name, exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const registry = `./node_modules/${name}/dist/examples/index.js`;

function npm(args, cwd) {
  return execFileSync("npm", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
}

function install() {
  const [{ filename }] = JSON.parse(
    npm(["pack", "--json", "--ignore-scripts", "--pack-destination", folder], root),
  );
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }\n');
  npm(["install", "--no-save", "--loglevel", "error", `./${filename}`, "node@latest", "bun", "deno"], folder);
  for (const file of ["smoke.mjs", "jobs.mjs"])
    copyFileSync(join(root, "test/runtimes", file), join(folder, file));
  const mainWith = (threads, start) =>
    `import { registry } from "${registry}";\nimport { smoke } from "./smoke.mjs";\n` +
    `import { ${start} } from "${name}/${threads}";\n`;
  // What is not Node's own runs everywhere.
  const modules = Object.entries(exports)
    .filter(([, target]) => target.endsWith(".js") && !target.startsWith("./dist/src/node/"))
    .map(([subpath]) => subpath.replace(/^\./, name));
  const callWith = (start) => `smoke(registry, ${JSON.stringify(modules)}, ${start})`;
  writeFileSync(
    join(folder, "main.mjs"),
    `${mainWith("threads", "threadPool")}console.log(await ${callWith("threadPool")});\n`,
  );
  const imports = {};
  for (const [subpath, target] of Object.entries(exports)) {
    imports[subpath.replace(/^\./, name)] = `/node_modules/${name}/${target.slice(2)}`;
  }
  const script =
    `${mainWith("threads/web", "webThreadPool")}const result = await ${callWith("webThreadPool")}.catch((error) => error.stack);\n` +
    `await fetch("/", { method: "POST", body: result });\n`;
  const map = `<script type="importmap">${JSON.stringify({ imports })}</script>`;
  writeFileSync(join(folder, "index.html"), `<body>${map}<script type="module">${script}</script></body>`);
}

function run(command, args) {
  const { stdout, stderr, error } = spawnSync(command, args, {
    cwd: folder,
    encoding: "utf8",
    timeout: 60_000,
  });
  return stdout?.trim() || stderr?.trim() || String(error);
}

function versionOf(command) {
  return run(command, ["--version"]).split("\n")[0];
}

function chromium() {
  const found = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
  if (found !== undefined) return found;
  try {
    for (const args of [["update"], ["install", "-y", "--no-install-recommends", "chromium"]]) {
      execFileSync("apt-get", args, { stdio: ["ignore", "ignore", "inherit"] });
    }
  } catch (error) {
    process.stdout.write(`not run: Chromium, as it could not be installed: ${error.message}\n`);
    return undefined;
  }
  return "/usr/bin/chromium";
}

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript" };

async function textOf(stream) {
  const chunks = await stream.setEncoding("utf8").toArray();
  return chunks.join("");
}

/** With them, a page may share memory with its workers. */
const ISOLATION = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

/** The page, served and opened, sends its result to the server. Its time is real: workers do not know any other. */
async function runInBrowser(command, headers) {
  let tell;
  const told = new Promise((resolve) => {
    tell = resolve;
  });
  const server = createServer((request, response) => {
    if (request.method === "POST") {
      void textOf(request).then(tell);
      return;
    }
    const path = join(folder, request.url === "/" ? "index.html" : request.url);
    const known = path.startsWith(folder) && existsSync(path);
    response.writeHead(known ? 200 : 404, {
      "content-type": TYPES[extname(path)] ?? "text/plain",
      ...headers,
    });
    response.end(known ? readFileSync(path) : "");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"];
  flags.push("--disable-background-networking", "--disable-component-update", "--disable-sync");
  flags.push(`--user-data-dir=${join(folder, "profile")}`, "--remote-debugging-port=0");
  const child = spawn(command, [...flags, `http://127.0.0.1:${server.address().port}/`], { stdio: "ignore" });
  const limit = setTimeout(() => tell("no result within 60 s"), 60_000);
  child.on("exit", () => tell("the browser has ended"));
  const result = await told;
  clearTimeout(limit);
  child.kill();
  await new Promise((resolve) =>
    child.exitCode === null && child.signalCode === null ? child.on("exit", resolve) : resolve(),
  );
  server.closeAllConnections();
  server.close();
  return result;
}

install();
const bin = (command) => join(folder, "node_modules/.bin", command);
const browser = chromium();
const expected = run(process.execPath, ["main.mjs"]);
const results = [
  [`node ${process.version}`, expected],
  [`node ${versionOf(bin("node"))}`, run(bin("node"), ["main.mjs"])],
  [`bun ${versionOf(bin("bun"))}`, run(bin("bun"), ["main.mjs"])],
  [versionOf(bin("deno")), run(bin("deno"), ["run", "--allow-read", "main.mjs"])],
];
if (browser !== undefined) {
  const version = versionOf(browser);
  results.push([version, await runInBrowser(browser, ISOLATION)]);
  results.push([`${version}, without shared memory`, await runInBrowser(browser, {})]);
}
rmSync(folder, { recursive: true, force: true });

let failed = expected.startsWith('{"host":{"word":"hello","squares":[1,4,9],"most":1,"cause":"enough"')
  ? 0
  : 1;
if (failed > 0) process.stdout.write(`${expected}\n`);
for (const [runtime, result] of results) {
  const same = result === expected;
  if (!same) failed++;
  process.stdout.write(`${same ? "ok    " : "FAILED"} ${runtime}${same ? "" : `\n${result}`}\n`);
}
process.stdout.write(`${results.length - failed} passed, ${failed} failed\n`);
process.exitCode = failed > 0 ? 1 : 0;
