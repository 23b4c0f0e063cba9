import { count, iterable, object, optionsOf, refuse } from '../checks.js'
import { CorruptError } from '../errors/index.js'
import { loadAddon } from '../native/load.js'
import type { NativeArrivals } from '../native/predict.js'
import { seal, unseal } from './saved.js'

export interface ArrivalsOptions {
  /** keys that are tracked at most; of more, those asked for most are kept; default 100,000 */
  keys?: number | undefined
  /** ms from now within which a request is foretold; default 500 */
  within?: number | undefined
  /** of the moments from which it learns; default 1 */
  seed?: number | undefined
}

/** A request for a key. */
export interface Arrival {
  readonly key: bigint
  /** ms; those of one predictor are in order */
  readonly time: number
  /** index of the tier, lowest first; default 0 */
  readonly tier?: number | undefined
  /** number of the client, 0 unknown; default 0 */
  readonly client?: number | undefined
  /** number of the run (trace, workflow) that it is part of, 0 none: what follows is learnt inside of runs, too; default 0 */
  readonly run?: number | undefined
}

const KEYS = 100_000
const KEYS_MAX = 10_000_000
const WITHIN_MS = 500
const WITHIN_MAX_MS = 3_600_000
const MS_PER_S = 1000
const TIERS = 4
const SEED_MAX = 2 ** 32 - 1
const BATCH = 4_096
const KEY_BITS = 64
/** What a saved model begins with. */
const MAGIC = 'forelock arrivals 2\n'

/** Requests in columns: for those who tell of so many that an object and a bigint for each would show. */
export class ArrivalBatch {
  length = 0
  readonly keys = new BigUint64Array(BATCH)
  /** the same, each as two of these */
  readonly words = new Uint32Array(this.keys.buffer)
  readonly seconds = new Float64Array(BATCH)
  readonly tiers = new Uint8Array(BATCH)
  readonly clients = new Uint32Array(BATCH)
  readonly runs = new Uint32Array(BATCH)

  get isFull(): boolean {
    return this.length === BATCH
  }

  /** One more, if it is not full. @param low and `high`: words of the key @param seconds not before the last one */
  add(low: number, high: number, seconds: number, tier: number, client: number, run: number): void {
    this.words[2 * this.length] = low
    this.words[2 * this.length + 1] = high
    this.addTo(seconds, tier, client, run)
  }

  /** As {@link add}, where its key is already. */
  addTo(seconds: number, tier: number, client: number, run: number): void {
    const at = this.length++
    this.seconds[at] = seconds
    this.tiers[at] = tier
    this.clients[at] = client
    this.runs[at] = run
  }
}

/**
 * Which keys will be asked for soon, each with a calibrated probability, learnt while requests come: native/predict/arrivals.h says how. One
 * request costs about 1 us, one score less.
 */
export class Arrivals {
  private readonly native: NativeArrivals
  private readonly batch = new ArrivalBatch()

  /** @throws ArgumentError */
  constructor(options?: ArrivalsOptions) {
    const { keys = KEYS, within = WITHIN_MS, seed = 1 } = optionsOf(options, ['keys', 'within', 'seed'], 'Arrivals')
    count(keys, 'keys', 1, KEYS_MAX)
    count(seed, 'seed', 0, SEED_MAX)
    if (typeof within !== 'number' || !(within > 0 && within <= WITHIN_MAX_MS))
      throw refuse('within', `ms from 0 to ${WITHIN_MAX_MS}`, within)
    this.native = loadAddon().predict.arrivals(keys, within / MS_PER_S, seed)
  }

  /** Keys that are tracked. */
  get tracked(): number {
    return this.native.tracked()
  }

  /**
   * Takes what came, in the order of time. A time before the last one is taken for the last one.
   *
   * @throws ArgumentError, and what came before is taken
   */
  record(arrivals: Iterable<Arrival>): void {
    try {
      for (const arrival of iterable(arrivals, 'arrivals')) {
        this.read(arrival)
        if (this.batch.isFull) this.pass()
      }
    } finally {
      this.pass()
    }
  }

  private read(arrival: Arrival): void {
    const { key, time, tier = 0, client = 0, run = 0 } = object(arrival, 'arrivals')
    const { batch } = this
    batch.keys[batch.length] = readKey(key)
    const seconds = readTime(time)
    count(tier, 'tier', 0, TIERS - 1)
    count(client, 'client', 0, SEED_MAX)
    count(run, 'run', 0, SEED_MAX)
    batch.addTo(seconds, tier, client, run)
  }

  private pass(): void {
    this.take(this.batch)
    this.batch.length = 0
  }

  /** As {@link record}, of what is known to be sound. */
  take({ words, seconds, tiers, clients, runs, length }: ArrivalBatch): void {
    this.native.arrived(words, seconds, tiers, clients, runs, length)
  }

  /**
   * The probabilities that these keys are asked for within the time, by a request of the tier or a higher one.
   *
   * @param now ms, on the clock of what came
   * @throws ArgumentError
   */
  score(keys: BigUint64Array, now: number, tier = 0): Float64Array {
    if (!(keys instanceof BigUint64Array)) throw refuse('keys', 'a BigUint64Array', keys)
    const scores = new Float64Array(keys.length)
    const words = new Uint32Array(keys.buffer, keys.byteOffset, 2 * keys.length)
    this.native.score(words, readTime(now), count(tier, 'tier', 0, TIERS - 1), scores)
    return scores
  }

  /**
   * Of the keys asked for lately (4,096 at most) those that are likely to be asked for again, the likeliest first.
   *
   * @param now ms
   * @param least probability
   * @param most how many
   * @param idle ms for which they were not asked for, at least
   * @throws ArgumentError
   */
  likely(now: number, least: number, most: number, idle = 0): { key: bigint; score: number }[] {
    if (typeof least !== 'number' || !(least >= 0 && least <= 1)) throw refuse('least', 'a probability', least)
    const keys = new BigUint64Array(count(most, 'most', 0, BATCH))
    const scores = new Float64Array(keys.length)
    const found = this.native.likely(readTime(now), least, readTime(idle), new Uint32Array(keys.buffer), scores)
    return Array.from({ length: found }, (_, i) => ({ key: keys[i] as bigint, score: scores[i] as number }))
  }

  /** What was learnt of how requests come, apart from the keys. */
  save(): Uint8Array {
    const weights = new Float32Array(this.native.weights)
    this.native.save(weights)
    return seal(MAGIC, new Uint8Array(weights.buffer))
  }

  /** @throws CorruptError if it is not what `save()` gave, and nothing has changed */
  load(saved: Uint8Array): void {
    const model = unseal(MAGIC, saved)
    const isFloats = model !== undefined && model.length % Float32Array.BYTES_PER_ELEMENT === 0
    const weights = isFloats ? new Float32Array(model.buffer) : new Float32Array(0)
    if (!this.native.load(weights)) throw new CorruptError('the saved predictor of arrivals is damaged, or of another version', {})
  }
}

function readKey(key: unknown): bigint {
  if (typeof key !== 'bigint' || BigInt.asUintN(KEY_BITS, key) !== key) throw refuse('key', `a bigint of ${KEY_BITS} bits`, key)
  return key
}

function readTime(ms: unknown): number {
  if (typeof ms !== 'number' || !Number.isFinite(ms)) throw refuse('time', 'a number of milliseconds', ms)
  return ms / MS_PER_S
}
