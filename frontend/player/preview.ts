// The picture over the time bar while somebody looks for a moment: a tile of the film's storyboard. Sheets are fetched here,
// not by an address in the page, because the token in a media address is good for minutes only.
import type { Playback } from "./playback";

interface Tile {
  start: number;
  sheet: string;
  x: number;
  y: number;
  width: number;
  height: number;
}

const FOLDER = "storyboard";
const CUE = /^(?:(\d+):)?(\d\d):(\d\d\.\d{3}) --> .*\n([^\s#/]+)#xywh=(\d+),(\d+),(\d+),(\d+)$/gm;
// A decoded sheet is 5 MB.
const MOST_SHEETS = 4;

/** The tiles that a storyboard's index names, in order of time. */
export function tilesOf(index: string): Tile[] {
  return [...index.matchAll(CUE)].map(([, hours = "0", minutes, seconds, sheet = "", ...where]) => {
    const [x = 0, y = 0, width = 0, height = 0] = where.map(Number);
    return { start: 3600 * Number(hours) + 60 * Number(minutes) + Number(seconds), sheet, x, y, width, height };
  });
}

export class Preview {
  private readonly canvas: HTMLCanvasElement | null;
  private readonly sheets = new Map<string, ImageBitmap>();
  private playback: Playback | null = null;
  private tiles: Tile[] | null = null;
  private at: number | null = null;
  private wanted: Tile | null = null;
  private drawn: Tile | null = null;
  private isPreparing = false;
  private isDrawing = false;

  constructor(root: HTMLElement) {
    const range = root.querySelector<HTMLElement>("media-time-range");
    this.canvas = range?.querySelector("canvas") ?? null;
    // Before the time bar is reached, so that its box has its size when it appears.
    for (const event of ["pointerover", "pointerdown"]) root.addEventListener(event, () => void this.prepare(), { passive: true });
    range?.addEventListener("mediapreviewrequest", (event) => {
      this.at = (event as CustomEvent<number | null>).detail;
      this.show();
    });
    // A finger that is put down and rests has not moved, and media-chrome shows nothing before it does.
    range?.addEventListener("pointerdown", ({ clientX, clientY, pointerId, pointerType }) => {
      if (pointerType === "mouse") return;
      const rests = { clientX, clientY, pointerId, pointerType, buttons: 1, isPrimary: true, bubbles: true, composed: true };
      range.dispatchEvent(new PointerEvent("pointermove", rests));
    });
  }

  /** From now on the film of this viewing. */
  use(playback: Playback): void {
    this.playback = playback;
    this.tiles = null;
    this.wanted = this.drawn = null;
    for (const sheet of this.sheets.values()) sheet.close();
    this.sheets.clear();
    if (this.canvas) this.canvas.hidden = true;
  }

  /** Read the index, once; a film without one has no pictures here. */
  private async prepare(): Promise<void> {
    if (this.tiles !== null || this.isPreparing || !this.playback || !this.canvas) return;
    this.isPreparing = true;
    try {
      const answer = await this.load("storyboard.vtt");
      this.tiles = answer ? tilesOf(await answer.text()) : [];
    } catch {
      // The connection is away; the next movement asks again.
    } finally {
      this.isPreparing = false;
    }
    const first = this.tiles?.[0];
    if (!first) return;
    this.canvas.width = first.width;
    this.canvas.height = first.height;
    this.canvas.hidden = false;
    this.show();
  }

  private show(): void {
    const { at } = this;
    this.wanted = at === null ? null : (this.tiles?.filter((tile) => tile.start <= at).at(-1) ?? null);
    if (!this.wanted || this.wanted === this.drawn) return;
    // Rather nothing than another moment's picture.
    if (!this.sheets.has(this.wanted.sheet)) this.clear();
    void this.draw();
  }

  /** One sheet at a time: sweeping over an hour must not fetch all of it. */
  private async draw(): Promise<void> {
    if (this.isDrawing) return;
    this.isDrawing = true;
    try {
      while (this.wanted && this.wanted !== this.drawn) {
        const tile = this.wanted;
        const sheet = this.sheets.get(tile.sheet) ?? (await this.fetch(tile.sheet));
        if (tile !== this.wanted) continue;
        if (!sheet) break;
        this.clear();
        const { x, y, width, height } = tile;
        this.canvas?.getContext("2d")?.drawImage(sheet, x, y, width, height, 0, 0, width, height);
        this.drawn = tile;
      }
    } catch {
      // Neither a lost connection nor a refusal is told here: the film itself meets it and says so.
    } finally {
      this.isDrawing = false;
    }
  }

  private clear(): void {
    this.drawn = null;
    this.canvas?.getContext("2d")?.clearRect(0, 0, this.canvas.width, this.canvas.height);
  }

  private async fetch(name: string): Promise<ImageBitmap | null> {
    const answer = await this.load(name);
    if (!answer) return null;
    const sheet = await createImageBitmap(await answer.blob());
    const oldest = this.sheets.keys().next().value;
    if (this.sheets.size >= MOST_SHEETS && oldest !== undefined) {
      this.sheets.get(oldest)?.close();
      this.sheets.delete(oldest);
    }
    this.sheets.set(name, sheet);
    return sheet;
  }

  /** A file beside the stream, with a token that still stands; null when there is none. Throws Refused, or TypeError. */
  private async load(name: string): Promise<Response | null> {
    const { playback } = this;
    if (!playback) return null;
    const url = new URL(`${FOLDER}/${name}`, new URL(playback.playlistUrl, location.href)).href;
    let answer = await fetch(await playback.fresh(url));
    if (answer.status === 403) {
      // This device's clock may be wrong, or it slept.
      await playback.renew();
      answer = await fetch(await playback.fresh(url));
    }
    if (answer.ok) return answer;
    if (answer.status === 404) return null;
    throw new TypeError(String(answer.status));
  }
}
