import { At } from './binding.js'

/** Keys kept, which is more than are hot at once in most services; a few hundred KiB at most with the strings. */
const KEYS_MAX = 4096
/** One of 16 unknown keys is kept: those that come often soon are, and those that come once cost next to nothing. */
const SAMPLE_SHIFT = 28
/** UTF-16 code units of a key that is kept, so that long ones do not hold memory. */
const LENGTH_MAX = 64
const WORDS = 4
/** After so many strangers in a row only one key in 16 is looked up: where nearly all are new, the look is for nothing. */
const STRANGERS_MAX = 64

/**
 * The hashes of keys that come often: the engine knows the hash of its own strings, and to find one in a Map costs a third of reading the
 * string through Node-API and hashing it there.
 */
export class KeyCache {
  private readonly places = new Map<string, number>()
  private readonly hashes = new Int32Array(KEYS_MAX * WORDS)
  private strangers = 0
  private random = 1

  /** Puts the hash of the key into the scratch, if it is known. */
  recall(key: string, scratch: Int32Array): boolean {
    if (this.strangers > STRANGERS_MAX && !this.sampled()) return false
    const at = this.places.get(key)
    if (at === undefined) return false
    this.strangers = 0
    const { hashes } = this
    scratch[At.Key] = hashes[at] as number
    scratch[At.Key + 1] = hashes[at + 1] as number
    scratch[At.Key + 2] = hashes[at + 2] as number
    scratch[At.Key + 3] = hashes[at + 3] as number
    return true
  }

  /** May keep the hash that the addon has just put into the scratch. */
  note(key: string, scratch: Int32Array): void {
    this.strangers++
    if (this.sampled() && key.length <= LENGTH_MAX) this.keep(key, scratch)
  }

  /** True once in 16 times, without a rhythm that could be that of the keys (a linear congruential generator; Knuth). */
  private sampled(): boolean {
    this.random = (Math.imul(this.random, 1664525) + 1013904223) | 0
    return this.random >>> SAMPLE_SHIFT === 0
  }

  private keep(key: string, scratch: Int32Array): void {
    if (this.places.has(key)) return
    if (this.places.size === KEYS_MAX) this.places.clear()
    const at = this.places.size * WORDS
    for (let word = 0; word < WORDS; word++) this.hashes[at + word] = scratch[At.Key + word] as number
    this.places.set(key, at)
  }
}
