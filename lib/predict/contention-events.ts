import { count, duration, refuse, text } from '../checks.js'

export type ContentionMode = 'exclusive' | 'shared'

/**
 * Something that happened to an element: what a record of telemetry or a row of a trace says, as plain data. A request that waits is a `request`
 * and later a `grant`, a `refusal` or an `abort`; one that does not is a `grant` alone. A grant ends with an `end` or a `reclaim`.
 */
export interface ContentionEvent {
  readonly event: 'request' | 'grant' | 'refusal' | 'abort' | 'end' | 'reclaim'
  /** its name */
  readonly element: string
  /** ms; in order */
  readonly time: number
  /** default `exclusive` */
  readonly mode?: ContentionMode | undefined
  /** who asked; default `''`, unknown */
  readonly workflow?: string | undefined
  readonly tenant?: string | undefined
  /** index of the tier, lowest first; default 0 */
  readonly tier?: number | undefined
  /** ms from the request to this event; default 0 */
  readonly waited?: number | undefined
  /** ms, of an end or a reclaim; default: since its grant */
  readonly held?: number | undefined
  /** of the request, the same in all of its events; without, an event goes with the one of its workflow and tier that fits best */
  readonly id?: number | undefined
  /** workflows that it waited for; default: those that held the element meanwhile */
  readonly blockers?: readonly string[] | undefined
}

export interface ContentionNeed {
  /** the name of an element */
  readonly element?: string | undefined
  /** in place of a name: what it begins with, `invoice:*`; one of those it fits, by how often they are asked for */
  readonly pattern?: string | undefined
  /** default `exclusive` */
  readonly mode?: ContentionMode | undefined
}

/** A request that somebody thinks of making. */
export interface ContentionProfile {
  /** taken one after the other */
  readonly needs: readonly ContentionNeed[]
  /** index of the tier, lowest first; default 0 */
  readonly tier?: number | undefined
  /** default `''`, unknown */
  readonly workflow?: string | undefined
  readonly tenant?: string | undefined
  /** ms at which it is asked; default: the time of what it was told last */
  readonly now?: number | undefined
  /** ms at which the request will be made; default: now */
  readonly at?: number | undefined
  /** ms that the elements will be held; default: as learnt */
  readonly duration?: number | undefined
}

export interface ReadEvent {
  readonly event: ContentionEvent['event']
  readonly element: string
  readonly time: number
  readonly isShared: boolean
  readonly workflow: string
  readonly tenant: string | undefined
  readonly tier: number
  readonly waited: number
  readonly held: number | undefined
  readonly id: number | undefined
  readonly blockers: readonly string[] | undefined
}

export interface ReadNeed {
  readonly name: string
  readonly isPattern: boolean
  readonly isShared: boolean
}

export const TIERS = 16
export const UNKNOWN = ''

const EVENTS: readonly unknown[] = ['request', 'grant', 'refusal', 'abort', 'end', 'reclaim']
const MODES: readonly unknown[] = ['exclusive', 'shared']
/** ms beyond which a moment later would be the same number. */
const TIME_MAX = 1e15
/** ms, of what is measured: longer than anything is held. */
const LENGTH_MAX = 1e12
const NEEDS = 1_024

/** @throws ArgumentError */
export function readEvent(given: ContentionEvent): ReadEvent {
  if (typeof given !== 'object' || given === null) throw refuse('event', 'an object', given)
  const { event, element, time, mode, workflow = UNKNOWN, tenant, tier = 0, waited = 0, held, id, blockers } = given
  if (!EVENTS.includes(event)) throw refuse('event', `one of ${EVENTS.join(', ')}`, event)
  if (blockers !== undefined && !Array.isArray(blockers)) throw refuse('blockers', 'an array of strings', blockers)
  return {
    event,
    element: text(element, 'element'),
    time: readTime(time, 'time'),
    isShared: readMode(mode),
    workflow: text(workflow, 'workflow'),
    tenant: tenant === undefined ? undefined : text(tenant, 'tenant'),
    tier: count(tier, 'tier', 0, TIERS - 1),
    waited: readLength(waited, 'waited'),
    held: held === undefined ? undefined : readLength(held, 'held'),
    id: id === undefined ? undefined : readId(id),
    blockers: blockers?.map(one => text(one, 'blockers'))
  }
}

/** @throws ArgumentError */
export function readNeeds(needs: unknown): ReadNeed[] {
  if (!Array.isArray(needs) || needs.length === 0 || needs.length > NEEDS) throw refuse('needs', `an array of 1 to ${NEEDS} needs`, needs)
  return needs.map(need => {
    if (typeof need !== 'object' || need === null) throw refuse('needs', 'an array of objects', need)
    const { element, pattern, mode } = need as ContentionNeed
    if ((element === undefined) === (pattern === undefined)) throw refuse('needs', 'elements or patterns, one of both each', need)
    const isShared = readMode(mode)
    if (element !== undefined) return { name: text(element, 'element'), isPattern: false, isShared }
    if (!text(pattern, 'pattern').endsWith('*')) throw refuse('pattern', 'what names begin with, and a *', pattern)
    return { name: (pattern as string).slice(0, -1), isPattern: true, isShared }
  })
}

/** @throws ArgumentError */
export function readTime(ms: unknown, option: string): number {
  if (typeof ms !== 'number' || !Number.isFinite(ms)) throw refuse(option, 'a number of milliseconds', ms)
  return Math.max(-TIME_MAX, Math.min(TIME_MAX, ms))
}

/** @throws ArgumentError */
export function readLength(ms: unknown, option: string): number {
  return Math.min(LENGTH_MAX, duration(ms, option))
}

function readMode(mode: unknown): boolean {
  if (mode !== undefined && !MODES.includes(mode)) throw refuse('mode', `one of ${MODES.join(', ')}`, mode)
  return mode === 'shared'
}

function readId(id: unknown): number {
  if (typeof id !== 'number' || !Number.isFinite(id)) throw refuse('id', 'a number', id)
  return id
}
