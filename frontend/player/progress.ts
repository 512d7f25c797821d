// Where the viewer stopped: told to the server for members, kept in this browser for everybody else.
//
// While it plays, the same news keeps the viewing's place among the member's streams. When the server answers that the
// film must not go on here, the video gets the event `limber:refused` with a `Heard` as its detail.
import { bodyOf, type Heard, keep, playbackId, send, sendAll } from "./kept";

const EVERY_MS = 5000;

export class Progress {
  private saved = -1;
  private timer = 0;

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly url: string,
    private readonly lessonId: string,
  ) {
    // Not before its picture moves, which writing and sending would hold up.
    video.addEventListener("playing", () => video.addEventListener("timeupdate", this.run, { once: true }));
    for (const event of ["pause", "ended", "seeked"] as const) video.addEventListener(event, () => this.save());
    video.addEventListener("pause", () => window.clearInterval(this.timer));
    window.addEventListener("pagehide", () => this.leave());
    window.addEventListener("online", () => void sendAll());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "hidden") this.save();
    });
  }

  /** Seconds kept in this browser; 0 where nothing is, or where storage is forbidden. */
  remembered(): number {
    try {
      return Number(localStorage.getItem(this.key)) || 0;
    } catch {
      return 0;
    }
  }

  private get key(): string {
    return `limber:position:${this.lessonId}`;
  }

  private readonly run = (): void => {
    window.clearInterval(this.timer);
    // Stopped in between: then there is nothing to tell.
    if (this.video.paused) return;
    this.timer = window.setInterval(() => this.save(true), EVERY_MS);
    this.save(true);
  };

  /** `isAlive`: also where the film stands still for want of bytes, to keep its place among the streams. */
  private save(isAlive = false): void {
    const { currentTime, duration, played } = this.video;
    // Nothing was watched yet: a page that was merely opened must not move the mark.
    if (!Number.isFinite(duration) || (played.length === 0 && !isAlive)) return;
    if (Math.abs(currentTime - this.saved) < 0.25 && !isAlive) return;
    this.saved = currentTime;
    const position_s = Math.round(currentTime * 1000) / 1000;
    if (this.url) {
      const kept = keep(this.url, this.placeAt(position_s));
      // A film that stands still is no sign of life.
      void send(kept, this.video.paused).then((heard) => this.hear(heard), () => null);
      return;
    }
    try {
      localStorage.setItem(this.key, String(position_s));
    } catch {
      // Private windows may forbid storage; then the next visit starts at the beginning.
    }
  }

  private placeAt(position_s: number): { position_s: number; duration_s: number; playback_id: string | null } {
    return { position_s, duration_s: Math.round(this.video.duration * 1000) / 1000, playback_id: playbackId() };
  }

  private hear(heard: Heard | null): void {
    if (!heard || heard.state === "unknown") return;
    window.clearInterval(this.timer);
    this.video.dispatchEvent(new CustomEvent<Heard>("limber:refused", { detail: heard }));
  }

  /** The page goes away: requests may be cut off, beacons are not. What was kept is sent again by the next page. */
  private leave(): void {
    window.clearInterval(this.timer);
    const id = playbackId();
    if (!this.url) return this.save();
    if (Number.isFinite(this.video.duration) && this.video.played.length > 0) {
      const kept = keep(this.url, this.placeAt(Math.round(this.video.currentTime * 1000) / 1000));
      navigator.sendBeacon(this.url, new Blob([bodyOf(kept, true)], { type: "application/json" }));
    }
    if (id) navigator.sendBeacon(`/playbacks/${id}/leave`);
  }
}
