// The studio's uploader: drop files, watch each run through its stages, come back tomorrow and go on.
import { defaultOptions, type PreviousUpload } from "tus-js-client";
import { listen, updatePage, type VideoNews } from "./upload/events";
import { Row } from "./upload/row";
import { idIn, Transfer } from "./upload/transfer";
import { fill, wordsOf, type RowState, type Words } from "./upload/words";

const STAGES = new Set<string>(["queued", "checking", "encoding", "packaging", "verifying", "ready", "failed"]);

class Uploader {
  private readonly words: Words;
  private readonly list: HTMLElement;
  private readonly live: HTMLElement;
  private readonly rows: Row[] = [];
  private readonly early = new Map<string, VideoNews>();
  private line: Promise<void> = Promise.resolve();

  constructor(private readonly root: HTMLElement) {
    this.words = wordsOf(root);
    this.list = root.querySelector("[data-upload-list]") as HTMLElement;
    this.live = root.querySelector("[data-upload-live]") as HTMLElement;
    const input = root.querySelector("input[type=file]") as HTMLInputElement;
    input.addEventListener("change", () => {
      this.take(input.files);
      input.value = "";
    });
    this.catchDrops(root.querySelector("[data-upload-drop]") as HTMLElement);
    void this.recall();
  }

  /** News of a video: of one of our rows, or of one whose row does not know its id yet. */
  hear(news: VideoNews): void {
    const row = this.rows.find((row) => (row.videoId && row.videoId === news.id) || (row.uploadId && row.uploadId === news.upload_id));
    if (!row) {
      this.early.set(news.id, news);
      return;
    }
    row.videoId = news.id;
    if (!STAGES.has(news.state)) return;
    const said = news.state === "failed" ? (news.failure ?? "") : news.state === "ready" ? "" : this.stage(news);
    row.show(news.state as RowState, {
      said,
      percent: news.percent ?? 0,
      actions: news.state === "failed" ? { remove: () => row.element.remove() } : {},
    });
  }

  private stage(news: VideoNews): string {
    const percent = Math.floor(news.percent ?? 0);
    if (!news.stage) return "";
    return percent > 0 ? `${news.stage}, ${percent} %` : news.stage;
  }

  private take(files: FileList | null): void {
    for (const file of files ?? []) {
      this.forget(file);
      const row = this.row(file.name);
      const transfer = new Transfer(file, this.root.dataset.endpoint ?? "", row, this.words, () => this.catchUp(row));
      // One after the other: the first is ready soonest, and encodes while the second travels.
      this.line = this.line.then(() => transfer.run());
    }
  }

  /** The server may have spoken of the video before the last answer told us its id. */
  private catchUp(row: Row): void {
    for (const news of this.early.values()) {
      if (news.id === row.videoId || (news.upload_id && news.upload_id === row.uploadId)) this.hear(news);
    }
    this.early.clear();
  }

  private row(name: string): Row {
    const row = new Row(name, this.words, this.root.dataset.videoUrl ?? "", (sentence) => (this.live.textContent = sentence));
    this.rows.push(row);
    this.list.prepend(row.element);
    return row;
  }

  /** Uploads that an earlier visit began: say so, since the browser may not open their files by itself. */
  private async recall(): Promise<void> {
    const storage = defaultOptions.urlStorage;
    for (const previous of await storage.findAllUploads()) {
      if (!previous.uploadUrl) continue;
      const response = await fetch(previous.uploadUrl, { method: "HEAD", headers: { "Tus-Resumable": "1.0.0" } }).catch(() => null);
      if (response && (response.status === 404 || response.status === 410)) {
        await storage.removeUpload(previous.urlStorageKey);
      } else if (response?.ok) {
        this.remind(previous, Number(response.headers.get("Upload-Offset")), Number(response.headers.get("Upload-Length")));
      }
    }
  }

  private remind(previous: PreviousUpload, offset: number, length: number): void {
    const { uploadUrl, urlStorageKey, metadata } = previous;
    if (!uploadUrl || this.rows.some((row) => row.uploadId === idIn(uploadUrl))) return;
    const row = this.row(metadata.filename ?? "");
    row.element.dataset.previous = urlStorageKey;
    row.uploadId = idIn(uploadUrl);
    const percent = length > 0 ? (100 * offset) / length : 0;
    row.show("again", {
      said: fill(this.words.again, { percent: String(Math.floor(percent)) }),
      percent,
      actions: {
        cancel: () => {
          if (!window.confirm(this.words.cancelAsk)) return;
          void fetch(uploadUrl, { method: "DELETE", headers: { "Tus-Resumable": "1.0.0" } });
          void defaultOptions.urlStorage.removeUpload(urlStorageKey);
          row.element.remove();
        },
      },
    });
  }

  /** The reminder of a file that was chosen again makes place for its upload. */
  private forget(file: File): void {
    for (const row of [...this.rows]) {
      if (row.state === "again" && row.element.querySelector(".upload-name")?.textContent === file.name) {
        row.element.remove();
        this.rows.splice(this.rows.indexOf(row), 1);
      }
    }
  }

  private catchDrops(zone: HTMLElement): void {
    for (const event of ["dragenter", "dragover"] as const) {
      zone.addEventListener(event, (drag) => {
        drag.preventDefault();
        zone.dataset.over = "";
      });
    }
    zone.addEventListener("dragleave", (drag) => {
      if (!zone.contains(drag.relatedTarget as Node | null)) delete zone.dataset.over;
    });
    zone.addEventListener("drop", (drag) => {
      drag.preventDefault();
      delete zone.dataset.over;
      this.take(drag.dataTransfer?.files ?? null);
    });
    // A file that misses the zone must not replace the page.
    for (const event of ["dragover", "drop"] as const) window.addEventListener(event, (drag) => drag.preventDefault());
  }
}

const uploaders = [...document.querySelectorAll<HTMLElement>("[data-upload]")].map((root) => {
  root.querySelector<HTMLElement>("[data-upload-drop]")?.removeAttribute("hidden");
  return new Uploader(root);
});
const eventsUrl = document.querySelector<HTMLElement>("[data-events-url]")?.dataset.eventsUrl;
if (eventsUrl) {
  listen(eventsUrl, (news) => {
    updatePage(news);
    for (const uploader of uploaders) uploader.hear(news);
  });
}
