import { createHash } from 'node:crypto'
import type { Activity } from './activity.js'

/** An element that requests come for. */
export interface Key {
  readonly kind: Activity['kind']
  readonly name: string
  /** 64 bits that stand for both */
  readonly hash: bigint
}

const KEYS_MAX = 200_000

/** Numbers for elements, and back. Of more than are kept, those met first are forgotten until they come again. */
export class Keys {
  readonly #byName = new Map<string, Key>()
  readonly #byHash = new Map<bigint, Key>()

  of(kind: Activity['kind'], name: string): Key {
    const full = `${kind}:${name}`
    const known = this.#byName.get(full)
    if (known !== undefined) return known
    const key = { kind, name, hash: createHash('sha256').update(full).digest().readBigUInt64LE() }
    if (this.#byName.size >= KEYS_MAX) this.#forgetFirst()
    this.#byName.set(full, key)
    this.#byHash.set(key.hash, key)
    return key
  }

  /** Undefined: it was forgotten. */
  byHash(hash: bigint): Key | undefined {
    return this.#byHash.get(hash)
  }

  #forgetFirst(): void {
    // Many at once: a map is slow at finding its first after each of many is taken out.
    for (const [full, { hash }] of this.#byName) {
      if (this.#byName.size <= KEYS_MAX / 2) return
      this.#byName.delete(full)
      this.#byHash.delete(hash)
    }
  }
}
