// Captions over a mirrored picture: a browser draws its own inside the video element, where they would be mirrored too.

export class SpokenCaptions {
  private readonly box: HTMLElement;
  private isDrawing = false;

  constructor(
    root: HTMLElement,
    private readonly video: HTMLVideoElement,
  ) {
    this.box = root.querySelector("[data-spoken]") as HTMLElement;
    const { textTracks } = video;
    const listen = (track: TextTrack): void => track.addEventListener("cuechange", () => this.draw());
    for (const track of textTracks) listen(track);
    textTracks.addEventListener("addtrack", ({ track }) => track && listen(track));
    textTracks.addEventListener("change", () => this.draw());
  }

  /** Whether they are drawn here; the style sheet hides the browser's. */
  draws(isDrawing: boolean): void {
    this.isDrawing = isDrawing;
    this.draw();
  }

  private draw(): void {
    const lines: HTMLElement[] = [];
    for (const { kind, mode, activeCues } of this.isDrawing ? this.video.textTracks : []) {
      if (mode !== "showing" || (kind !== "captions" && kind !== "subtitles")) continue;
      for (const cue of activeCues ?? []) {
        const line = document.createElement("p");
        line.append((cue as VTTCue).getCueAsHTML());
        lines.push(line);
      }
    }
    this.box.replaceChildren(...lines);
  }
}
