import { createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { onlyKnown, optionsObject, refuse } from '../checks.js'
import { nameOfPlace } from '../shadow/places.js'

/** What becomes of a name: it stays; all but its prefix is replaced by a keyed hash; or by an asterisk. */
export type NameRule = 'keep' | 'hash' | 'drop'

export interface PrivacyOptions {
  /**
   * what values are hashed with, 16 bytes or more, the same for all processes whose hashes are to agree; default: one that only this process knows,
   * and that ends with it
   */
  key?: string | Uint8Array | undefined
  /** ms after which the same value has another hash; default 30 days */
  rotateEvery?: number | undefined
  /**
   * by prefix of the names of locks, buckets, pools and queues what of them is recorded; the longest prefix that fits decides, a name that none fits is
   * dropped. Default: all are kept
   */
  elements?: Readonly<Record<string, NameRule>> | undefined
}

const KNOWN = ['key', 'rotateEvery', 'elements'] as const
const RULES: readonly NameRule[] = ['keep', 'hash', 'drop']
const KEY_BYTES_MIN = 16
const KEY_BYTES = 32
const DAY_MS = 86_400_000
const ROTATE_MIN_MS = 1000
const ROTATE_MAX_MS = 100 * 365 * DAY_MS
/** Bytes of a hash: two values in 2^64 have the same. */
const HASH_BYTES = 16
/** Before every hash, so that it is not taken for a name. */
const MARK = '~'
const DROPPED = '*'
/** Names whose records are remembered for as long as they are recorded so. */
const NAMES_MAX = 65_536

let ownKey: Uint8Array | undefined

/** What leaves a process of names and inputs for the history. One object a governor. */
export class Privacy {
  /** What it was made with, for another thread that writes for this one. @internal */
  readonly options: PrivacyOptions
  private readonly key: Uint8Array
  private readonly rotateEvery: number
  /** the longest prefix first; undefined: names stay as they are */
  private readonly rules: readonly (readonly [prefix: string, rule: NameRule])[] | undefined
  private readonly names = new Map<string, string>()
  private period = Number.NaN
  private periodKey: Uint8Array = new Uint8Array()

  /** @throws ArgumentError */
  constructor(options?: unknown) {
    const given = optionsObject(options, 'privacy') ?? {}
    onlyKnown(given, KNOWN, 'privacy')
    const { key, rotateEvery = 30 * DAY_MS, elements } = given as { [K in keyof PrivacyOptions]: unknown }
    this.key = key === undefined ? keyOfProcess() : readKey(key)
    if (typeof rotateEvery !== 'number' || !(rotateEvery >= ROTATE_MIN_MS && rotateEvery <= ROTATE_MAX_MS)) {
      throw refuse('privacy.rotateEvery', `ms from ${ROTATE_MIN_MS} to ${ROTATE_MAX_MS}`, rotateEvery)
    }
    this.rotateEvery = rotateEvery
    this.rules = elements === undefined ? undefined : readRules(elements)
    this.options = { key: this.key, rotateEvery, ...(this.rules !== undefined && { elements: Object.fromEntries(this.rules) }) }
  }

  /**
   * A keyed hash (HMAC-SHA-256, RFC 2104, of 128 bits): the same for the same value of the same kind until the next rotation, and another one after it,
   * by which nobody without the key can tell that it is the same. The key of a period is derived from the key (HKDF, RFC 5869), so that
   * processes that have the key agree without talking to each other.
   *
   * @param now ms since the Unix epoch
   */
  hash(kind: string, value: string | number | boolean, now = Date.now()): string {
    this.turnTo(now)
    const hmac = createHmac('sha256', this.periodKey)
    return (
      MARK +
      hmac
        .update(JSON.stringify([kind, value]))
        .digest()
        .subarray(0, HASH_BYTES)
        .toString('base64url')
    )
  }

  /**
   * What is recorded of the name of an element. One of a rule that runs dry is told apart by `shadow:`.
   *
   * @param place its name in the arena
   * @param now ms since the Unix epoch
   */
  element(place: string, now = Date.now()): string {
    this.turnTo(now)
    const known = this.names.get(place)
    if (known !== undefined) return known
    const { name, shadow } = nameOfPlace(place)
    const recorded = `${shadow ? 'shadow:' : ''}${this.ruled(name, now)}`
    if (this.names.size >= NAMES_MAX) this.names.clear()
    this.names.set(place, recorded)
    return recorded
  }

  /** Whether names like this one are told apart once they are recorded. */
  tellsApart(place: string): boolean {
    return this.ruleOf(nameOfPlace(place).name)[1] !== 'drop'
  }

  /** Another number after each rotation: names recorded before are not to be written on. */
  periodAt(now = Date.now()): number {
    this.turnTo(now)
    return this.period
  }

  private ruleOf(name: string): readonly [prefix: string, rule: NameRule] {
    if (this.rules === undefined) return ['', 'keep']
    return this.rules.find(([prefix]) => name.startsWith(prefix)) ?? ['', 'drop']
  }

  private ruled(name: string, now: number): string {
    const [prefix, rule] = this.ruleOf(name)
    if (rule === 'keep') return name
    return prefix + (rule === 'drop' ? DROPPED : this.hash('element', name, now))
  }

  private turnTo(now: number): void {
    const period = Math.floor(now / this.rotateEvery)
    if (period === this.period) return
    this.period = period
    this.periodKey = new Uint8Array(hkdfSync('sha256', this.key, '', `forelock privacy ${this.rotateEvery} ${period}`, KEY_BYTES))
    this.names.clear()
  }
}

function keyOfProcess(): Uint8Array {
  ownKey ??= randomBytes(KEY_BYTES)
  return ownKey
}

function readKey(key: unknown): Uint8Array {
  const bytes = typeof key === 'string' ? Buffer.from(key) : key instanceof Uint8Array ? new Uint8Array(key) : undefined
  // What was given stays out of the error, which may be logged.
  if (bytes === undefined || bytes.length < KEY_BYTES_MIN)
    throw refuse('privacy.key', `a string or bytes, ${KEY_BYTES_MIN} or more`, typeof key)
  return bytes
}

function readRules(elements: unknown): readonly (readonly [string, NameRule])[] {
  const given = optionsObject(elements, 'privacy.elements') ?? {}
  const rules = Object.entries(given).map(([prefix, rule]) => {
    if (!RULES.includes(rule)) throw refuse(`privacy.elements[${JSON.stringify(prefix)}]`, "'keep', 'hash' or 'drop'", rule)
    return [prefix, rule as NameRule] as const
  })
  return rules.sort(([a], [b]) => b.length - a.length)
}
