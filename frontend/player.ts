// A lesson's player: starts a playback, resumes where the member stopped, says so, and stays kind when something fails.
import { clock, type Words, wordsOf } from "./player/words";
import "./player/parts";
import { offerCaptions } from "./player/captions";
import { markChapters } from "./player/chapters";
import { Playback, Refused } from "./player/playback";
import { Preview } from "./player/preview";
import { Progress } from "./player/progress";
import { attach, isNative } from "./player/stream";
import { searchable } from "./player/transcript";

type State = "loading" | "ready" | "playing" | "error";

class Player {
  private readonly video: HTMLVideoElement;
  private readonly says: HTMLElement;
  private readonly words: Words;
  private readonly preview: Preview;

  constructor(private readonly root: HTMLElement) {
    this.video = root.querySelector("video") as HTMLVideoElement;
    this.says = root.querySelector("[data-player-says]") as HTMLElement;
    this.words = wordsOf(root);
    this.preview = new Preview(root);
    this.state = "loading";
    this.video.addEventListener("canplay", () => this.settle());
    this.video.addEventListener("playing", () => (this.state = "playing"));
    for (const event of ["pause", "ended"] as const) this.video.addEventListener(event, () => this.settle());
    this.video.addEventListener("ended", () => this.offerNext());
    this.listenForJumps();
    markChapters(this.video, Number(root.dataset.durationS) || 0);
    offerCaptions(root, this.video);
  }

  async start(): Promise<void> {
    const { startUrl = "", progressUrl = "", lessonId = "" } = this.root.dataset;
    const progress = new Progress(this.video, progressUrl, lessonId);
    let playback: Playback;
    try {
      playback = await Playback.start(startUrl, isNative());
    } catch (error) {
      if (error instanceof Refused) this.refuse(error);
      else this.fail(this.words.lost, this.button(this.words.retry, () => this.again()));
      return;
    }
    this.preview.use(playback);
    const wanted = this.jumpInAddress();
    const stopped = playback.position_s || (progressUrl ? 0 : progress.remembered());
    const startAt = wanted ?? this.worthResuming(stopped);
    attach(this.video, playback, startAt, {
      lost: () => this.say(this.words.lost),
      found: () => this.hush(),
      refused: (error) => this.refuse(error),
      broken: () => this.fail(this.words.broken, this.link(this.words.reload, location.pathname)),
    });
    if (wanted === null && startAt > 0) this.sayResumed(startAt);
  }

  private set state(state: State) {
    this.root.dataset.state = state;
  }

  private settle(): void {
    if (this.root.dataset.state !== "error" && (this.video.paused || this.video.ended)) this.state = "ready";
  }

  /** A few seconds are not worth resuming, and a lesson seen to its end begins again. */
  private worthResuming(position: number): number {
    const duration = Number(this.root.dataset.durationS) || Infinity;
    return position > 3 && position < duration - 5 ? position : 0;
  }

  private again(): void {
    this.root.querySelector(".player-error")?.remove();
    this.state = "loading";
    void this.start();
  }

  private sayResumed(at: number): void {
    const startOver = this.button(this.words.startOver, () => {
      this.video.currentTime = 0;
      this.hush();
      void this.video.play();
    });
    this.say(this.words.resumed.replace("{time}", clock(at)), startOver);
    let watched = 0;
    const fade = (): void => {
      if (++watched > 40) {
        this.hush();
        this.video.removeEventListener("timeupdate", fade);
      }
    };
    this.video.addEventListener("timeupdate", fade);
  }

  private offerNext(): void {
    const next = document.querySelector<HTMLAnchorElement>("a.next-lesson");
    const name = next?.querySelector("strong")?.textContent?.trim();
    if (next && name) this.say("", this.link(this.words.next.replace("{lesson}", name), next.href));
  }

  private refuse(error: Refused): void {
    const here = location.pathname + location.search;
    if (error.status === 401) {
      this.fail(error.sentence || this.words.signIn, this.link(this.words.signInLink, `/login?next=${encodeURIComponent(here)}`));
    } else if (error.status === 402 || error.status === 403) {
      // The page itself shows the wall, with what there is to choose.
      this.fail(error.sentence || (error.status === 402 ? this.words.join : this.words.refused), this.link(this.words.joinLink, here));
    } else {
      this.fail(error.sentence || this.words.unavailable, this.button(this.words.retry, () => this.again()));
    }
  }

  private fail(sentence: string, action: HTMLElement): void {
    this.video.pause();
    this.hush();
    this.state = "error";
    const box = document.createElement("div");
    box.className = "player-error";
    box.setAttribute("role", "alert");
    const text = document.createElement("p");
    text.textContent = sentence;
    action.classList.add("btn", "btn-primary");
    box.append(text, action);
    this.root.querySelector(".player-error")?.remove();
    this.root.append(box);
  }

  private say(sentence: string, action?: HTMLElement): void {
    const text = document.createElement("span");
    text.textContent = sentence;
    this.says.replaceChildren(text, ...(action ? [action] : []));
    this.says.dataset.shown = "";
  }

  private hush(): void {
    this.says.replaceChildren();
    delete this.says.dataset.shown;
  }

  private button(label: string, press: () => void): HTMLButtonElement {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    button.addEventListener("click", press);
    return button;
  }

  private link(label: string, href: string): HTMLAnchorElement {
    const link = document.createElement("a");
    link.href = href;
    link.textContent = label;
    return link;
  }

  /** `#t=65` in the address, as a list of sections writes it. */
  private jumpInAddress(): number | null {
    const found = /^#t=(\d+(?:\.\d+)?)$/.exec(location.hash);
    return found ? Number(found[1]) : null;
  }

  private listenForJumps(): void {
    window.addEventListener("hashchange", () => {
      const at = this.jumpInAddress();
      if (at === null) return;
      this.video.currentTime = at;
      this.hush();
      this.root.scrollIntoView({ block: "nearest" });
      void this.video.play().catch(() => this.settle());
    });
  }
}

for (const root of document.querySelectorAll<HTMLElement>("[data-player]")) {
  const player = new Player(root);
  // The page comes first: its text and poster are there before the stream asks for anything.
  if (document.readyState === "complete") void player.start();
  else window.addEventListener("load", () => void player.start(), { once: true });
}
for (const root of document.querySelectorAll<HTMLElement>("[data-transcript]")) searchable(root);
