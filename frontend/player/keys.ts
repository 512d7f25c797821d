// The player's keys: everywhere on the page unless somebody turned that off (WCAG 2.1.4), and never while they type.
import { remember, remembered } from "./remember";

const TYPING = "textarea, select, dialog, [contenteditable], input:not([type=range], [type=checkbox], [type=radio])";
// These have their own use for the space bar.
const PRESSABLE = "button, a, summary, input, [role=button], [role^=menuitem]";
const SCROLLING = new Set([" ", "ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"]);

export type KeyMap = Record<string, () => void>;

export class Keys {
  private readonly everywhere: HTMLInputElement;

  constructor(
    private readonly root: HTMLElement,
    private readonly map: KeyMap,
  ) {
    this.everywhere = root.querySelector("[data-page-keys]") as HTMLInputElement;
    this.everywhere.checked = remembered("pageKeys") !== "off";
    this.everywhere.addEventListener("change", () => remember("pageKeys", this.everywhere.checked ? null : "off"));
    document.addEventListener("keydown", (event) => this.press(event));
  }

  private press(event: KeyboardEvent): void {
    const { key, target } = event;
    const act = this.map[key.length === 1 ? key.toLowerCase() : key];
    if (!act || event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    if (!(target instanceof Element) || target.closest(TYPING)) return;
    const isInside = this.root.contains(target);
    if (!isInside && !this.everywhere.checked) return;
    if (SCROLLING.has(key)) {
      const origin = event.composedPath()[0];
      if (key === " " ? target.closest(PRESSABLE) : origin instanceof HTMLInputElement || target.closest("[role=menu]")) return;
      // Elsewhere these move the page, which is taken from nobody who does not look at the film; up and down never.
      if (!isInside && (key === "ArrowUp" || key === "ArrowDown" || target !== document.body || !this.isInView)) return;
    }
    event.preventDefault();
    act();
  }

  private get isInView(): boolean {
    const { top, bottom, height } = this.root.getBoundingClientRect();
    return Math.min(bottom, innerHeight) - Math.max(top, 0) > height / 2;
  }
}
