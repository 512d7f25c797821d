// The SHA-256 of every <style> that the player's components put into their shadow roots, for the policy's style-src.
import { createHash } from "node:crypto";
import { join } from "node:path";
import vm from "node:vm";
import { build as bundle } from "esbuild";

/** Bundle the components, run them where a registry stands in for the browser's, and read each one's template. */
export async function styleHashes(root) {
  const { outputFiles } = await bundle({
    entryPoints: [join(root, "frontend", "player", "parts.ts")],
    bundle: true,
    write: false,
    format: "iife",
    platform: "neutral",
    mainFields: ["module", "main"],
    logLevel: "error",
  });
  const components = new Map();
  const element = class extends EventTarget {};
  const sandbox = {
    customElements: { get: (name) => components.get(name), define: (name, kind) => components.set(name, kind), whenDefined: async () => {} },
    HTMLElement: element,
    Element: element,
    Node: element,
    DocumentFragment: element,
    DOMParser: element,
    EventTarget,
    AbortController,
    setTimeout: () => 0,
    clearTimeout() {},
    Event,
    CustomEvent: Event,
    ResizeObserver: element,
    document: { createElement: () => Object.assign(new element(), { content: {} }), createElementNS: () => new element(), addEventListener() {} },
    navigator: { languages: ["en"], language: "en", userAgent: "" },
    localStorage: { getItem: () => null },
    matchMedia: () => ({ matches: false }),
    getComputedStyle: () => ({}),
    console,
  };
  sandbox.window = sandbox.globalThis = sandbox;
  vm.runInNewContext(outputFiles[0].text, sandbox);

  const styles = new Set();
  for (const kind of components.values()) {
    const html = kind.getTemplateHTML?.({}, {}) ?? "";
    for (const [, css] of html.matchAll(/<style\b[^>]*>([\s\S]*?)<\/style>/g)) styles.add(css);
  }
  if (styles.size < 8) throw new Error(`only ${styles.size} style elements found in ${components.size} player components`);
  return [...styles].map((css) => `sha256-${createHash("sha256").update(css).digest("base64")}`).sort();
}
