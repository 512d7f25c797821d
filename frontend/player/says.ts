// One line over the picture that says what changed: read out by screen readers, and gone again by itself.

const FLASH_MS = 4000;

export class Says {
  private readonly line: HTMLElement;
  private timer = 0;

  constructor(root: HTMLElement) {
    this.line = root.querySelector("[data-player-says]") as HTMLElement;
  }

  /** Until something else is said, or `hush`. */
  say(sentence: string, action?: HTMLElement): void {
    window.clearTimeout(this.timer);
    const text = document.createElement("span");
    text.textContent = sentence;
    this.line.replaceChildren(text, ...(action ? [action] : []));
    this.line.dataset.shown = "";
  }

  /** For as long as it takes to read. */
  flash(sentence: string): void {
    this.say(sentence);
    this.timer = window.setTimeout(() => this.hush(), FLASH_MS);
  }

  hush(): void {
    window.clearTimeout(this.timer);
    this.line.replaceChildren();
    delete this.line.dataset.shown;
  }
}

export function button(label: string, press: () => void): HTMLButtonElement {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = label;
  made.addEventListener("click", press);
  return made;
}

export function link(label: string, href: string): HTMLAnchorElement {
  const made = document.createElement("a");
  made.href = href;
  made.textContent = label;
  return made;
}
