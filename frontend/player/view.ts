// How the picture stands: mirrored for who follows a teacher face to face, with large controls for who lies two metres away.
import { remember, remembered } from "./remember";
import type { Says } from "./says";
import { SpokenCaptions } from "./spoken";
import type { Words } from "./words";

export class View {
  private readonly spoken: SpokenCaptions;

  constructor(
    private readonly root: HTMLElement,
    video: HTMLVideoElement,
    private readonly words: Words,
    private readonly says: Says,
  ) {
    this.spoken = new SpokenCaptions(root, video);
    for (const wish of ["mirror", "large"] as const) {
      this.show(wish, remembered(wish) === "on");
      for (const control of root.querySelectorAll(`[data-view="${wish}"]`)) {
        control.addEventListener(control instanceof HTMLInputElement ? "change" : "click", () => this.toggle(wish));
      }
    }
  }

  toggle(wish: "mirror" | "large"): void {
    const isOn = !(wish in this.root.dataset);
    this.show(wish, isOn);
    remember(wish, isOn ? "on" : null);
    const { mirrorOn, mirrorOff, largeOn, largeOff } = this.words;
    this.says.flash(wish === "mirror" ? (isOn ? mirrorOn : mirrorOff) : isOn ? largeOn : largeOff);
  }

  private show(wish: "mirror" | "large", isOn: boolean): void {
    this.root.toggleAttribute(`data-${wish}`, isOn);
    for (const control of this.root.querySelectorAll(`[data-view="${wish}"]`)) {
      if (control instanceof HTMLInputElement) control.checked = isOn;
      else control.setAttribute("aria-pressed", String(isOn));
    }
    if (wish === "mirror") this.spoken.draws(isOn);
  }
}
