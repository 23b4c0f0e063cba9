/** xorshift32 (Marsaglia 2003): the same order in every process */
function* random(): Generator<number, never> {
  let x = 2463534242
  for (;;) {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    yield x >>> 0
  }
}

/** So many keys like those of users, each a flat string of 16 characters, in an order that memory does not know. */
export function keysOf(count: number): string[] {
  const keys = Array.from({ length: count }, (_, i) => Buffer.from(`user:${String(i).padStart(11, '0')}`).toString('latin1'))
  const numbers = random()
  for (let i = count - 1; i > 0; i--) {
    const j = numbers.next().value % (i + 1)
    const key = keys[i] as string
    keys[i] = keys[j] as string
    keys[j] = key
  }
  return keys
}
