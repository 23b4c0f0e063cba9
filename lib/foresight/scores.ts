import { count, duration, entry, onlyKnown, optionsObject, refuse, text, tierIndex } from '../checks.js'
import { CorruptError } from '../errors/index.js'
import { ArrivalBatch, Arrivals } from '../predict/arrivals.js'
import type { Scorekeeper } from '../predict/scorekeeper.js'
import type { Activity } from './activity.js'
import { type Key, Keys } from './keys.js'
import { ScoreChecks } from './score-checks.js'

/** An element: one of these names. */
export interface ElementOf {
  readonly lock?: string | undefined
  readonly bucket?: string | undefined
  readonly pool?: string | undefined
  readonly queue?: string | undefined
}

export interface ScoreOptions {
  /** ms from now within which a request is to come, at most an hour; default 500. For each other time that is asked about it begins to learn then, for four at most */
  readonly within?: number | undefined
  /** name of the tier of the request, or of one above it; default the lowest */
  readonly tier?: string | undefined
}

export interface LikelyOptions extends ScoreOptions {
  /** probability at least; default 0.1 */
  readonly least?: number | undefined
  /** how many at most, up to 4,096; default 100 */
  readonly most?: number | undefined
  /** ms for which it was not asked for, at least; default 0 */
  readonly idle?: number | undefined
}

/** An element that a request is likely to come for. */
export interface LikelyElement {
  readonly kind: 'lock' | 'bucket' | 'pool' | 'queue'
  readonly name: string
  /** probability */
  readonly score: number
}

const KINDS = ['lock', 'bucket', 'pool', 'queue'] as const
export const WITHIN_MS = 500
const WITHIN_MAX_MS = 3_600_000
const WINDOWS_MAX = 4
const MS_PER_S = 1000
const LEAST = 0.1
const MOST = 100
const MOST_MAX = 4_096

/** Of a request, what a score is made of. */
export interface Scored {
  /** ms */
  readonly time: number
  readonly activity: Pick<Activity, 'kind' | 'name' | 'hint' | 'tier' | 'client'>
}

/** The probability that a request for an element comes soon: an {@link Arrivals} for each time that is asked about. */
export class Scores {
  readonly #tiers: readonly string[]
  readonly #keys = new Keys()
  readonly #batch = new ArrivalBatch()
  readonly #checks: ScoreChecks | undefined
  readonly #windows = new Map<number, Arrivals>([[WITHIN_MS, new Arrivals({ within: WITHIN_MS })]])

  /** @param scores is told what was said, and what came; undefined: nobody is */
  constructor(tiers: readonly string[], scores?: Scorekeeper) {
    this.#tiers = tiers
    this.#checks = scores === undefined ? undefined : new ScoreChecks(scores)
  }

  /** Elements that are tracked. */
  get tracked(): number {
    return this.#windows.get(WITHIN_MS)?.tracked ?? 0
  }

  /** @param asked in the order of time */
  asked(asked: readonly Scored[]): void {
    const batch = this.#batch
    for (const { time, activity } of asked) {
      const { kind, name, hint, tier, client } = activity
      if (!isScored(kind)) continue
      const number = this.#keys.number(kind, name, hint)
      if (this.#checks?.mayJudge(number)) this.#checks.came(this.#keys.at(number), tier, time)
      const { words } = this.#keys
      batch.add(words[2 * number] as number, words[2 * number + 1] as number, time / MS_PER_S, Math.min(tier, TIER_MAX), client, client)
      if (batch.isFull) this.#pass()
    }
    this.#pass()
  }

  #pass(): void {
    for (const window of this.#windows.values()) window.take(this.#batch)
    this.#batch.length = 0
  }

  /** @throws ArgumentError */
  score(of: unknown, options: unknown, now: number): number {
    const { window, within, tier } = this.#read(options, ['within', 'tier'], 'score()')
    const key = this.#element(of)
    const score = window.score(BigUint64Array.of(key.hash), now, tier)[0] as number
    this.#checks?.expect(key, score, tier, within, now)
    return score
  }

  /** The likeliest first. @throws ArgumentError */
  likely(options: unknown, now: number): LikelyElement[] {
    const { window, within, tier, given } = this.#read(options, ['within', 'tier', 'least', 'most', 'idle'], 'likely()')
    const { least = LEAST, most = MOST, idle = 0 } = given as LikelyOptions
    const found = window.likely(now, least, count(most, 'most', 1, MOST_MAX), Math.min(duration(idle, 'idle'), Number.MAX_SAFE_INTEGER))
    const keys = BigUint64Array.from(found, ({ key }) => key)
    // The list is by requests of any tier.
    const scores = tier === 0 ? undefined : window.score(keys, now, tier)
    const likely = found.flatMap(({ key, score }, i): LikelyElement[] => {
      const known = this.#keys.byHash(key)
      const own = scores?.[i] ?? score
      if (known === undefined || own < least) return []
      this.#checks?.expect(known, own, tier, within, now)
      return [{ kind: known.kind as LikelyElement['kind'], name: known.name, score: own }]
    })
    return likely.sort((a, b) => b.score - a.score)
  }

  /** By ms of their window. */
  save(): [within: number, model: Uint8Array][] {
    return [...this.#windows].map(([within, window]) => [within, window.save()])
  }

  /** Times beyond the four that there may be are left out. @throws CorruptError if it is not what `save()` gave, and nothing has changed */
  load(saved: readonly (readonly [within: number, model: Uint8Array])[]): void {
    for (const [within, model] of saved) {
      if (!isWithin(within)) throw new CorruptError('the saved predictor of arrivals is damaged, or of another version', {})
      new Arrivals({ keys: 1, within }).load(model)
    }
    for (const [within, model] of saved) {
      if (this.#windows.has(within) || this.#windows.size < WINDOWS_MAX) this.#window(within).load(model)
    }
  }

  #element(of: unknown): Key {
    const given = optionsObject(of, 'of')
    if (given === undefined) throw refuse('of', `an object with one of ${KINDS.join(', ')}`, of)
    onlyKnown(given, KINDS, 'score()')
    const named = KINDS.filter(kind => entry(given, kind) !== undefined)
    const [kind] = named
    if (kind === undefined || named.length > 1) throw refuse('of', `one of ${KINDS.join(', ')}`, given)
    return this.#keys.of(kind, text(entry(given, kind), `of.${kind}`))
  }

  #read(options: unknown, known: readonly string[], what: string): { window: Arrivals; within: number; tier: number; given: object } {
    const given = optionsObject(options, 'options') ?? {}
    onlyKnown(given, known, what)
    const { within = WITHIN_MS, tier } = given as { within?: unknown; tier?: unknown }
    const ms = duration(within, 'within')
    if (!isWithin(ms)) throw refuse('within', `ms above 0, at most ${WITHIN_MAX_MS}`, within)
    return {
      window: this.#window(ms),
      within: ms,
      tier: tier === undefined ? 0 : Math.min(tierIndex(tier, this.#tiers, 'tier'), TIER_MAX),
      given
    }
  }

  #window(within: number): Arrivals {
    const known = this.#windows.get(within)
    if (known !== undefined) return known
    if (this.#windows.size >= WINDOWS_MAX)
      throw refuse('within', `one of ${[...this.#windows.keys()].join(', ')}, for no more are learnt at a time`, within)
    const window = new Arrivals({ within })
    this.#windows.set(within, window)
    return window
  }
}

const isWithin = (ms: number) => ms > 0 && ms <= WITHIN_MAX_MS

function isScored(kind: Activity['kind']): boolean {
  return kind === 'lock' || kind === 'bucket' || kind === 'pool' || kind === 'queue'
}

/** Tiers that are told apart, by their index. */
const TIER_MAX = 3
