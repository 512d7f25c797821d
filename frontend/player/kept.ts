// Places in films that the server has not confirmed: kept in this browser, sent when the network is back.

export interface Place {
  position_s: number;
  duration_s: number;
  playback_id: string | null;
}

interface Kept extends Place {
  url: string;
  /** By this device's clock, which is compared with nothing but itself. */
  at: number;
}

/** What the player has to know: it was stopped elsewhere, or others have all the places. */
export interface Heard {
  state: "stopped" | "full" | "unknown";
  sentence: string;
  streams?: { lesson_title: string; device: string; stop_url: string }[];
}

const PREFIX = "limber:unsaved:";
// A lesson does not wait longer than this for old news.
const PATIENCE_MS = 2000;

/** One word for this page of the browser; it outlives loading anew, and the next lesson in the same tab. */
export function tab(): string {
  try {
    let word = sessionStorage.getItem("limber:tab");
    if (!word) sessionStorage.setItem("limber:tab", (word = crypto.randomUUID()));
    return word;
  } catch {
    return "";
  }
}

/** Remember until the server has it: the newest of each lesson. Answers what `sent` wants to know. */
export function keep(url: string, place: Place): Kept {
  const kept = { ...place, url, at: Date.now() };
  try {
    localStorage.setItem(PREFIX + url, JSON.stringify(kept));
  } catch {
    // Private windows may forbid storage; then what is watched without a network is forgotten.
  }
  return kept;
}

function sent(kept: Kept): void {
  try {
    const now = localStorage.getItem(PREFIX + kept.url);
    if (now && (JSON.parse(now) as Kept).at === kept.at) localStorage.removeItem(PREFIX + kept.url);
  } catch {
    // Nothing can be kept here.
  }
}

/** The body of a request. `isLate`: only the place, no sign that the film plays. */
export function bodyOf({ position_s, duration_s, playback_id, at }: Kept, isLate: boolean): string {
  const age_s = Math.max(0, (Date.now() - at) / 1000);
  return JSON.stringify({ position_s, duration_s, playback_id, age_s, is_late: isLate });
}

/** Send one; what the player has to know, or null. Throws TypeError when the network fails. */
export async function send(kept: Kept, isLate: boolean): Promise<Heard | null> {
  const response = await fetch(kept.url, {
    method: "POST",
    credentials: "same-origin",
    keepalive: true,
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: bodyOf(kept, isLate),
  });
  // Signed out, too many or a fault of the server's: later. Any other refusal will not change.
  const isFinal = response.ok || (response.status < 500 && ![401, 408, 429].includes(response.status));
  if (isFinal) sent(kept);
  return response.status === 200 ? ((await response.json()) as Heard) : null;
}

/** Send everything that is kept; never throws, and takes at most two seconds of anybody's time. */
export async function sendAll(): Promise<void> {
  const waiting: Promise<unknown>[] = [];
  try {
    for (const key of Object.keys(localStorage)) {
      if (!key.startsWith(PREFIX)) continue;
      const kept = JSON.parse(localStorage.getItem(key) ?? "null") as Kept | null;
      if (kept) waiting.push(send(kept, true).catch(() => null));
    }
  } catch {
    return;
  }
  if (waiting.length === 0) return;
  await Promise.race([Promise.all(waiting), new Promise((resolve) => window.setTimeout(resolve, PATIENCE_MS))]);
}

let renewUrl: string | null = null;

/** The viewing that this page shows from now on, by the address of its renewal. */
export function nowPlaying(url: string | null | undefined): void {
  renewUrl = url ?? null;
}

export function playbackId(): string | null {
  return /^\/playbacks\/([^/]+)\//.exec(renewUrl ?? "")?.[1] ?? null;
}
