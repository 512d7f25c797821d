// The worker that does a form's proof of work (app/articles/proofs.py says what that is, and why).
import { firstWord } from "./forms/sha256";

export interface Work {
  challenge: string;
  pieces: number;
  bits: number;
}

/** The first number for which SHA-256 of `challenge.piece.number` begins with so many zero bits. */
function solve(challenge: string, piece: number, bits: number): number {
  const head = `${challenge}.${piece}.`;
  for (let n = 0; ; n++) if (firstWord(head + n) >>> (32 - bits) === 0) return n;
}

self.onmessage = (event: MessageEvent<Work>) => {
  const { challenge, pieces, bits } = event.data;
  const found: number[] = [];
  for (let piece = 0; piece < pieces; piece++) found.push(solve(challenge, piece, bits));
  self.postMessage(found.join("-"));
};
