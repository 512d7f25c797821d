// The stream in the video element: hls.js wherever media source extensions exist, the browser's own HLS elsewhere (iPhone).
import Hls, { ErrorDetails, ErrorTypes, Events, type ErrorData } from "hls.js";
import { type Playback, Refused } from "./playback";
import { PromptSound } from "./prompt_sound";

export interface StreamEvents {
  /** The connection is away and the picture stands; the stream tries again by itself. */
  lost(): void;
  /** Data flows again. */
  found(): void;
  /** The film stands where it stood; `Stream.goOn` goes on there once the viewing is permitted again. */
  refused(error: Refused): void;
  /** Nothing more can be done but to load the page again. */
  broken(): void;
}

export interface Stream {
  /** Fetch again, from where the film stands. */
  goOn(): void;
  /** Give the video element back. */
  end(): void;
  readonly qualities: Qualities | null;
}

/** The sizes of a film, as somebody chooses among them. */
export interface Qualities {
  /** The short side of each, in pixels; smallest first. */
  heights(): number[];
  /** The index of the one that is shown, -1 before the first. */
  shown(): number;
  /** -1: by the connection. */
  choose(index: number): void;
  onChange(listener: () => void): void;
}

// Chrome answers "maybe" for HLS playlists since 147, so its word must not be asked first (hls.js#7827).
export const isNative = (): boolean => !Hls.isSupported();

const RETRY_MS = [1000, 2000, 4000, 8000, 15000];

export function attach(video: HTMLVideoElement, playback: Playback, startAt: number, on: StreamEvents): Stream {
  return isNative() ? new NativeStream(video, playback, startAt, on) : new HlsStream(video, playback, startAt, on);
}

class HlsStream implements Stream {
  readonly qualities: Qualities;
  private readonly hls: Hls;
  private readonly listening = new AbortController();
  private tries = 0;
  private repairs = 0;
  private timer = 0;
  private isFailing = false;
  private isTold = false;
  private isRefused = false;

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly playback: Playback,
    startAt: number,
    private readonly on: StreamEvents,
  ) {
    this.hls = new Hls({
      // Our segments are fMP4, which hls.js hands to the browser as they are: its transmuxing worker (36 KB more) would
      // have nothing to do.
      enableWorker: false,
      audioStreamController: PromptSound,
      // The playlists may be there before the video element is ready to take a segment.
      startFragPrefetch: true,
      // From its beginning, also when it is still growing.
      startPosition: Math.max(0, startAt),
      capLevelToPlayerSize: true,
      // Little before somebody presses play, plenty once it runs: what is loaded meanwhile would hold its first frame up.
      maxBufferLength: 8,
      // Otherwise these are the fewest seconds, and the most are 60 MB: ten minutes of a talk, before anybody pressed play.
      maxBufferSize: 0,
      backBufferLength: 60,
      xhrSetup: async (xhr, url) => {
        try {
          xhr.open("GET", await playback.fresh(url), true);
        } catch (error) {
          if (error instanceof Refused) this.refuse(error);
          throw error;
        }
      },
    });
    this.qualities = qualitiesOf(this.hls);
    this.hls.on(Events.ERROR, (_event, data) => void this.mend(data));
    this.hls.on(Events.FRAG_LOADED, () => this.recovered());
    offerAirPlay(this.hls, video, playback);
    this.hls.attachMedia(video);
    this.hls.loadSource(playback.playlistUrl);
    const { signal } = this.listening;
    video.addEventListener("timeupdate", () => !video.paused && (this.hls.config.maxBufferLength = 45), { signal });
    video.addEventListener("waiting", () => this.tell(), { signal });
    window.addEventListener("online", () => this.isFailing && this.retryNow(), { signal });
  }

  goOn(): void {
    this.isRefused = false;
    this.retryNow();
  }

  end(): void {
    window.clearTimeout(this.timer);
    this.listening.abort();
    this.hls.destroy();
  }

  private recovered(): void {
    this.tries = 0;
    this.isFailing = false;
    if (!this.isTold) return;
    this.isTold = false;
    this.on.found();
  }

  /** Only when there is nothing left to show: a gap that the buffer covers is nobody's business. */
  private tell(): void {
    if (!this.isFailing || this.isTold || this.isRefused || this.video.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA) return;
    this.isTold = true;
    this.on.lost();
  }

  private refuse(error: Refused): void {
    if (this.isRefused) return;
    this.isRefused = true;
    window.clearTimeout(this.timer);
    // The picture stays, and with it the place.
    this.hls.stopLoad();
    this.on.refused(error);
  }

  private async mend(data: ErrorData): Promise<void> {
    // Whoever seeks breaks off what was being loaded, which hls.js tells as an error of the network.
    if (this.isRefused || data.details === ErrorDetails.INTERNAL_ABORTED) return;
    const status = data.response?.code ?? 0;
    if (status === 401 || status === 402 || status === 403 || status === 410) return this.askAgain(data.fatal);
    if (data.type === ErrorTypes.NETWORK_ERROR) {
      this.isFailing = true;
      this.tell();
    }
    if (!data.fatal) return;
    if (data.type === ErrorTypes.NETWORK_ERROR) return this.retryLater();
    if (data.type === ErrorTypes.MEDIA_ERROR && this.repairs++ < 2) return this.hls.recoverMediaError();
    // First: at the end of the stream its place is lost.
    this.on.broken();
    this.end();
  }

  /** The media route refused the token: a new one settles whether this person may still watch. */
  private async askAgain(isFatal: boolean): Promise<void> {
    try {
      await this.playback.renew();
      if (isFatal) this.retryLater();
    } catch (error) {
      if (error instanceof Refused) this.refuse(error);
      else if (isFatal) this.retryLater();
    }
  }

  private retryLater(): void {
    const wait = RETRY_MS[Math.min(this.tries++, RETRY_MS.length - 1)];
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.retryNow(), wait);
  }

  private retryNow(): void {
    window.clearTimeout(this.timer);
    if (this.hls.levels.length === 0) this.hls.loadSource(this.playback.playlistUrl);
    // Left to itself it goes back to where it loaded last. At 0 it has not yet gone to where it is to begin.
    else this.hls.startLoad(this.video.currentTime || -1, this.video.currentTime > 0);
  }
}

function qualitiesOf(hls: Hls): Qualities {
  return {
    heights: () => hls.levels.map(({ width, height }) => Math.min(width, height)),
    shown: () => hls.currentLevel,
    choose: (index) => (hls.nextLevel = index),
    onChange: (listener) => {
      for (const event of [Events.MANIFEST_PARSED, Events.LEVEL_SWITCHED] as const) hls.on(event, listener);
    },
  };
}

/**
 * A television fetches the film by itself, which it cannot from what hls.js feeds the video element (a ManagedMediaSource, which
 * Safari opens without AirPlay): so the playlist stands beside it as a second source, with a token for the whole film.
 */
function offerAirPlay(hls: Hls, video: HTMLVideoElement, playback: Playback): void {
  if (!("WebKitPlaybackTargetAvailabilityEvent" in window && "ManagedMediaSource" in window)) return;
  hls.on(Events.MEDIA_ATTACHED, () => {
    void playback.longLived().then(
      (url) => {
        const source = document.createElement("source");
        source.type = "application/vnd.apple.mpegurl";
        source.src = url;
        video.append(source);
        video.disableRemotePlayback = false;
      },
      () => {
        // Then it plays here only.
      },
    );
  });
}

class NativeStream implements Stream {
  readonly qualities = null;
  private readonly listening = new AbortController();
  private tries = 0;

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly playback: Playback,
    private place: number,
    private readonly on: StreamEvents,
  ) {
    const { signal } = this.listening;
    this.load();
    video.addEventListener("timeupdate", () => (this.place = video.currentTime || this.place), { signal });
    video.addEventListener("playing", () => (this.tries = 0), { signal });
    video.addEventListener("error", () => void this.mend(), { signal });
    window.addEventListener("online", () => video.error && this.load(), { signal });
  }

  goOn(): void {
    this.load();
  }

  end(): void {
    this.listening.abort();
    this.video.removeAttribute("src");
    this.video.load();
  }

  private load(): void {
    this.video.src = this.playback.playlistUrl;
    const at = this.place;
    if (at > 0) this.video.addEventListener("loadedmetadata", () => (this.video.currentTime = at), { once: true });
  }

  private async mend(): Promise<void> {
    if (this.tries++ >= 3) return this.on.broken();
    try {
      await this.playback.renew();
      this.load();
    } catch (error) {
      if (error instanceof Refused) this.on.refused(error);
      else this.on.lost();
    }
  }
}
