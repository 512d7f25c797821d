// The teacher's chapters as marks on the time bar: the list on the page becomes a track that media-chrome draws.

/** Show the chapters listed in `[data-chapters]` of the page, if there are any. */
export function markChapters(video: HTMLVideoElement, durationS: number): void {
  const links = [...document.querySelectorAll<HTMLAnchorElement>("[data-chapters] a[href^='#t=']")];
  if (links.length === 0) return;
  const marks = links.map((link) => ({ at: Number(link.hash.slice("#t=".length)), title: titleOf(link) }));
  const end = Math.max(durationS, (marks.at(-1)?.at ?? 0) + 1);
  const track = video.addTextTrack("chapters", "", document.documentElement.lang);
  track.mode = "hidden";
  for (const [n, { at, title }] of marks.entries()) track.addCue(new VTTCue(at, marks[n + 1]?.at ?? end, title));
}

/** As cue text, in which `&` and `<` begin something. */
function titleOf(link: HTMLAnchorElement): string {
  const title = link.querySelector("span:last-child")?.textContent ?? "";
  return title.trim().replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
