// What the uploader says; the sentences come from the page, so from gettext.
export type RowState =
  | "waiting"
  | "uploading"
  | "paused"
  | "stopped"
  | "again"
  | "queued"
  | "checking"
  | "encoding"
  | "packaging"
  | "verifying"
  | "ready"
  | "failed";

export type Words = Record<
  | RowState
  | "offline"
  | "signIn"
  | "wrong"
  | "pause"
  | "resume"
  | "cancel"
  | "cancelAsk"
  | "remove"
  | "open",
  string
>;

export function wordsOf(root: HTMLElement): Words {
  return JSON.parse(root.dataset.words ?? "{}") as Words;
}

/** Put values where a sentence has `{name}`. */
export function fill(sentence: string, values: Record<string, string>): string {
  return sentence.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}

/** `1.2 GB`, in the page's language and the decimal units that operating systems and cameras print. */
export function size(bytes: number): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
  const power = bytes > 0 ? Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3)) : 0;
  const value = bytes / 1000 ** power;
  return new Intl.NumberFormat(document.documentElement.lang || "en", {
    style: "unit",
    unit: units[power],
    maximumFractionDigits: value < 10 && power > 1 ? 1 : 0,
  }).format(value);
}
