import { createHash } from 'node:crypto'
import { HintedMap } from '../hinted-map.js'
import type { Activity } from './activity.js'

/** An element that requests come for. */
export interface Key {
  readonly kind: Activity['kind']
  readonly name: string
  /** 64 bits that stand for both, and the same in two words */
  readonly hash: bigint
  readonly low: number
  readonly high: number
}

const KEYS_MAX = 200_000
const WORD_BYTES = 4

/** Numbers for elements, and back. Of more than are kept, those met first are forgotten until they come again. */
export class Keys {
  // Not by both in one string: to make and to hash it, for each request, is more than all the rest.
  readonly #byName = new Map<Activity['kind'], HintedMap<Key>>()
  readonly #byHash = new Map<bigint, Key>()

  /** @param hint a number that the element has for now, if it has one */
  of(kind: Activity['kind'], name: string, hint?: number): Key {
    return this.#byName.get(kind)?.get(name, hint) ?? this.#meet(kind, name, hint)
  }

  /** Undefined: it was forgotten. */
  byHash(hash: bigint): Key | undefined {
    return this.#byHash.get(hash)
  }

  #meet(kind: Activity['kind'], name: string, hint: number | undefined): Key {
    if (this.#byHash.size >= KEYS_MAX) this.#forgetHalf()
    const digest = createHash('sha256').update(`${kind}:${name}`).digest()
    const key = { kind, name, hash: digest.readBigUInt64LE(), low: digest.readUInt32LE(), high: digest.readUInt32LE(WORD_BYTES) }
    const names = this.#byName.get(kind) ?? new HintedMap<Key>()
    names.set(key, hint)
    this.#byName.set(kind, names)
    this.#byHash.set(key.hash, key)
    return key
  }

  /** Of each kind, those that came first. */
  #forgetHalf(): void {
    for (const names of this.#byName.values()) {
      names.forgetFirst(Math.ceil(names.size / 2), ({ hash }) => this.#byHash.delete(hash))
    }
  }
}
