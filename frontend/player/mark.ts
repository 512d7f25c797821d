// The member's name over the picture, wandering slowly while the film runs. It deters; it does not prevent.

// The picture takes these many seconds for the one round and the other; as they share no factor, the path rarely repeats.
const ROUND_X_S = 97;
const ROUND_Y_S = 61;
// For who asked for less motion it stands still and moves over once in this time.
const REST_S = 20;
// Above the buttons.
const LOWEST = 0.62;

export function wander(root: HTMLElement, video: HTMLVideoElement): void {
  const mark = root.querySelector<HTMLElement>("[data-mark]");
  if (!mark) return;
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const move = (): void => {
    const at = still.matches ? Math.floor(video.currentTime / REST_S) * REST_S : video.currentTime;
    const along = (round_s: number): number => (1 + Math.sin((2 * Math.PI * at) / round_s + 0.8)) / 2;
    mark.style.setProperty("--x", (0.04 + 0.92 * along(ROUND_X_S)).toFixed(4));
    mark.style.setProperty("--y", (0.04 + LOWEST * along(ROUND_Y_S)).toFixed(4));
  };
  video.addEventListener("timeupdate", move);
  move();
}
