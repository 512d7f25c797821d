// The large play button: a button of the page's own, so that it can be pressed before any of the player's scripts is read.

declare global {
  interface Window {
    /** Pressed before this script was there (templates/_parts/player_early.html). */
    limberPressed?: boolean;
  }
}

/** It is there until the film has been played once; then `root` has `data-has-played`. */
export function offerBigPlay(root: HTMLElement, video: HTMLVideoElement): void {
  const button = root.querySelector<HTMLElement>(".big-play");
  const play = (): void => void video.play().catch(() => undefined);
  button?.addEventListener("click", play);
  video.addEventListener(
    "play",
    () => {
      const hadFocus = document.activeElement === button;
      root.dataset.hasPlayed = "";
      // The keyboard goes on at the button that pauses.
      if (hadFocus) root.querySelector<HTMLElement>(".bar-buttons media-play-button")?.focus();
    },
    { once: true },
  );
  if (window.limberPressed) play();
  window.limberPressed = false;
}
