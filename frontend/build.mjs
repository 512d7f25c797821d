// Builds static/dist: hashed names, .br and .gz beside them, and manifest.json for asset() and the CSP.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { build as bundle } from "esbuild";
import subsetFont from "subset-font";
import { hlsFromSource, hlsSwitches } from "./hls.mjs";
import { styleHashes } from "./style-hashes.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
const out = join(root, "static", "dist");
// Built beside and moved into place, so that a running server never sees half a build.
const work = join(root, "static", `.dist-${process.pid}`);
const packageDir = (name) => join(root, "node_modules", name);

const DAY_MS = 24 * 3600 * 1000;

const entries = {};
const COMPRESSIBLE = new Set([".js", ".css", ".svg", ".json", ".webmanifest", ".txt"]);

const hashOf = (bytes) => createHash("sha256").update(bytes).digest("hex").slice(0, 12);

/** Write one asset under its hashed name, compressed as far as its kind allows, and note it in the manifest. */
async function emit(name, bytes) {
  const extension = extname(name);
  const file = `${name.slice(0, -extension.length)}.${hashOf(bytes)}${extension}`;
  writeFileSync(join(work, file), bytes);
  const entry = { file, bytes: bytes.length, br: null };
  if (COMPRESSIBLE.has(extension)) {
    const [br, gz] = await Promise.all([
      promisify(brotliCompress)(bytes, {
        params: {
          [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
          [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
          [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
        },
      }),
      promisify(gzip)(bytes, { level: 9 }),
    ]);
    writeFileSync(join(work, `${file}.br`), br);
    writeFileSync(join(work, `${file}.gz`), gz);
    entry.br = br.length;
  }
  entries[name] = entry;
  return file;
}

/** The characters of a CSS unicode-range. */
function charactersOf(range) {
  const found = [];
  for (const part of range.split(",")) {
    const [first, last] = part.trim().slice(2).split("-").map((digits) => Number.parseInt(digits, 16));
    for (let code = first; code <= (last ?? first); code++) found.push(String.fromCodePoint(code));
  }
  return found.join("");
}

/** Faces as fonts.css asks for them: the characters of their unicode-range, the weights of their font-weight. */
async function fonts() {
  const css = readFileSync(join(here, "css", "fonts.css"), "utf8");
  const face = async (name, family, subset, style) => {
    const rule = css.split("@font-face").find((one) => one.includes(`url("${name}")`));
    const [, min, max] = rule.match(/font-weight: (\d+) (\d+);/).map(Number);
    const whole = readFileSync(join(packageDir(`@fontsource-variable/${family}`), "files", `${family}-${subset}-wght-${style}.woff2`));
    const characters = charactersOf(rule.match(/unicode-range: ([^;]+);/)[1]);
    await emit(name, await subsetFont(whole, characters, { targetFormat: "woff2", variationAxes: { wght: { min, max } } }));
  };
  await face("sans.woff2", "source-sans-3", "latin", "normal");
  await face("sans-ext.woff2", "source-sans-3", "latin-ext", "normal");
  await face("sans-italic.woff2", "source-sans-3", "latin", "italic");
  await face("sans-italic-ext.woff2", "source-sans-3", "latin-ext", "italic");
  await face("serif.woff2", "source-serif-4", "latin", "normal");
  await face("serif-ext.woff2", "source-serif-4", "latin-ext", "normal");
}

async function styles() {
  const cli = join(packageDir("@tailwindcss/cli"), JSON.parse(readFileSync(join(packageDir("@tailwindcss/cli"), "package.json"), "utf8")).bin.tailwindcss);
  const ran = spawnSync(process.execPath, [cli, "-i", join(here, "site.css"), "--minify"], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 64 << 20,
  });
  if (ran.status !== 0) throw new Error(`tailwindcss failed:\n${ran.stderr}`);
  const css = ran.stdout.replace(/url\("?([\w-]+\.woff2)"?\)/g, (whole, name) => {
    if (!entries[name]) throw new Error(`site.css names a font that was not built: ${name}`);
    return `url(${entries[name].file})`;
  });
  await emit("site.css", Buffer.from(css));
}

async function scripts() {
  const sources = ["player.ts", "controls.ts", "upload.ts", "studio.ts", "forms.ts", "proof.ts"].filter((name) => existsSync(join(here, name)));
  const result = await bundle({
    entryPoints: sources.map((name) => join(here, name)),
    outdir: work,
    bundle: true,
    minify: true,
    format: "esm",
    target: ["es2022", "chrome111", "firefox113", "safari16.4"],
    legalComments: "none",
    plugins: [hlsFromSource(root)],
    define: hlsSwitches(root),
    write: false,
    logLevel: "warning",
  });
  for (const file of result.outputFiles) await emit(file.path.slice(work.length + 1), Buffer.from(file.contents));
}

/** Files of earlier builds live on for a day: pages that a running server has sent out still name them. */
function keepYesterday() {
  if (!existsSync(out)) return;
  for (const name of readdirSync(out)) {
    const old = join(out, name);
    if (!existsSync(join(work, name)) && Date.now() - statSync(old).mtimeMs < DAY_MS) renameSync(old, join(work, name));
  }
}

const started = performance.now();
rmSync(work, { recursive: true, force: true });
mkdirSync(work, { recursive: true });
await fonts();
await emit("icon.svg", readFileSync(join(here, "icon.svg")));
await Promise.all([styles(), scripts()]);
const style_hashes = await styleHashes(root);
const sorted = Object.fromEntries(Object.entries(entries).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(join(work, "manifest.json"), `${JSON.stringify({ entries: sorted, style_hashes }, null, 1)}\n`);
keepYesterday();
rmSync(out, { recursive: true, force: true });
renameSync(work, out);

for (const [name, { file, bytes, br }] of Object.entries(sorted)) {
  console.log(`${name.padEnd(16)} ${String(bytes).padStart(8)} B ${br ? `${String(br).padStart(8)} B br` : " ".repeat(13)}  ${file}`);
}
console.log(`static/dist built in ${((performance.now() - started) / 1000).toFixed(1)} s`);
