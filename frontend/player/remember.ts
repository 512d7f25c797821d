// What this browser remembers of how somebody likes to watch; where storage is forbidden, nothing is.

type Wish = "speed" | "mirror" | "large" | "pageKeys";

export function remembered(wish: Wish): string | null {
  try {
    return localStorage.getItem(`limber:${wish}`);
  } catch {
    return null;
  }
}

/** null forgets it. */
export function remember(wish: Wish, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(`limber:${wish}`);
    else localStorage.setItem(`limber:${wish}`, value);
  } catch {
    // A private window: it holds for this page.
  }
}
