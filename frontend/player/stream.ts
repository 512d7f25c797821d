// The stream in the video element: hls.js wherever media source extensions exist, the browser's own HLS elsewhere (iPhone).
import Hls, { ErrorTypes, Events, type ErrorData } from "hls.js";
import { type Playback, Refused } from "./playback";

export interface StreamEvents {
  /** The connection is away; the stream tries again by itself. */
  lost(): void;
  /** Data flows again. */
  found(): void;
  refused(error: Refused): void;
  /** Nothing more can be done but to load the page again. */
  broken(): void;
}

// Chrome answers "maybe" for HLS playlists since 147, so its word must not be asked first (hls.js#7827).
export const isNative = (): boolean => !Hls.isSupported();

const RETRY_MS = [1000, 2000, 4000, 8000, 15000];

export function attach(video: HTMLVideoElement, playback: Playback, startAt: number, on: StreamEvents): void {
  if (isNative()) attachNative(video, playback, startAt, on);
  else new HlsStream(video, playback, startAt, on);
}

class HlsStream {
  private readonly hls: Hls;
  private tries = 0;
  private repairs = 0;
  private timer = 0;

  constructor(
    video: HTMLVideoElement,
    private readonly playback: Playback,
    startAt: number,
    private readonly on: StreamEvents,
  ) {
    this.hls = new Hls({
      // Our segments are fMP4, which hls.js hands to the browser as they are: its transmuxing worker (36 KB more) would
      // have nothing to do.
      enableWorker: false,
      // From its beginning, also when it is still growing.
      startPosition: Math.max(0, startAt),
      capLevelToPlayerSize: true,
      // Little before somebody presses play, plenty afterwards.
      maxBufferLength: 8,
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
    this.hls.on(Events.ERROR, (_event, data) => void this.mend(data));
    this.hls.on(Events.FRAG_LOADED, () => this.recovered());
    this.hls.loadSource(playback.playlistUrl);
    this.hls.attachMedia(video);
    video.addEventListener("play", () => (this.hls.config.maxBufferLength = 45), { once: true });
    window.addEventListener("online", () => this.retryNow());
  }

  private recovered(): void {
    if (this.tries === 0) return;
    this.tries = 0;
    this.on.found();
  }

  private refuse(error: Refused): void {
    window.clearTimeout(this.timer);
    this.hls.destroy();
    this.on.refused(error);
  }

  private async mend(data: ErrorData): Promise<void> {
    const status = data.response?.code ?? 0;
    if (status === 401 || status === 402 || status === 403 || status === 410) return this.askAgain(data.fatal);
    if (!data.fatal) return;
    if (data.type === ErrorTypes.NETWORK_ERROR) return this.retryLater();
    if (data.type === ErrorTypes.MEDIA_ERROR && this.repairs++ < 2) return this.hls.recoverMediaError();
    this.hls.destroy();
    this.on.broken();
  }

  /** The media route refused the token: a new one settles whether this person may still watch. */
  private async askAgain(isFatal: boolean): Promise<void> {
    try {
      await this.playback.renew();
      if (isFatal) this.retryLater();
    } catch (error) {
      if (error instanceof Refused) this.refuse(error);
      else this.retryLater();
    }
  }

  private retryLater(): void {
    const wait = RETRY_MS[Math.min(this.tries, RETRY_MS.length - 1)] ?? 15000;
    if (this.tries++ === 1) this.on.lost();
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.retryNow(), wait);
  }

  private retryNow(): void {
    if (this.tries === 0) return;
    window.clearTimeout(this.timer);
    if (this.hls.levels.length === 0) this.hls.loadSource(this.playback.playlistUrl);
    else this.hls.startLoad();
  }
}

function attachNative(video: HTMLVideoElement, playback: Playback, startAt: number, on: StreamEvents): void {
  let tries = 0;
  video.src = playback.playlistUrl;
  const at = (seconds: number): void => {
    video.addEventListener("loadedmetadata", () => (video.currentTime = seconds), { once: true });
  };
  if (startAt > 0) at(startAt);
  video.addEventListener("error", () => {
    if (tries++ >= 3) return on.broken();
    const stoppedAt = video.currentTime || startAt;
    playback.renew().then(
      () => {
        video.src = playback.playlistUrl;
        at(stoppedAt);
      },
      (error: unknown) => (error instanceof Refused ? on.refused(error) : on.lost()),
    );
  });
}
