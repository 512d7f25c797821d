// One file on its way to the server by tus: pausable, and resumed by its fingerprint after the browser was closed.
import { type DetailedError, Upload } from "tus-js-client";
import type { Row, RowActions } from "./row";
import { fill, size, type Words } from "./words";

const CHUNK_BYTES = 32 << 20;
const RETRY_MS = [0, 1000, 3000, 5000, 10_000, 20_000, 30_000, 60_000];

export class Transfer {
  private readonly upload: Upload;
  private startedAt = 0;
  private startedFrom = -1;
  private settle: () => void = () => {};

  constructor(
    file: File,
    endpoint: string,
    readonly row: Row,
    private readonly words: Words,
    private readonly sent: (transfer: Transfer) => void,
  ) {
    this.upload = new Upload(file, {
      endpoint,
      chunkSize: CHUNK_BYTES,
      retryDelays: RETRY_MS,
      removeFingerprintOnSuccess: true,
      metadata: { filename: file.name, filetype: file.type },
      onUploadUrlAvailable: () => (row.uploadId = idIn(this.upload.url)),
      onProgress: (bytes, total) => this.progress(bytes, total),
      onAfterResponse: (_request, response) => {
        row.videoId = response.getHeader("Limber-Video") ?? row.videoId;
      },
      onSuccess: () => {
        row.show("queued", { percent: 0 });
        this.settle();
        this.sent(this);
      },
      onError: (error) => this.failed(error as DetailedError),
    });
    row.show("waiting", { actions: { cancel: () => void this.cancel() } });
  }

  /** Send the file, from where it stopped if it was ever begun. Resolves when it is sent, paused, cancelled or has failed. */
  async run(): Promise<void> {
    if (this.row.state !== "waiting") return;
    const before = await this.upload.findPreviousUploads();
    const latest = before.sort((a, b) => b.creationTime.localeCompare(a.creationTime))[0];
    if (latest) this.upload.resumeFromPreviousUpload(latest);
    await this.go();
  }

  async cancel(): Promise<void> {
    if (!window.confirm(this.words.cancelAsk)) return;
    await this.upload.abort(true).catch(() => {
      // The server sweeps what was never finished; the row goes in any case.
    });
    this.row.element.remove();
    this.settle();
  }

  private go(): Promise<void> {
    this.startedAt = performance.now();
    this.startedFrom = -1;
    this.row.show("uploading", { actions: this.whileSending() });
    return new Promise((resolve) => {
      this.settle = resolve;
      this.upload.start();
    });
  }

  private whileSending(): RowActions {
    return { pause: () => void this.pause(), cancel: () => void this.cancel() };
  }

  private async pause(): Promise<void> {
    await this.upload.abort();
    this.row.show("paused", { actions: this.whileStopped() });
    this.settle();
  }

  private whileStopped(): RowActions {
    return { resume: () => void this.go(), cancel: () => void this.cancel() };
  }

  private progress(bytes: number, total: number): void {
    if (this.row.state !== "uploading") return;
    if (this.startedFrom < 0) this.startedFrom = bytes;
    const percent = total > 0 ? (100 * bytes) / total : 0;
    const said = fill(this.words.uploading, { percent: String(Math.floor(percent)), size: size(total), left: this.left(bytes, total) });
    this.row.show("uploading", { said: said.trim(), percent, actions: this.whileSending() });
  }

  /** `, 3 min` left, once five seconds of sending make a fair guess. */
  private left(bytes: number, total: number): string {
    const seconds = (performance.now() - this.startedAt) / 1000;
    const rate = (bytes - this.startedFrom) / seconds;
    if (seconds < 5 || rate <= 0) return "";
    const rest = (total - bytes) / rate;
    const unit = rest < 90 ? "second" : rest < 5400 ? "minute" : "hour";
    const value = Math.max(1, Math.round(rest / { second: 1, minute: 60, hour: 3600 }[unit]));
    return `, ${new Intl.NumberFormat(document.documentElement.lang || "en", { style: "unit", unit, unitDisplay: "short" }).format(value)}`;
  }

  private failed(error: DetailedError): void {
    const response = error.originalResponse;
    const status = response?.getStatus() ?? 0;
    if (status === 0) {
      window.addEventListener("online", () => void (this.row.state === "stopped" && this.go()), { once: true });
      this.row.show("stopped", { said: navigator.onLine ? "" : this.words.offline, actions: this.whileStopped() });
    } else if (status === 401) {
      this.row.show("stopped", { said: this.words.signIn, actions: this.whileStopped() });
    } else if (status >= 500 || status === 409 || status === 423 || status === 429) {
      this.row.show("stopped", { said: reason(response?.getBody()), actions: this.whileStopped() });
    } else {
      this.row.show("failed", { said: reason(response?.getBody()) || this.words.wrong, actions: { remove: () => this.row.element.remove() } });
    }
    this.settle();
  }
}

/** The sentence of a problem+json body, or nothing. */
function reason(body: string | undefined): string {
  try {
    const problem = JSON.parse(body ?? "") as { detail?: unknown };
    return typeof problem.detail === "string" ? problem.detail : "";
  } catch {
    return "";
  }
}

/** The last segment of an upload's address. */
export function idIn(url: string | null): string {
  return url ? (new URL(url, location.href).pathname.split("/").filter(Boolean).pop() ?? "") : "";
}
