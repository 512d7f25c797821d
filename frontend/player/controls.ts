// What can be done with the film, once for keys, buttons and the large controls.
import type { KeyMap } from "./keys";
import type { Loop } from "./loop";
import type { Says } from "./says";
import type { Dialogs, Speed } from "./settings";
import type { View } from "./view";
import type { Words } from "./words";

const ARROW_S = 5;
const JUMP_S = 10;
const LOUDER = 0.1;

export class Controls {
  constructor(
    private readonly root: HTMLElement,
    private readonly video: HTMLVideoElement,
    private readonly words: Words,
    private readonly says: Says,
  ) {
    for (const button of root.querySelectorAll<HTMLElement>("[data-seek]")) {
      button.addEventListener("click", () => this.seekBy(Number(button.dataset.seek)));
    }
    for (const button of root.querySelectorAll("[data-play]")) button.addEventListener("click", () => this.playOrPause());
    const name = (): void => {
      for (const word of root.querySelectorAll("[data-play] [data-word]")) word.textContent = video.paused ? words.play : words.pause;
    };
    for (const event of ["play", "pause"]) video.addEventListener(event, name);
    name();
  }

  keys(loop: Loop, view: View, speed: Speed, dialogs: Dialogs): KeyMap {
    const tenths = Object.fromEntries([..."0123456789"].map((digit) => [digit, () => this.seekToTenth(Number(digit))]));
    return {
      ...tenths,
      " ": () => this.playOrPause(),
      k: () => this.playOrPause(),
      ArrowLeft: () => this.seekBy(-ARROW_S),
      ArrowRight: () => this.seekBy(ARROW_S),
      j: () => this.seekBy(-JUMP_S),
      l: () => this.seekBy(JUMP_S),
      ArrowUp: () => this.louder(LOUDER),
      ArrowDown: () => this.louder(-LOUDER),
      "<": () => speed.step(-1),
      ">": () => speed.step(1),
      a: () => loop.begin(),
      b: () => loop.end(),
      x: () => loop.clear(),
      r: () => view.toggle("mirror"),
      g: () => view.toggle("large"),
      c: () => this.captions(),
      m: () => this.mute(),
      f: () => this.ask(document.fullscreenElement ? "mediaexitfullscreenrequest" : "mediaenterfullscreenrequest"),
      "?": () => dialogs.open("keys"),
    };
  }

  private playOrPause(): void {
    // Not through media-chrome, which may not be there yet.
    if (this.video.paused) void this.video.play().catch(() => undefined);
    else this.video.pause();
  }

  private seekBy(seconds: number): void {
    const { currentTime, duration } = this.video;
    if (Number.isFinite(duration)) this.video.currentTime = Math.min(Math.max(0, currentTime + seconds), duration);
  }

  private seekToTenth(tenth: number): void {
    const { duration } = this.video;
    if (Number.isFinite(duration)) this.video.currentTime = (duration * tenth) / 10;
  }

  private louder(by: number): void {
    const volume = Math.min(1, Math.max(0, Math.round(10 * (this.video.volume + by)) / 10));
    this.ask("mediavolumerequest", volume);
    if (volume > 0 && this.video.muted) this.ask("mediaunmuterequest");
    this.says.flash(this.words.volume.replace("{percent}", String(Math.round(100 * volume))));
  }

  private mute(): void {
    const { muted } = this.video;
    this.ask(muted ? "mediaunmuterequest" : "mediamuterequest");
    this.says.flash(muted ? this.words.unmuted : this.words.muted);
  }

  private captions(): void {
    const { captionsNone, captionsOn, captionsOff } = this.words;
    const spoken = [...this.video.textTracks].filter(({ kind }) => kind === "captions" || kind === "subtitles");
    if (spoken.length === 0) return this.says.flash(captionsNone);
    const isOn = spoken.some(({ mode }) => mode === "showing");
    this.ask("mediatogglesubtitlesrequest");
    this.says.flash(isOn ? captionsOff : captionsOn);
  }

  /** Through media-chrome, which remembers some of it. */
  private ask(request: string, detail?: unknown): void {
    this.root.querySelector("media-controller")?.dispatchEvent(new CustomEvent(request, { detail }));
  }
}
