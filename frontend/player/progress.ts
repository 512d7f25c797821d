// Where the viewer stopped: told to the server for members, kept in this browser for everybody else.

const EVERY_MS = 5000;

export class Progress {
  private saved = -1;
  private timer = 0;

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly url: string,
    private readonly lessonId: string,
  ) {
    video.addEventListener("playing", () => this.run());
    for (const event of ["pause", "ended", "seeked"] as const) video.addEventListener(event, () => this.save());
    video.addEventListener("pause", () => window.clearInterval(this.timer));
    window.addEventListener("pagehide", () => this.save());
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

  private run(): void {
    window.clearInterval(this.timer);
    this.timer = window.setInterval(() => this.save(), EVERY_MS);
  }

  private save(): void {
    const { currentTime, duration, played } = this.video;
    // Nothing was watched yet: a page that was merely opened must not move the mark.
    if (!Number.isFinite(duration) || played.length === 0) return;
    if (Math.abs(currentTime - this.saved) < 0.25) return;
    this.saved = currentTime;
    const position = Math.round(currentTime * 1000) / 1000;
    if (this.url) {
      const body = JSON.stringify({ position_s: position, duration_s: Math.round(duration * 1000) / 1000 });
      navigator.sendBeacon(this.url, new Blob([body], { type: "application/json" }));
      return;
    }
    try {
      localStorage.setItem(this.key, String(position));
    } catch {
      // Private windows may forbid storage; then the next visit starts at the beginning.
    }
  }
}
