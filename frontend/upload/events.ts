// What becomes of videos and of drafts of their captions, as the server tells it: one event stream for the page, heard by upload
// rows, by any [data-video-id] and any [data-draft-of].

export interface VideoNews {
  id: string;
  upload_id?: string | null;
  state: string;
  stage?: string | null;
  percent?: number | null;
  failure?: string | null;
  /** How far its beginning can be watched, as a sentence; empty while it cannot be. */
  beginning?: string | null;
}

/** How a draft of captions stands that a machine writes from a video's speech. */
interface DraftNews {
  /** The video's. */
  id: string;
  state: string;
  percent: number;
}

const AGAIN_MS = 10_000;

/** Listen for good: EventSource reconnects by itself after a lost line, but gives up on an error answer. */
export function listen(url: string, hear: (news: VideoNews) => void): void {
  const source = new EventSource(url);
  source.addEventListener("video", (event) => hear(JSON.parse((event as MessageEvent<string>).data) as VideoNews));
  source.addEventListener("draft", (event) => updateDraft(JSON.parse((event as MessageEvent<string>).data) as DraftNews));
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) window.setTimeout(() => listen(url, hear), AGAIN_MS);
  });
  window.addEventListener("pagehide", () => source.close(), { once: true });
}

const MARK: Record<string, string> = { ready: "state-ok", failed: "state-bad" };

/** Bring a table row (or page) up to date: its state in words, its bar, its reason. */
export function updatePage(news: VideoNews): void {
  for (const place of document.querySelectorAll<HTMLElement>(`[data-video-id="${CSS.escape(news.id)}"]`)) {
    const isNewState = place.dataset.state !== news.state;
    place.dataset.state = news.state;
    const words = place.querySelector<HTMLElement>("[data-video-state]");
    if (words) {
      words.textContent = news.stage || words.dataset[news.state] || news.state;
      words.classList.remove("state-ok", "state-bad", "state-busy");
      words.classList.add(MARK[news.state] ?? "state-busy");
    }
    const bar = place.querySelector<HTMLProgressElement>("progress[data-video-percent]");
    if (bar) {
      bar.value = news.percent ?? 0;
      bar.hidden = news.state === "ready" || news.state === "failed";
    }
    const reason = place.querySelector<HTMLElement>("[data-video-failure]");
    if (reason) {
      reason.textContent = news.failure ?? "";
      reason.hidden = !news.failure;
    }
    const beginning = place.querySelector<HTMLElement>("[data-video-beginning]");
    if (beginning) {
      beginning.hidden = !news.beginning;
      const said = beginning.querySelector<HTMLElement>("span");
      if (said && said.textContent !== news.beginning) said.textContent = news.beginning ?? "";
    }
    // A part of the page that only a finished stream has listens to this, so that nothing chosen there is lost meanwhile.
    if (isNewState && news.state === "ready") place.dispatchEvent(new CustomEvent("limber:video-ready"));
    if (isNewState) place.dispatchEvent(new CustomEvent("limber:video-state", { bubbles: true, detail: news }));
  }
}

/** The percentage as it grows; a part of the page that shows another state listens to this and fetches itself again. */
function updateDraft(news: DraftNews): void {
  for (const place of document.querySelectorAll<HTMLElement>(`[data-draft-of="${CSS.escape(news.id)}"]`)) {
    const isKnown = place.dataset.state === news.state || (news.state === "gone" && !place.dataset.state);
    const percent = place.querySelector<HTMLElement>("[data-draft-percent]");
    if (percent) percent.textContent = String(Math.floor(news.percent));
    const bar = place.querySelector<HTMLProgressElement>("progress");
    if (bar) bar.value = news.percent;
    if (isKnown) continue;
    place.dataset.state = news.state;
    place.dispatchEvent(new CustomEvent("limber:draft-state"));
  }
}
