import { createHash } from 'node:crypto'
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
  readonly #byName = new Map<Activity['kind'], Map<string, Key>>()
  readonly #byHash = new Map<bigint, Key>()

  of(kind: Activity['kind'], name: string): Key {
    return this.#byName.get(kind)?.get(name) ?? this.#meet(kind, name)
  }

  /** Undefined: it was forgotten. */
  byHash(hash: bigint): Key | undefined {
    return this.#byHash.get(hash)
  }

  #meet(kind: Activity['kind'], name: string): Key {
    if (this.#byHash.size >= KEYS_MAX) this.#forgetFirst()
    const digest = createHash('sha256').update(`${kind}:${name}`).digest()
    const key = { kind, name, hash: digest.readBigUInt64LE(), low: digest.readUInt32LE(), high: digest.readUInt32LE(WORD_BYTES) }
    const names = this.#byName.get(kind) ?? new Map<string, Key>()
    names.set(name, key)
    this.#byName.set(kind, names)
    this.#byHash.set(key.hash, key)
    return key
  }

  #forgetFirst(): void {
    // Many at once: a map is slow at finding its first after each of many is taken out.
    for (const [hash, { kind, name }] of this.#byHash) {
      if (this.#byHash.size <= KEYS_MAX / 2) return
      this.#byHash.delete(hash)
      this.#byName.get(kind)?.delete(name)
    }
  }
}
