import { count, duration, onlyKnown, refuse, tierIndex } from '../checks.js'
import type { Session } from '../session.js'

/**
 * `reschedule`: runs begin when there is room again. `pace`: they begin one after the other, so slowly that they take no more than is left. `split`: those that go on
 * give back what they hold at their next `run.pause()`, and take it again then. `move`: runs begin in another tier.
 */
export type RemedyKind = 'reschedule' | 'pace' | 'split' | 'move'

/** What a workflow does about a collision that is foretold: says what it could do, or does it. */
export type RemedyMode = 'advise' | 'apply'

export interface RemedyOptions {
  /** what it does; the others it says. Default none */
  apply?: readonly RemedyKind[] | undefined
  /** names of the tiers that its runs may be moved to: to a lower one so as not to be in the way, to a higher one whose wait would else run out */
  tiers?: readonly string[] | undefined
  /** ms by which a run is put off at most; default, and no more than, the ageing of the arena */
  most?: number | undefined
  /** part of the collisions that are left alone, so that there is something to compare with, 0 to 0.5; default 0.1 */
  control?: number | undefined
  /** of what is drawn at random: workflows of the same seed leave the same ones alone; default 1 */
  seed?: number | undefined
}

/** Options, checked. */
export interface ReadRemedies {
  readonly apply: readonly RemedyKind[]
  /** indices */
  readonly tiers: readonly number[]
  readonly most: number
  readonly control: number
  readonly seed: number
}

const KINDS: readonly unknown[] = ['reschedule', 'pace', 'split', 'move'] satisfies RemedyKind[]
/** What `apply` does: to move runs needs to be told where to. */
const PLAIN: readonly RemedyKind[] = ['reschedule', 'pace', 'split']
const CONTROL = 0.1
const CONTROL_MOST = 0.5
const SEED_MAX = 2 ** 32 - 1
/** Where nobody ages. */
const MOST_MS = 30_000

/** @throws ArgumentError */
export function readRemedies(value: unknown, session: Session): ReadRemedies {
  if (value === 'apply') return read({ apply: PLAIN }, session)
  if (value === undefined || value === 'advise') return read({}, session)
  if (typeof value !== 'object' || value === null) throw refuse('remedies', "'advise', 'apply' or an object", value)
  return read(value, session)
}

function read(given: object, session: Session): ReadRemedies {
  onlyKnown(given, ['apply', 'tiers', 'most', 'control', 'seed'], 'remedies')
  const { apply, tiers, most, control = CONTROL, seed } = given as { [K in keyof RemedyOptions]: unknown }
  const kinds = listOf(apply, 'remedies.apply').map(kind => readKind(kind))
  const indices = listOf(tiers, 'remedies.tiers').map(tier => tierIndex(tier, session.tiers, 'remedies.tiers'))
  if (kinds.includes('move') && indices.length === 0) throw refuse('remedies.tiers', "the tiers to move to, for 'move'", tiers)
  if (typeof control !== 'number' || !(control >= 0 && control <= CONTROL_MOST)) {
    throw refuse('remedies.control', `a number from 0 to ${CONTROL_MOST}`, control)
  }
  return {
    apply: kinds,
    tiers: indices,
    most: readMost(most, session.binding.ageingMs),
    control,
    seed: seed === undefined ? 1 : count(seed, 'remedies.seed', 0, SEED_MAX)
  }
}

/** Who is put off does not age meanwhile: for so long he may, and no longer. */
function readMost(value: unknown, ageing: number): number {
  const bound = ageing > 0 ? ageing : MOST_MS
  return value === undefined ? bound : Math.min(duration(value, 'remedies.most'), ageing > 0 ? ageing : Number.POSITIVE_INFINITY)
}

function readKind(value: unknown): RemedyKind {
  if (!KINDS.includes(value)) throw refuse('remedies.apply', `of ${KINDS.map(kind => JSON.stringify(kind)).join(', ')}`, value)
  return value as RemedyKind
}

function listOf(value: unknown, option: string): readonly unknown[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) throw refuse(option, 'an array', value)
  return value
}
