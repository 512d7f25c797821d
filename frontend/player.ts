// A lesson's player: starts a playback, resumes where the member stopped, says so, and stays kind when something fails.
import { clock, type Words, wordsOf } from "./player/words";
import { offerBigPlay } from "./player/big_play";
import { offerCaptions } from "./player/captions";
import { markChapters } from "./player/chapters";
import { Controls } from "./player/controls";
import type { Heard } from "./player/kept";
import { Keys } from "./player/keys";
import { Loop } from "./player/loop";
import { wander } from "./player/mark";
import { Playback, Refused, stopElsewhere } from "./player/playback";
import { Preview } from "./player/preview";
import { Progress } from "./player/progress";
import { button, link, Says } from "./player/says";
import { Dialogs, offerChapters, offerQuality, Speed } from "./player/settings";
import { attach, isNative, type Stream } from "./player/stream";
import { searchable } from "./player/transcript";
import { View } from "./player/view";
import { Wall } from "./player/wall";

type State = "loading" | "ready" | "playing" | "error";

const TRY_AGAIN_MS = 5000;
/** After so long the controls are there even if no picture is. */
const CONTROLS_MS = 400;

class Player {
  private readonly video: HTMLVideoElement;
  private readonly says: Says;
  private readonly words: Words;
  private readonly preview: Preview;
  private readonly wall: Wall;
  private readonly progress: Progress;
  private playback: Playback | null = null;
  private stream: Stream | null = null;
  /** Seconds at which it stopped for want of a right to go on, and whether it ran; null while all is well. */
  private stopped: { at: number; ran: boolean } | null = null;
  private timer = 0;

  constructor(private readonly root: HTMLElement) {
    const { root: r } = this;
    const video = (this.video = r.querySelector("video") as HTMLVideoElement);
    const words = (this.words = wordsOf(r));
    const says = (this.says = new Says(r));
    this.wall = new Wall(r.querySelector("[data-stage]") as HTMLElement);
    this.preview = new Preview(r);
    this.progress = new Progress(video, r.dataset.progressUrl ?? "", r.dataset.lessonId ?? "");
    this.state = "loading";
    // Its attribute for this is not observed (4.19.4). With the whole player, words and large controls come along.
    void customElements
      .whenDefined("media-controller")
      .then(() => Object.assign(r.querySelector("media-controller") ?? {}, { fullscreenElement: r }));
    video.addEventListener("canplay", () => this.settle());
    video.addEventListener("playing", () => (this.state = "playing"));
    for (const event of ["pause", "ended"] as const) video.addEventListener(event, () => this.settle());
    video.addEventListener("ended", () => this.offerNext());
    window.addEventListener("online", () => this.timer && void this.start());
    // Stopped from another device, or others have all the places: heard of before the film's own bytes are refused.
    video.addEventListener("limber:refused", (event) => {
      const { state, sentence, streams } = (event as CustomEvent<Heard>).detail;
      this.refuse(new Refused(state === "full" ? 409 : 410, sentence, streams ?? []));
    });
    this.listenForJumps();
    offerBigPlay(r, video);
    markChapters(video, Number(r.dataset.durationS) || 0);
    offerChapters(r, video);
    offerCaptions(r, video);
    wander(r, video);
    const controls = new Controls(r, video, words, says);
    const loop = new Loop(r, video, words, says);
    new Keys(r, controls.keys(loop, new View(r, video, words, says), new Speed(r, video, words, says), new Dialogs(r)));
  }

  /** Ask to watch, and show the film: from where it stopped in this page, or else before. */
  async start(): Promise<void> {
    window.clearTimeout(this.timer);
    this.timer = 0;
    let playback: Playback;
    try {
      playback = await Playback.start(this.root.dataset.startUrl ?? "", isNative());
    } catch (error) {
      if (error instanceof Refused) this.refuse(error);
      else this.tryLater();
      return;
    }
    this.wall.clear();
    this.state = "loading";
    this.playback = playback;
    this.preview.use(playback);
    const wanted = this.stopped?.at ?? this.jumpInAddress();
    const earlier = playback.position_s || (this.root.dataset.progressUrl ? 0 : this.progress.remembered());
    const startAt = wanted ?? this.worthResuming(earlier);
    this.stream?.end();
    // Pressed before there was a film: what is loaded now would begin paused.
    const isWished = !this.video.paused;
    this.stream = attach(this.video, playback, startAt, {
      lost: () => this.says.say(this.words.lost),
      found: () => this.says.flash(this.words.found),
      refused: (error) => this.refuse(error),
      broken: () => this.fail([this.words.broken], button(this.words.retry, () => void this.start())),
    });
    if (isWished && this.video.paused) void this.video.play().catch(() => this.settle());
    offerQuality(this.root, this.stream.qualities, this.words);
    if (this.stopped) this.wentOn();
    else if (wanted === null && startAt > 0) this.sayResumed(startAt);
  }

  private set state(state: State) {
    this.root.dataset.state = state;
  }

  private settle(): void {
    if (!this.wall.isUp && (this.video.paused || this.video.ended)) this.state = "ready";
  }

  /** A few seconds are not worth resuming, and a lesson seen to its end begins again. */
  private worthResuming(position: number): number {
    const duration = Number(this.root.dataset.durationS) || Infinity;
    return position > 3 && position < duration - 5 ? position : 0;
  }

  private tryLater(): void {
    this.fail([this.words.lost], button(this.words.retry, () => void this.start()));
    this.timer = window.setTimeout(() => void this.start(), TRY_AGAIN_MS);
  }

  /** After the session ended: with the same viewing if the server knows it still, so that nothing is loaded anew. */
  private async goOn(): Promise<void> {
    if (!this.playback || !this.stream) return this.start();
    try {
      await this.playback.renew();
    } catch (error) {
      if (!(error instanceof Refused)) return this.tryLater();
      if (error.status === 401) return this.sayEnded(this.words.notYet);
      if (error.status === 404 || error.status === 410) return this.start();
      return this.refuse(error);
    }
    this.wall.clear();
    this.stream.goOn();
    this.state = "ready";
    this.wentOn();
  }

  private wentOn(): void {
    const { stopped } = this;
    this.stopped = null;
    if (!stopped) return;
    this.says.flash(this.words.wentOn.replace("{time}", clock(stopped.at)));
    if (stopped.ran) void this.video.play().catch(() => this.settle());
  }

  private sayResumed(at: number): void {
    const startOver = button(this.words.startOver, () => {
      this.video.currentTime = 0;
      this.says.hush();
      void this.video.play();
    });
    this.says.say(this.words.resumed.replace("{time}", clock(at)), startOver);
    let watched = 0;
    const fade = (): void => {
      if (++watched <= 40) return;
      if (startOver.isConnected) this.says.hush();
      this.video.removeEventListener("timeupdate", fade);
    };
    this.video.addEventListener("timeupdate", fade);
  }

  private offerNext(): void {
    const next = document.querySelector<HTMLAnchorElement>("a.next-lesson");
    const name = next?.querySelector("strong")?.textContent?.trim();
    if (next && name) this.says.say("", link(this.words.next.replace("{lesson}", name), next.href));
  }

  private refuse(error: Refused): void {
    const { words } = this;
    const { status, sentence } = error;
    // Nobody asked for a film yet where none was shown: the page itself shows the wall, with what there is to choose.
    if (status === 401) this.sayEnded();
    else if (error.streams.length > 0) this.offerStops(error);
    else if (status === 402) this.fail([sentence || words.join], link(words.joinLink, location.pathname + location.search));
    else if (status === 403) this.fail([sentence || words.refused], link(words.joinLink, location.pathname + location.search));
    else this.fail([sentence || words.unavailable], button(words.retry, () => void this.start()));
  }

  /** As many films play as may at the same time: which one is to make room? */
  private offerStops({ sentence, streams }: Refused): void {
    const { words } = this;
    const stops = streams.map((stream) => {
      const name = words.stop.replace("{lesson}", stream.lesson_title).replace("{device}", stream.device);
      return button(name, () => void stopElsewhere(stream).then(() => this.start(), () => this.tryLater()));
    });
    this.fail([sentence], ...stops);
  }

  /** Both ways lead back to this very second: logging in here, and going on after having done so elsewhere. */
  private sayEnded(first = ""): void {
    const { video, words } = this;
    this.stopped ??= { at: this.playback ? video.currentTime : (this.jumpInAddress() ?? 0), ran: !video.paused };
    const { at } = this.stopped;
    const login = link(words.signInLink, `/login?next=${encodeURIComponent(this.address(at))}`);
    const sentence = this.playback ? words.ended.replace("{time}", clock(at)) : words.signIn;
    this.fail([first, sentence, words.endedOn].filter(Boolean), login, button(words.goOn, () => void this.goOn()));
  }

  private fail(sentences: string[], ...actions: HTMLElement[]): void {
    if (this.playback) this.stopped ??= { at: this.video.currentTime, ran: !this.video.paused };
    this.video.pause();
    this.says.hush();
    this.state = "error";
    this.wall.show(sentences, actions);
  }

  /** This page, at this second. */
  private address(second: number): string {
    return `${location.pathname}${location.search}${second > 0 ? `#t=${second.toFixed(1)}` : ""}`;
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
      if (this.stopped) this.stopped.at = at;
      if (this.wall.isUp) return;
      this.video.currentTime = at;
      this.says.hush();
      this.root.scrollIntoView({ block: "nearest" });
      void this.video.play().catch(() => this.settle());
    });
  }
}

/**
 * The controls once there is a picture, so that reading them holds up none; or soon, for whoever waits for a slow one. They are
 * on their way before, behind everything that shows the page and the film.
 */
function controls(root: HTMLElement): void {
  const ahead = Object.assign(document.createElement("link"), { rel: "modulepreload", href: root.dataset.controlsUrl ?? "" });
  ahead.fetchPriority = "low";
  document.head.append(ahead);
  const pictured = new Promise((done) => root.querySelector("video")?.addEventListener("loadeddata", done, { once: true }));
  const waited = new Promise((done) => window.setTimeout(done, CONTROLS_MS));
  void Promise.race([pictured, waited])
    .then(() => import(root.dataset.controlsUrl ?? ""))
    // The browser's own are better than none.
    .catch(() => root.querySelector("video")?.setAttribute("controls", ""));
}

function begin(): void {
  for (const root of document.querySelectorAll<HTMLElement>("[data-player]")) {
    controls(root);
    void new Player(root).start();
  }
  for (const root of document.querySelectorAll<HTMLElement>("[data-transcript]")) searchable(root);
}

// It may be here before the page's end is.
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
else begin();
