// SHA-256 of one short text, for the many hashes of a proof of work: WebCrypto's digest() is a promise for each, which took longer
// than the hash itself. Source: FIPS 180-4, sections 4.1.2, 5 and 6.2. Tested against Python's hashlib.

/** The first 32 bits of the fractional part of `root`-th roots of the first primes; exact, as none needs more than 53 bits. */
function constants(count: number, root: number): Int32Array {
  const found = new Int32Array(count);
  for (let n = 2, at = 0; at < count; n++) {
    let isPrime = true;
    for (let d = 2; d * d <= n; d++) if (n % d === 0) isPrime = false;
    if (isPrime) {
      const value = n ** (1 / root);
      found[at++] = ((value - Math.floor(value)) * 2 ** 32) | 0;
    }
  }
  return found;
}

const K = constants(64, 3);
const START = constants(8, 2);
const w = new Int32Array(64);

/** The longest text that fits one block beside its padding, in bytes. */
export const LONGEST = 55;

/** The first 32 bits of SHA-256 of an ASCII text of at most LONGEST characters, as a signed integer. */
export function firstWord(text: string): number {
  w.fill(0, 0, 16);
  const length = text.length;
  for (let i = 0; i < length; i++) w[i >> 2]! |= text.charCodeAt(i) << (24 - (i & 3) * 8);
  w[length >> 2]! |= 0x80 << (24 - (length & 3) * 8);
  w[15] = length * 8;
  for (let i = 16; i < 64; i++) {
    const x = w[i - 15]!;
    const y = w[i - 2]!;
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    w[i] = (w[i - 16]! + s0 + w[i - 7]! + s1) | 0;
  }
  let [a, b, c, d, e, f, g, h] = START as unknown as [number, number, number, number, number, number, number, number];
  for (let i = 0; i < 64; i++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i]! + w[i]!) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  return (a + START[0]!) | 0;
}
