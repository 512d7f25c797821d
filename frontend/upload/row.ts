// One line of the upload list: a name, a bar, a sentence, and what can be done now.
import { fill, type RowState, type Words } from "./words";

export interface RowActions {
  pause?: () => void;
  resume?: () => void;
  cancel?: () => void;
  remove?: () => void;
}

export class Row {
  readonly element: HTMLLIElement;
  videoId = "";
  uploadId = "";
  private readonly bar: HTMLProgressElement;
  private readonly sentence: HTMLElement;
  private readonly buttons: HTMLElement;
  private shown = "";

  constructor(
    private readonly name: string,
    private readonly words: Words,
    private readonly videoUrl: string,
    private readonly announce: (sentence: string) => void,
  ) {
    this.element = document.createElement("li");
    this.element.className = "upload-row";
    const title = document.createElement("span");
    title.className = "upload-name";
    title.textContent = name;
    this.buttons = document.createElement("span");
    this.buttons.className = "cluster";
    this.bar = document.createElement("progress");
    this.bar.className = "progress-bar";
    this.bar.max = 100;
    this.bar.value = 0;
    this.bar.setAttribute("aria-label", name);
    this.sentence = document.createElement("span");
    this.sentence.className = "upload-says";
    this.element.append(title, this.buttons, this.bar, this.sentence);
  }

  get state(): RowState {
    return this.element.dataset.state as RowState;
  }

  /** Show a state. `said` replaces its usual words; percent leaves the bar alone when missing. */
  show(state: RowState, { said = "", percent, actions = {} }: { said?: string; percent?: number; actions?: RowActions } = {}): void {
    const sentence = said || fill(this.words[state], { percent: String(Math.floor(percent ?? this.bar.value)) });
    this.element.dataset.state = state;
    if (percent !== undefined) this.bar.value = percent;
    this.bar.hidden = state === "ready" || state === "failed";
    this.sentence.textContent = sentence;
    // Screen readers hear a new state once, not each percent of it.
    if (state !== this.shown) this.announce(`${this.name}: ${sentence}`);
    this.shown = state;
    this.offer(state, actions);
  }

  private offer(state: RowState, actions: RowActions): void {
    const wanted = Object.keys(actions).join(" ") + (state === "ready" ? " open" : "");
    if (this.buttons.dataset.offers === wanted) return;
    this.buttons.dataset.offers = wanted;
    const parts: HTMLElement[] = [];
    for (const [key, press] of Object.entries(actions) as [keyof RowActions, () => void][]) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "btn btn-sm btn-outline";
      button.textContent = this.words[key];
      button.setAttribute("aria-label", `${this.words[key]}: ${this.name}`);
      button.addEventListener("click", press);
      parts.push(button);
    }
    if (state === "ready" && this.videoId && this.videoUrl) {
      const link = document.createElement("a");
      link.className = "btn btn-sm btn-outline";
      link.href = fill(this.videoUrl, { id: this.videoId });
      link.textContent = this.words.open;
      parts.push(link);
    }
    const hadFocus = this.buttons.contains(document.activeElement);
    this.buttons.replaceChildren(...parts);
    if (hadFocus) parts[0]?.focus();
  }
}
