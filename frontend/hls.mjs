// hls.js, built from the sources that come in its package, by its own switches: our streams are fragmented MP4 with WebVTT,
// and neither encrypted nor with advertisements in them. As its ready-made file it is 151 KB compressed, so 96.
import { readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";

const OFF = ["CMCD", "CONTENT_STEERING", "EME_DRM", "IFRAMES", "INTERSTITIALS", "M2TS_ADVANCED_CODECS", "MEDIA_CAPABILITIES", "VARIABLE_SUBSTITUTION"];
const ON = ["ALT_AUDIO", "SUBTITLES"];

// What reads formats that we never send; asked, whether a file is of its kind, it says no.
const NEVER = "export default class { static probe() { return false; } }";
const LEFT_OUT = {
  "./audio/aacdemuxer": NEVER,
  "./audio/mp3demuxer": NEVER,
  "./audio/ac3-demuxer": "export class AC3Demuxer { static probe() { return false; } }",
  "../demux/tsdemuxer": NEVER,
  "../utils/cea-608-parser": NEVER,
  "../utils/imsc1-ttml-parser": "export const IMSC1_CODEC = 'stpp.ttml.im1t'; export function parseIMSC1() {}",
  "./controller/cmcd-controller": NEVER,
  "./controller/eme-controller": "export default undefined; export function requestMediaKeySystemAccess() {}",
  "./controller/interstitials-controller": NEVER,
};

/** The switches, as esbuild's `define`. */
export function hlsSwitches(root) {
  const { version } = JSON.parse(readFileSync(join(root, "node_modules/hls.js/package.json"), "utf8"));
  return {
    __VERSION__: JSON.stringify(version),
    ...Object.fromEntries(OFF.map((name) => [`__USE_${name}__`, "false"])),
    ...Object.fromEntries(ON.map((name) => [`__USE_${name}__`, "true"])),
  };
}

/** The esbuild plugin that puts the sources in the place of `import … from "hls.js"`. */
export function hlsFromSource(root) {
  // esbuild names files by where they really are, and node_modules may be a link.
  const sources = realpathSync(join(root, "node_modules/hls.js/src"));
  return {
    name: "hls-from-source",
    setup(build) {
      build.onResolve({ filter: /^hls\.js$/ }, () => ({ path: "hls.js", namespace: "hls" }));
      build.onLoad({ filter: /^hls\.js$/, namespace: "hls" }, () => ({
        contents: 'export { default } from "./hls"; export { Events } from "./events"; export { ErrorTypes, ErrorDetails } from "./errors";',
        resolveDir: sources,
        loader: "ts",
      }));
      build.onResolve({ filter: /^\.\.?\// }, ({ path, importer }) => {
        if (!importer.startsWith(sources)) return undefined;
        if (path in LEFT_OUT) return { path, namespace: "hls-left-out" };
        // Others take one function of it, which stays.
        if (path === "../remux/mp4-remuxer" && importer.endsWith("/transmuxer.ts")) return { path: "../demux/tsdemuxer", namespace: "hls-left-out" };
        return undefined;
      });
      build.onLoad({ filter: /.*/, namespace: "hls-left-out" }, ({ path }) => ({ contents: LEFT_OUT[path], loader: "js" }));
    },
  };
}
