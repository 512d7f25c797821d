// What the player says: its sentences come from the page, and so from gettext.

/** The sentences of templates/_parts/player.html, by their names there. */
export type Words = Record<
  | "resumed" | "startOver" | "signIn" | "signInLink" | "ended" | "endedOn" | "goOn" | "stop" | "notYet" | "wentOn"
  | "join" | "joinLink" | "refused" | "lost" | "found" | "broken" | "unavailable" | "retry" | "next"
  | "loopBegin" | "loopEnd" | "loopClear" | "loopFrom" | "loopOn" | "loopOff" | "loopNone" | "loopShort"
  | "mirrorOn" | "mirrorOff" | "largeOn" | "largeOff" | "speed" | "volume" | "muted" | "unmuted"
  | "captionsOn" | "captionsOff" | "captionsNone" | "auto" | "autoNow" | "play" | "pause",
  string
>;

export function wordsOf(root: HTMLElement): Words {
  return JSON.parse(root.dataset.words ?? "{}") as Words;
}

/** `1:02:03` or `4:05`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (n: number): string => String(n).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  return minutes >= 60 ? `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}
