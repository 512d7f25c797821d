// Captions: a button that turns them on where there is one language, a menu where there are more.

/** Say on `root` how many languages there are (`data-captions`: none, one, many), and lead the keyboard into the menu. */
export function offerCaptions(root: HTMLElement, video: HTMLVideoElement): void {
  const count = (): void => {
    const found = [...video.textTracks].filter(({ kind }) => kind === "captions" || kind === "subtitles").length;
    root.dataset.captions = found > 1 ? "many" : found === 1 ? "one" : "none";
  };
  for (const event of ["addtrack", "removetrack"]) video.textTracks.addEventListener(event, count);
  count();
  // It says aria-checked, which a button may not; before it is defined it would become one again.
  void customElements
    .whenDefined("media-captions-button")
    .then(() => root.querySelector("media-captions-button")?.setAttribute("role", "switch"));
  const menu = root.querySelector<HTMLElement>("media-captions-menu");
  if (!menu) return;
  // The component waits for the end of a transition, and ours has none.
  new MutationObserver(() => {
    if (!menu.hidden) requestAnimationFrame(() => menu.focus());
  }).observe(menu, { attributeFilter: ["hidden"] });
}
