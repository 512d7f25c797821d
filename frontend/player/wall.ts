// What stands over the picture when it cannot go on: a sentence, and what one can do.

export class Wall {
  private box: HTMLElement | null = null;

  constructor(private readonly stage: HTMLElement) {}

  get isUp(): boolean {
    return this.box !== null;
  }

  /** The first action is the main one. */
  show(sentences: string[], actions: HTMLElement[]): void {
    const hadFocus = this.stage.contains(document.activeElement);
    this.box?.remove();
    const box = document.createElement("div");
    box.className = "player-error";
    box.setAttribute("role", "alert");
    for (const sentence of sentences) {
      const text = document.createElement("p");
      text.textContent = sentence;
      box.append(text);
    }
    const row = document.createElement("div");
    row.className = "player-choice";
    for (const [n, action] of actions.entries()) {
      action.className = n === 0 ? "btn btn-primary" : "btn btn-outline";
      row.append(action);
    }
    box.append(row);
    this.stage.append(box);
    this.box = box;
    // The control that had it lies below now.
    if (hadFocus) actions[0]?.focus();
  }

  /** Gone; the keyboard goes on at the player. */
  clear(): void {
    const hadFocus = this.box?.contains(document.activeElement);
    this.box?.remove();
    this.box = null;
    if (hadFocus) this.stage.querySelector<HTMLElement>(".bar-buttons media-play-button")?.focus();
  }
}
