// A permitted viewing as the browser holds it: the playlist's address, its token, and the token's renewal.

/** What the server answered when it would not let this person watch. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly sentence: string,
  ) {
    super(sentence || String(status));
  }
}

interface Granted {
  playlist_url: string;
  expires_at: string;
  position_s?: number | null;
  renew_url?: string | null;
}

// From 90 s before the end; a token that lives for a short time only is renewed in its last third.
const RENEW_BEFORE_MS = 90_000;
const MEDIA_TOKEN = /\/media\/[^/]+\//;

async function post(url: string, body: object): Promise<Granted> {
  const response = await fetch(url, {
    method: "POST",
    credentials: "same-origin",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify(body),
  });
  if (response.ok) return (await response.json()) as Granted;
  let sentence = "";
  if (response.headers.get("Content-Type")?.includes("json")) {
    const problem = (await response.json()) as { detail?: unknown };
    if (typeof problem.detail === "string") sentence = problem.detail;
  }
  throw new Refused(response.status, sentence);
}

export class Playback {
  private playlist: string;
  private prefix: string;
  private expiresAt = 0;
  private margin = 0;
  private renewing: Promise<void> | null = null;

  private constructor(
    granted: Granted,
    readonly position_s: number,
    private readonly renewUrl: string | null,
    private readonly isNative: boolean,
  ) {
    this.playlist = granted.playlist_url;
    this.prefix = MEDIA_TOKEN.exec(granted.playlist_url)?.[0] ?? "";
    this.note(granted);
  }

  /**
   * Ask to watch. `isNative` says that the browser's own HLS plays it and cannot renew, so a longer token is wanted.
   * Throws Refused, or TypeError when the network fails.
   */
  static async start(url: string, isNative: boolean): Promise<Playback> {
    const granted = await post(url, { native: isNative });
    return new Playback(granted, granted.position_s ?? 0, granted.renew_url ?? null, isNative);
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
    return new URL((await post(this.renewUrl, { native: true })).playlist_url, location.href).href;
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
    const granted = await post(this.renewUrl, { native: this.isNative });
    this.playlist = granted.playlist_url;
    this.prefix = MEDIA_TOKEN.exec(granted.playlist_url)?.[0] ?? this.prefix;
    this.note(granted);
  }

  private note(granted: Granted): void {
    this.expiresAt = Date.parse(granted.expires_at);
    this.margin = Math.min(RENEW_BEFORE_MS, (this.expiresAt - Date.now()) / 3);
  }
}
