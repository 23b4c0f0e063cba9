import { createHash } from 'node:crypto'
import { Numbered } from '../numbered.js'
import type { Activity } from './activity.js'

/** An element that requests come for. */
export interface Key {
  /** that of {@link Keys.number}; when it is forgotten another one may get it */
  readonly number: number
  readonly kind: Activity['kind']
  readonly name: string
  /** 64 bits that stand for both, and the same in two words */
  readonly hash: bigint
  readonly low: number
  readonly high: number
}

const KEYS_MAX = 200_000
const WORD_BYTES = 4
const KEYS_LEAST = 64

/** Hashes for elements, and back. Of more than are kept, those met first are forgotten until they come again. */
export class Keys {
  readonly #numbered = new Numbered<Activity['kind']>()
  /** by number */
  readonly #keys: Key[] = []
  readonly #byHash = new Map<bigint, Key>()
  /** the words of each hash, by number: of those that a batch is made of, beside each other */
  words = new Uint32Array(2 * KEYS_LEAST)

  of(kind: Activity['kind'], name: string): Key {
    return this.at(this.number(kind, name))
  }

  /** The number of an element, for {@link words}, until another one is asked for. @param hint as of {@link Numbered} */
  number(kind: Activity['kind'], name: string, hint?: number): number {
    const found = this.#numbered.find(kind, name, hint)
    return found >= 0 ? found : this.#meet(kind, name, hint)
  }

  at(number: number): Key {
    return this.#keys[number] as Key
  }

  /** Undefined: it was forgotten. */
  byHash(hash: bigint): Key | undefined {
    return this.#byHash.get(hash)
  }

  #meet(kind: Activity['kind'], name: string, hint: number | undefined): number {
    if (this.#byHash.size >= KEYS_MAX) this.#numbered.forgetHalf(number => this.#byHash.delete(this.at(number).hash))
    const digest = createHash('sha256').update(`${kind}:${name}`).digest()
    const number = this.#numbered.add(kind, name, hint)
    const key = { number, kind, name, hash: digest.readBigUInt64LE(), low: digest.readUInt32LE(), high: digest.readUInt32LE(WORD_BYTES) }
    this.#keys[number] = key
    this.#byHash.set(key.hash, key)
    if (2 * number >= this.words.length) {
      const more = new Uint32Array(2 * this.words.length)
      more.set(this.words)
      this.words = more
    }
    this.words[2 * number] = key.low
    this.words[2 * number + 1] = key.high
    return number
  }
}
