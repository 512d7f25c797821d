// An exercise again and again: a loop from A to B, marked on the time bar.
import type { Says } from "./says";
import { clock, type Words } from "./words";

// Shorter ones are slips of the finger, and would stutter.
const SHORTEST_S = 1;

export class Loop {
  private a: number | null = null;
  private b: number | null = null;
  private last = 0;
  private timer = 0;

  constructor(
    private readonly root: HTMLElement,
    private readonly video: HTMLVideoElement,
    private readonly words: Words,
    private readonly says: Says,
  ) {
    for (const event of ["timeupdate", "play", "ratechange"]) video.addEventListener(event, () => this.watch());
    // Who looks for a place behind B wants to be there: only playing on to B leads back.
    video.addEventListener("seeking", () => (this.last = video.currentTime));
    video.addEventListener("ended", () => {
      if (!this.isOn) return;
      this.back();
      void video.play();
    });
    video.addEventListener("durationchange", () => this.draw());
    for (const [name, press] of [
      ["step", () => this.step()],
      ["a", () => this.begin()],
      ["b", () => this.end()],
      ["clear", () => this.clear()],
    ] as const) {
      for (const button of root.querySelectorAll(`[data-loop="${name}"]`)) button.addEventListener("click", press);
    }
    this.draw();
  }

  /** Begin here. */
  begin(): void {
    this.a = this.video.currentTime;
    if (this.b !== null && this.b - this.a < SHORTEST_S) this.b = null;
    if (this.b === null) this.says.flash(this.words.loopFrom.replace("{a}", clock(this.a)));
    else this.sayLoop();
    this.draw();
  }

  /** End here and go back; without a beginning it is the film's. */
  end(): void {
    const a = this.a ?? 0;
    if (this.video.currentTime - a < SHORTEST_S) return this.says.flash(this.words.loopShort);
    this.a = a;
    this.b = this.video.currentTime;
    this.sayLoop();
    this.draw();
    this.back();
  }

  clear(): void {
    if (this.a === null) return;
    this.a = this.b = null;
    window.clearTimeout(this.timer);
    this.says.flash(this.words.loopOff);
    this.draw();
  }

  /** What the one button does: begin, end, clear. */
  step(): void {
    if (this.a === null) this.begin();
    else if (this.b === null) this.end();
    else this.clear();
  }

  private get isOn(): boolean {
    return this.a !== null && this.b !== null;
  }

  /** timeupdate comes four times a second; for the rest of the way to B there is a timer. */
  private watch(): void {
    const { b, last, video } = this;
    const now = (this.last = video.currentTime);
    window.clearTimeout(this.timer);
    if (b === null || video.paused) return;
    if (last < b && now >= b) return this.back();
    const left_s = (b - now) / video.playbackRate;
    if (left_s > 0 && left_s < 0.5) this.timer = window.setTimeout(() => this.back(), 1000 * left_s);
  }

  private back(): void {
    window.clearTimeout(this.timer);
    this.video.currentTime = this.a ?? 0;
  }

  private sayLoop(): void {
    const { a, b, words } = this;
    this.says.flash(words.loopOn.replace("{a}", clock(a ?? 0)).replace("{b}", clock(b ?? 0)));
  }

  private draw(): void {
    const { a, b, root, words } = this;
    root.dataset.loop = a === null ? "off" : b === null ? "begun" : "on";
    const next = a === null ? words.loopBegin : b === null ? words.loopEnd : words.loopClear;
    for (const button of root.querySelectorAll<HTMLElement>('[data-loop="step"]')) {
      const word = button.querySelector("[data-word]");
      if (word) word.textContent = next;
      else {
        button.setAttribute("aria-label", next);
        button.title = next;
      }
    }
    for (const button of root.querySelectorAll<HTMLButtonElement>('[data-loop="clear"]')) button.disabled = a === null;
    const told = root.querySelector("[data-loop-told]");
    if (told) told.textContent = a === null ? words.loopNone : `${clock(a)} – ${b === null ? "…" : clock(b)}`;
    const marks = root.querySelector<HTMLElement>("[data-loop-marks]");
    const length = this.video.duration;
    if (!marks) return;
    marks.hidden = a === null || !Number.isFinite(length);
    marks.style.setProperty("--from", String((a ?? 0) / length));
    marks.style.setProperty("--to", String((b ?? a ?? 0) / length));
  }
}
