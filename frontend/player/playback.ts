// A permitted viewing as the browser holds it: the playlist's address, its token, and the token's renewal.
import { nowPlaying, sendAll, tab } from "./kept";

/** What the server answered when it would not let this person watch. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly sentence: string,
    /** What plays elsewhere, when that is why; each can be stopped. */
    readonly streams: readonly StreamElsewhere[] = [],
    /** The problem's type. */
    readonly type = "",
  ) {
    super(sentence || String(status));
  }
}

export interface StreamElsewhere {
  lesson_title: string;
  device: string;
  stop_url: string;
}

interface Granted {
  playlist_url: string;
  expires_at: string;
  position_s?: number | null;
  renew_url?: string | null;
  /** To renew this viewing with; kept in this page's memory only. */
  grant?: string;
}

// From 90 s before the end; a token that lives for a short time only is renewed in its last third.
const RENEW_BEFORE_MS = 90_000;
// Too old, or its key is gone: the page was open for hours.
const GRANT_REFUSED = "urn:limber:problem:limber:grant";
const MEDIA_TOKEN = /\/media\/[^/]+\//;

async function post(url: string, body: object): Promise<Granted> {
  return granted(
    await fetch(url, {
      method: "POST",
      credentials: "same-origin",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify(body),
    }),
  );
}

declare global {
  interface Window {
    /** What the page asked for before this script was there (templates/_parts/player_early.html). */
    limberEarly?: { url: string; answer: Promise<Response> } | null;
  }
}

/** The page's own early question, once; null when it did not ask. */
function early(url: string): Promise<Response> | null {
  const asked = window.limberEarly;
  window.limberEarly = null;
  return asked?.url === url ? asked.answer : null;
}

async function granted(response: Response): Promise<Granted> {
  if (response.ok) return (await response.json()) as Granted;
  if (!response.headers.get("Content-Type")?.includes("json")) throw new Refused(response.status, "");
  const { detail, streams, type } = (await response.json()) as { detail?: unknown; streams?: StreamElsewhere[]; type?: string };
  const sentence = typeof detail === "string" ? detail : "";
  throw new Refused(response.status, sentence, Array.isArray(streams) ? streams : [], type);
}

/** Stop what plays on another device. Throws TypeError when the network fails. */
export async function stopElsewhere({ stop_url }: StreamElsewhere): Promise<void> {
  await fetch(stop_url, { method: "POST", credentials: "same-origin", headers: { Accept: "application/json" } });
}

export class Playback {
  private playlist: string;
  private prefix: string;
  private renewUrl: string | null;
  private grant: string | undefined;
  private expiresAt = 0;
  private margin = 0;
  private renewing: Promise<void> | null = null;

  private constructor(
    granted: Granted,
    readonly position_s: number,
    private readonly startUrl: string,
    private readonly isNative: boolean,
  ) {
    this.renewUrl = granted.renew_url ?? null;
    this.playlist = granted.playlist_url;
    this.prefix = MEDIA_TOKEN.exec(granted.playlist_url)?.[0] ?? "";
    this.note(granted);
  }

  /**
   * Ask to watch. `isNative` says that the browser's own HLS plays it and cannot renew, so a longer token is wanted.
   * Throws Refused, or TypeError when the network fails.
   */
  static async start(url: string, isNative: boolean): Promise<Playback> {
    const asked = early(url);
    // Where it stopped is asked for too: what was watched without a network comes first.
    if (!asked) await sendAll();
    const begun = asked ? await granted(await asked) : await post(url, { native: isNative, tab: tab() });
    nowPlaying(begun.renew_url);
    return new Playback(begun, begun.position_s ?? 0, url, isNative);
  }

  get playlistUrl(): string {
    return this.playlist;
  }

  /** The address with a token that still stands; waits for a renewal when the token is about to end. */
  async fresh(url: string): Promise<string> {
    if (!MEDIA_TOKEN.test(url)) return url;
    if (this.expiresAt - Date.now() < this.margin) await this.renewSoon();
    return url.replace(MEDIA_TOKEN, this.prefix);
  }

  /** Renew now. Throws Refused when the right to watch has ended. */
  renew(): Promise<void> {
    this.renewing ??= this.renewOnce().finally(() => {
      this.renewing = null;
    });
    return this.renewing;
  }

  /** The playlist with a token for the whole film, for a television that fetches it by itself. The page keeps its own. */
  async longLived(): Promise<string> {
    if (!this.renewUrl) return this.playlist;
    return new URL((await post(this.renewUrl, { native: true, grant: this.grant })).playlist_url, location.href).href;
  }

  private async renewSoon(): Promise<void> {
    const stillGood = this.expiresAt > Date.now();
    try {
      await this.renew();
    } catch (error) {
      // A token with seconds left is worth using while the network is away; a refusal is final.
      if (error instanceof Refused || !stillGood) throw error;
    }
  }

  private async renewOnce(): Promise<void> {
    if (!this.renewUrl) return;
    const granted = await this.goOn(this.renewUrl);
    this.playlist = granted.playlist_url;
    this.prefix = MEDIA_TOKEN.exec(granted.playlist_url)?.[0] ?? this.prefix;
    this.note(granted);
  }

  /** With the same viewing; a page that was open for hours begins another one, of the same film or not at all. */
  private async goOn(renewUrl: string): Promise<Granted> {
    try {
      return await post(renewUrl, { native: this.isNative, grant: this.grant });
    } catch (error) {
      if (!(error instanceof Refused) || error.type !== GRANT_REFUSED) throw error;
    }
    const granted = await post(this.startUrl, { native: this.isNative, tab: tab() });
    const film = (url: string): string => url.replace(MEDIA_TOKEN, "");
    if (film(granted.playlist_url) !== film(this.playlist)) throw new Refused(410, "");
    this.renewUrl = granted.renew_url ?? null;
    nowPlaying(granted.renew_url);
    return granted;
  }

  private note(granted: Granted): void {
    this.grant = granted.grant ?? this.grant;
    this.expiresAt = Date.parse(granted.expires_at);
    this.margin = Math.min(RENEW_BEFORE_MS, (this.expiresAt - Date.now()) / 3);
  }
}
