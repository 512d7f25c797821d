// The settings and the list of keys: native dialogs, which also stand over a full screen and reach beyond a small picture.
import { remember, remembered } from "./remember";
import type { Says } from "./says";
import type { Qualities } from "./stream";
import type { Words } from "./words";

// Narrower ones get a sheet at the foot of the window (player.css).
const WIDE = "(min-width: 40rem)";
const EDGE_PX = 12;
const ABOVE_BARS_PX = 64;

export class Dialogs {
  private readonly stage: HTMLElement;

  constructor(private readonly root: HTMLElement) {
    this.stage = root.querySelector("[data-stage]") as HTMLElement;
    for (const opener of root.querySelectorAll<HTMLElement>("[data-open]")) {
      opener.addEventListener("click", () => this.open(opener.dataset.open ?? ""));
    }
    for (const dialog of this.all) {
      dialog.querySelector("[data-close]")?.addEventListener("click", () => dialog.close());
      // A press beside it, which the dialog's own backdrop receives.
      dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    }
    window.addEventListener("resize", () => this.place());
  }

  open(name: string): void {
    for (const dialog of this.all) if (dialog.open) dialog.close();
    this.all.find((dialog) => dialog.dataset.dialog === name)?.showModal();
    this.place();
  }

  private get all(): HTMLDialogElement[] {
    return [...this.root.querySelectorAll("dialog")];
  }

  /** Above the button that opens it, and inside the window whatever of the player is scrolled away. */
  private place(): void {
    const { right, bottom } = this.stage.getBoundingClientRect();
    const isWide = matchMedia(WIDE).matches;
    for (const { style, offsetHeight } of this.all) {
      const up = Math.min(innerHeight - bottom + ABOVE_BARS_PX, innerHeight - offsetHeight - EDGE_PX);
      style.setProperty("right", isWide ? `${Math.max(EDGE_PX, innerWidth - right + EDGE_PX)}px` : "");
      style.setProperty("bottom", isWide ? `${Math.max(EDGE_PX, up)}px` : "");
    }
  }
}

export class Speed {
  private readonly select: HTMLSelectElement;

  constructor(
    root: HTMLElement,
    private readonly video: HTMLVideoElement,
    private readonly words: Words,
    private readonly says: Says,
  ) {
    this.select = root.querySelector("[data-speed]") as HTMLSelectElement;
    this.select.addEventListener("change", () => this.set(this.select.selectedIndex));
    video.addEventListener("ratechange", () => (this.select.value = String(video.playbackRate)));
    const wanted = this.rates.indexOf(Number(remembered("speed") ?? 1));
    if (wanted >= 0) this.apply(wanted);
  }

  /** One step slower (-1) or faster (1). */
  step(by: number): void {
    this.set(Math.min(Math.max(this.select.selectedIndex + by, 0), this.rates.length - 1));
  }

  private get rates(): number[] {
    return [...this.select.options].map(({ value }) => Number(value));
  }

  private set(index: number): void {
    this.apply(index);
    const rate = String(this.rates[index]);
    remember("speed", rate === "1" ? null : rate);
    this.says.flash(this.words.speed.replace("{rate}", rate));
  }

  private apply(index: number): void {
    this.select.selectedIndex = index;
    // Both: a source that is loaded anew starts with the default.
    this.video.defaultPlaybackRate = this.video.playbackRate = this.rates[index] ?? 1;
  }
}

/** The sizes of the film, largest first, below "Automatic", which names the one it took. */
export function offerQuality(root: HTMLElement, qualities: Qualities | null, words: Words): void {
  const row = root.querySelector<HTMLElement>("[data-quality-row]");
  const select = row?.querySelector("select");
  if (!row || !select) return;
  row.hidden = true;
  select.replaceChildren();
  if (!qualities) return;
  const automatic = new Option(words.auto, "-1");
  select.onchange = () => {
    qualities.choose(Number(select.value));
    name();
  };
  const name = (): void => {
    const height = qualities.heights()[qualities.shown()];
    automatic.text = height && select.value === "-1" ? words.autoNow.replace("{height}", String(height)) : words.auto;
  };
  qualities.onChange(() => {
    const heights = qualities.heights();
    if (select.length !== heights.length + 1) {
      const each = heights.map((height, index) => new Option(`${height}p`, String(index)));
      select.replaceChildren(automatic, ...each.reverse());
    }
    row.hidden = heights.length < 2;
    name();
  });
}

/** The chapters in a list of their own: in full screen the one on the page is out of reach. */
export function offerChapters(root: HTMLElement, video: HTMLVideoElement): void {
  const row = root.querySelector<HTMLElement>("[data-chapter-row]");
  const select = row?.querySelector("select");
  const track = [...video.textTracks].find(({ kind }) => kind === "chapters");
  if (!row || !select || !track?.cues?.length) return;
  const cues = [...track.cues] as VTTCue[];
  select.replaceChildren(...cues.map((cue, n) => new Option(cue.getCueAsHTML().textContent ?? "", String(n))));
  row.hidden = false;
  select.addEventListener("change", () => (video.currentTime = cues[select.selectedIndex]?.startTime ?? 0));
  video.addEventListener("timeupdate", () => {
    const now = cues.filter(({ startTime }) => startTime <= video.currentTime + 0.05).length - 1;
    if (document.activeElement !== select) select.selectedIndex = Math.max(0, now);
  });
}
